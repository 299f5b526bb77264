"""Exported Python modules: the same bits as the tree, and names that are only ever names."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from neuraltree.activations import NAMES
from neuraltree.export import export_python
from neuraltree.tree.tree import Tree
from tests.export.test_export_onnx import several
from tests.helpers.oracle import FUNCTIONS
from tests.helpers.random_models import IDENTITY, edge_models, models, raw_inputs, record, regression
from tests.helpers.strategies import steady, trees, unit


def module(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported", "exec"), names)
    return names


def same(tree: Tree, X: np.ndarray) -> None:
    names = module(export_python(tree))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(names["outputs"](X), tree.outputs(X), strict=True)
        np.testing.assert_array_equal(names["predict"](X), tree.predict(X), strict=True)
        if tree.classes is None:
            assert "predict_proba" not in names
        else:
            np.testing.assert_array_equal(names["predict_proba"](X), tree.predict_proba(X), strict=True)


@pytest.mark.parametrize("part", range(6))
def test_random_models_are_the_same_bits(part: int) -> None:
    """Infinities and NaN included."""
    for seed, tree in enumerate(models(12)[part::6]):
        same(tree, raw_inputs(tree, 100, seed).astype(np.float64))


@pytest.mark.parametrize("name", edge_models())
def test_edge_models_are_the_same_bits(name: str) -> None:
    tree = edge_models()[name]
    same(tree, raw_inputs(tree, 60).astype(np.float64))


def test_several_targets() -> None:
    same(several(), np.random.default_rng(0).normal(size=(20, 2)))


def test_a_node_with_more_children_than_python_takes_in_one_sum() -> None:
    rng = np.random.default_rng(0)
    tree = regression([(0, IDENTITY, 0.0, 0.1), *((1, 0, float(w), 0.0) for w in rng.normal(size=20_000))])
    same(tree, rng.normal(size=(3, 1)))


@pytest.mark.parametrize("code", range(len(NAMES)), ids=NAMES)
def test_each_activation(code: int) -> None:
    tree = regression([(0, ~code, 0.0, 0.25), (1, ~code, 1.5, -0.5), (2, 0, 2.0, 0.0)])
    X = np.linspace(-3, 3, 13)[:, None]
    f = FUNCTIONS[code]
    wanted = [f(1.5 * f(2.0 * x - 0.5) + 0.25) for (x,) in X.tolist()]
    np.testing.assert_allclose(module(export_python(tree))["predict"](X), wanted, rtol=1e-12, atol=1e-12)


def test_the_text() -> None:
    rows = [(0, IDENTITY, 0.0, -0.5), (1, 0, 2.0, 0.0), (1, ~1, -3.0, 0.25), (2, 1, 0.1, 0.0)]
    text = export_python(Tree(record(rows), "binary", ("width, cm", "größe"), ("no", 'the "yes"')), "flower")
    for line in (
        '"""flower: a neural tree, binary: 2 inputs, 5 weights. Written by neuraltree; do not edit.',
        "  0 width, cm",
        "  1 the 'yes'",
        "    'gr\\xf6\\xdfe',",
        "    x0 = X[:, 0]  # width, cm",
        "    n2 = np.tanh(0.1 * x1 + 0.25)",
        "    n0 = -3.0 * n2 + 2.0 * x0 - 0.5",
        "    return np.stack([n0], axis=1)",
    ):
        assert line in text.splitlines()
    assert "neuraltree" not in {name for node in ast.walk(ast.parse(text)) for name in _imports(node)}
    assert text.isascii()
    assert export_python(models(1)[4]) == export_python(models(1)[4])


def test_the_threshold_stands_in_the_text_if_it_is_not_one_half() -> None:
    tree = edge_models()["threshold_low"]
    assert "above = ~(outputs(X)[:, 0] <= -1.3862943649291992)  # the logit of 0.2, as a" in export_python(tree)
    assert "the first of equal outputs wins" in export_python(replace(tree, threshold=0.5))


def _imports(node: ast.AST) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []


def test_the_shape_of_the_input_is_checked() -> None:
    names = module(export_python(regression([(0, IDENTITY, 0.0, 0.0), (1, 1, 1.0, 0.0)])))
    for X in ([1.0, 2.0], [[1.0]], [[[1.0, 2.0]]]):
        with pytest.raises(ValueError, match=r"the tree needs \(rows, 2\)"):
            names["predict"](X)
    assert names["predict"](np.zeros((0, 2))).shape == (0,)


hostile = st.sampled_from(
    [
        '"""',
        "'''",
        "\\",
        '\\"',
        "\n",
        "\r",
        "\x0c",
        "\u2028",
        "\x85",
        "\x00",
        "{",
        "}",
        "{0}",
        "%s",
        "#",
        "\nimport os\n",
        "');raise SystemExit('",
        '"""\nraise SystemExit\n"""',
        "\ud800",
        "\N{FULLWIDTH QUOTATION MARK}",
    ]
)
hostile_texts = st.lists(hostile | st.text(max_size=3), max_size=4).map("".join)


@hypothesis_settings(steady, max_examples=200)
@given(
    st.lists(hostile_texts, min_size=2, max_size=2, unique=True),
    st.lists(hostile_texts, min_size=2, max_size=2, unique=True),
)
def test_names_are_data(features: list[str], classes: list[str]) -> None:
    """The module is the same code as with harmless names, its constants are the names, and it does nothing else."""
    nodes = record([(0, IDENTITY, 0.0, 0.1), (1, 0, 2.0, 0.0), (1, 1, -1.0, 0.0)])
    text = export_python(Tree(nodes, "binary", tuple(features), tuple(classes)))
    harmless = export_python(Tree(nodes, "binary", ("a", "b"), ("c", "d")))
    assert _shape(text) == _shape(harmless)
    names = module(text)
    assert names["FEATURES"] == tuple(features)
    assert names["CLASSES"] == tuple(classes)


def _shape(text: str) -> str:
    """The syntax tree without its strings."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@hypothesis_settings(steady, max_examples=60)
@given(trees(values=unit, max_targets=3))
def test_any_tree_with_any_names(tree: Tree) -> None:
    same(tree, np.random.default_rng(0).normal(size=(4, len(tree.features))))


@pytest.mark.parametrize("name", ["class", "a b", "", "1st", "a.b", "naïve", 'x"""'])
def test_a_name_that_no_module_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a Python module"):
        export_python(models(1)[0], name)


@pytest.mark.parametrize("which", range(6))
def test_run_it_checks_itself(which: int, tmp_path: Path) -> None:
    """With NumPy alone, in a process of its own; and it fails where a number is wrong."""
    text = export_python(models(1)[which])
    path = tmp_path / "model.py"
    path.write_text(text)
    done = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "6 of 6 rows are right\n", "")
    head, marker, tail = text.rpartition("    return np.stack([")
    path.write_text(head + "    n0 = n0 + 1e-3\n" + marker + tail)
    done = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "0 of 6 rows are right\n")
