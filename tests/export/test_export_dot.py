"""Drawings for Graphviz: what stands in the text, what Graphviz reads, and names that stay labels."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from neuraltree.activations import NAMES
from neuraltree.export import export_dot
from neuraltree.plot.style import ACTIVATION_LOOKS
from neuraltree.tree.nodes import parents
from neuraltree.tree.tree import Tree
from tests.export.test_export_onnx import several
from tests.helpers.random_models import IDENTITY, RELU, SIGMOID, TANH, edge_models, models, record, regression
from tests.helpers.strategies import steady, trees

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz: dot is not on PATH")
SVG = "{http://www.w3.org/2000/svg}"


def small() -> Tree:
    rows = [(0, IDENTITY, 0.0, 0.5), (1, 0, 2.0, 0.0), (1, RELU, -1.0, 0.25), (2, 1, 0.0, 0.0)]
    return Tree(record(rows), "binary", ('petal "width"', "n"), ("no", "yes"))


def test_the_text() -> None:
    assert export_dot(small()) == (
        "// binary: 2 inputs, 5 weights. Written by neuraltree; do not edit.\n"
        "digraph neuraltree {\n"
        "    rankdir=BT;\n"
        '    node [fontname="sans-serif", fontsize=11, style=filled, color="#555555"];\n'
        "    edge [arrowhead=none];\n"
        '    n0 [shape=doubleoctagon, fillcolor="#DDDDDD", label="yes (identity)", tooltip="bias 0.5"];\n'
        '    n1 [shape=box, fillcolor="#FFFFFF", label="petal \\"width\\"", tooltip="petal \\"width\\""];\n'
        '    n2 [shape=ellipse, fillcolor="#E69F00", label="relu", tooltip="bias 0.25"];\n'
        '    n3 [shape=box, fillcolor="#FFFFFF", label="n", tooltip="n"];\n'
        '    n1 -> n0 [color="#0072B2", style=solid, penwidth=5.00, tooltip="weight 2"];\n'
        '    n2 -> n0 [color="#D55E00", style=dashed, penwidth=2.75, tooltip="weight -1"];\n'
        '    n3 -> n2 [color="#0072B2", style=solid, penwidth=0.50, tooltip="weight 0"];\n'
        "    {rank=min; n1; n3;}\n"
        "    {rank=max; n0;}\n"
        "}\n"
    )


@pytest.mark.parametrize("code", range(len(NAMES)), ids=NAMES)
def test_each_activation_has_its_colour_and_name(code: int) -> None:
    text = export_dot(regression([(0, IDENTITY, 0.0, 0.0), (1, ~code, 1.0, 0.0), (2, 0, 1.0, 0.0)]))
    (line,) = [line for line in text.splitlines() if line.startswith("    n1 [")]
    assert f'fillcolor="{ACTIVATION_LOOKS[NAMES[code]].colour}", label="{NAMES[code]}"' in line


def test_output_names() -> None:
    rows = [row for k in range(3) for row in ((0, SIGMOID, 0.0, 0.0), (1, k, 1.0, 0.0))]
    labels = re.findall(
        r'doubleoctagon.*?label="(.*?)"', export_dot(Tree(record(rows), "multiclass", tuple("uvw"), (7, 8, 9)))
    )
    assert labels == ["7 (sigmoid)", "8 (sigmoid)", "9 (sigmoid)"]
    labels = re.findall(r'doubleoctagon.*?label="(.*?)"', export_dot(several()))
    assert labels == ["y[0] (identity)", "y[1] (identity)", "y[2] (identity)"]
    (label,) = re.findall(r'doubleoctagon.*?label="(.*?)"', export_dot(replace(small(), threshold=0.2)))
    assert label == "yes (identity), if P > 0.2"
    assert 'label="y (tanh)"' in export_dot(regression([(0, TANH, 0.0, 0.0), (1, 0, 1.0, 0.0)]))


def test_every_edge_is_there_with_its_width_and_sign() -> None:
    for tree in [*models(3), *edge_models().values()]:
        text = export_dot(tree)
        weight, up = tree.nodes["weight"][:, 0], parents(tree.nodes["depth"])
        below = [i for i in range(len(up)) if up[i] >= 0]
        largest = max(abs(weight[below])) or 1.0
        edges = re.findall(r'n(\d+) -> n(\d+) \[color="(#\w+)", style=(\w+), penwidth=([\d.]+)', text)
        assert [(int(a), int(b)) for a, b, *_ in edges] == [(i, up[i]) for i in below]
        for a, _, colour, style, width in edges:
            w = weight[int(a)]
            assert (colour, style) == (("#D55E00", "dashed") if w < 0 else ("#0072B2", "solid"))
            assert float(width) == pytest.approx(0.5 + 4.5 * abs(w) / largest, abs=0.006)


def drawn(text: str) -> ElementTree.Element:
    done = subprocess.run(["dot", "-Tsvg"], input=text.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return ElementTree.fromstring(done.stdout)


def texts(svg: ElementTree.Element) -> Iterator[str]:
    return ("".join(element.itertext()) for element in svg.iter(f"{SVG}text"))


@needs_dot
def test_graphviz_draws_every_node_and_edge_with_inputs_at_the_bottom() -> None:
    for tree in [*models(1), several(), small()]:
        svg = drawn(export_dot(tree))
        groups = [element.get("class") for element in svg.iter(f"{SVG}g")]
        outputs = int((tree.nodes["depth"] == 0).sum())
        assert groups.count("node") == tree.num_nodes
        assert groups.count("edge") == tree.num_nodes - outputs
        heights = {
            "".join(element.find(f"{SVG}title").itertext()): float(element.find(f".//{SVG}text").get("y"))
            for element in svg.iter(f"{SVG}g")
            if element.get("class") == "node"
        }
        bottom, top = max(heights.values()), min(heights.values())
        for i, row in enumerate(tree.nodes):
            assert (heights[f"n{i}"] == bottom) == (row["op"] >= 0)
            assert (heights[f"n{i}"] == top) == (row["depth"] == 0)


HOSTILE = [
    '"];evil [label="',
    "\\",
    '\\"',
    "a\\nb",
    "\\N\\G\\l",
    "&lt;b&gt;",
    "&amp;",
    "<b>x</b>",
    "{a|b}",
    "a\nb\r\x00c",
    "\u2028",
    "größe",
    "//",
    "",
]


@needs_dot
@pytest.mark.parametrize("name", HOSTILE)
def test_graphviz_shows_names_as_they_are(name: str) -> None:
    tree = Tree(record([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)]), "binary", (name,), ("no", name))
    svg = drawn(export_dot(tree))
    plain = "".join(letter if letter.isprintable() else " " for letter in name)
    squeezed = [re.sub(r"\s+", " ", text).strip() for text in texts(svg)]
    assert sorted(squeezed) == sorted(
        re.sub(r"\s+", " ", text).strip() for text in (plain, f"{plain} (identity)") if text
    )


pieces = st.lists(st.sampled_from(['"', "\\", "\n", "&", ";", "]", "{", "\ud800", "a"]), max_size=8).map("".join)


@hypothesis_settings(steady, max_examples=150)
@given(pieces, pieces)
def test_names_end_no_string(feature: str, label: str) -> None:
    """Without its strings the text is that of harmless names."""
    nodes = record([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)])
    made = [
        re.sub(r'"(?:[^"\\]|\\.)*"', '""', export_dot(Tree(nodes, "binary", (name,), ("x", other))))
        for name, other in ((feature, label + "y"), ("a", "b"))
    ]
    assert made[0] == made[1]


@hypothesis_settings(steady, max_examples=50)
@given(trees(max_targets=3))
def test_any_tree_has_a_text(tree: Tree) -> None:
    text = export_dot(tree)
    assert text.encode()
    assert text.count(" -> ") == tree.num_nodes - tree.num_outputs
