"""Trees in notebooks: the drawing holds every node and edge of the tree, and the same tree gives the same text."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given

from neuraltree.activations import NAMES
from neuraltree.plot.style import BLUE, VERMILION
from neuraltree.tree.model_files import dumps, loads
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.tree import Tree
from tests.helpers.report_runs import tree_of
from tests.helpers.strategies import steady, trees

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"


def parsed(tree: Tree) -> ElementTree.Element:
    return ElementTree.fromstring(tree._repr_html_().replace("&nbsp;", " "))


def drawing(tree: Tree) -> ElementTree.Element:
    found = parsed(tree).find(f"{SVG}svg")
    assert found is not None
    return found


def titles(tree: Tree, shape: str) -> list[str]:
    return [each.findtext(f"{SVG}title") or "" for each in drawing(tree).iter(f"{SVG}{shape}")]


@given(trees())
@steady
def test_every_node_and_edge_is_drawn_within_the_picture(tree: Tree) -> None:
    picture, op = drawing(tree), tree.nodes["op"]
    edges = np.flatnonzero(tree.nodes["depth"] > 0)
    assert titles(tree, "polyline") == [f"weight {tree.nodes['weight'][i, 0]:.4g}" for i in edges]
    colours = [line.attrib["stroke"] for line in picture.iter(f"{SVG}polyline")]
    assert colours == [BLUE if tree.nodes["weight"][i, 0] >= 0 else VERMILION for i in edges]
    kinds = Counter(title.split(",")[0] for title in titles(tree, "circle") if ", bias " in title)
    for code, name in enumerate(NAMES):
        assert kinds[name] >= np.count_nonzero(op == ~code)
    circles = list(picture.iter(f"{SVG}circle"))
    assert len(circles) == tree.num_nodes
    width, height = map(float, picture.attrib["viewBox"].split()[2:])
    for circle in circles:
        assert 0 < float(circle.attrib["cx"]) < width
        assert 0 < float(circle.attrib["cy"]) < height


@given(trees())
@steady
def test_the_same_tree_gives_the_same_text(tree: Tree) -> None:
    assert loads(dumps(tree))._repr_html_() == tree._repr_html_()


def test_the_thickest_edge_has_the_largest_weight() -> None:
    tree = tree_of(5, ("x0", "x1"), None)
    widths = [float(line.attrib["stroke-width"]) for line in drawing(tree).iter(f"{SVG}polyline")]
    weights = np.abs(tree.nodes["weight"][tree.nodes["depth"] > 0, 0])
    assert np.argsort(widths, kind="stable").tolist() == np.argsort(weights, kind="stable").tolist()


def test_names_are_no_html() -> None:
    tree = tree_of(3, ("<b>", "a & $b$\n"), ("<script>x</script>", "'\""))
    html = tree._repr_html_()
    assert "<b>" not in html
    assert "<script>" not in html
    assert "tex2jax_ignore" in html
    texts = [each.text for each in drawing(tree).iter(f"{SVG}text")]
    assert texts == ["a & $b$ ", "<b>", "a & $b$ ", "above 0: '\"", "else: <script>x</script>"]


def test_a_line_of_facts_follows() -> None:
    tree = tree_of(1, ("x0", "x1"), ("no", "yes"))
    facts = parsed(tree).findall("p")[-1].text
    assert facts == "Tree(binary: 2 inputs, 2 weights, 2 nodes, depth 1); reads x1; classes no, yes"
    wide = tree_of(40, tuple(f"x{i}" for i in range(30)), None)
    assert "; reads x0, x1, x2, x3, x4, x5, x6, x7 and 22 more" in (parsed(wide).findall("p")[-1].text or "")


def test_a_threshold_is_told() -> None:
    tree = replace(tree_of(1, ("x0", "x1"), ("no", "yes")), threshold=0.8)
    texts = [each.text for each in drawing(tree).iter(f"{SVG}text")]
    assert texts[1:] == ["above 1.39: yes", "else: no"]  # log(0.8 / 0.2) = 1.386


def test_names_of_many_outputs_stand_upright() -> None:
    rows = [row for _ in range(3) for row in ((0, -6), (1, 0))]
    nodes = np.array([(depth, op, [1.0], [0.0]) for depth, op in rows], dtype=node_dtype())
    tall = Tree(nodes, "multiclass", ("x",), tuple(f"a long name {i}" for i in range(3)))
    short = Tree(nodes, "multiclass", ("x",), ("a", "b", "c"))
    turned = [
        sum("rotate(-90)" in t.attrib.get("transform", "") for t in drawing(x).iter(f"{SVG}text"))
        for x in (tall, short)
    ]
    assert turned == [3, 0]


def test_names_that_would_be_too_close_are_left_to_the_tooltips() -> None:
    wide = tree_of(200, ("x0", "x1"), None)
    assert [each.text for each in drawing(wide).iter(f"{SVG}text")] == ["prediction"]
    assert titles(wide, "circle").count("x1") == 100


def test_a_large_tree_is_only_told() -> None:
    large = tree_of(600, ("x0", "x1"), None)
    assert parsed(large).find(f"{SVG}svg") is None
    assert ", 602 nodes, depth 2); reads x0, x1" in (parsed(large).findtext("p") or "")


def test_no_drawing_library_is_loaded() -> None:
    code = (
        "import sys; from tests.helpers.report_runs import tree_of; before = 'matplotlib' in sys.modules; "
        "tree_of(3, ('a', 'b'), None)._repr_html_(); print(before, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
