"""Formulas: equal to the tree in numbers, right to their digits, and read as what they say."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from neuraltree.activations import ACTIVATIONS, NAMES
from neuraltree.export import export_latex, export_text
from neuraltree.export.formulas.formula import NUMERIC, expanded, formula
from neuraltree.export.formulas.rounding import rounded
from neuraltree.tree.prediction import evaluate
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.export.test_export_onnx import ODD, several
from tests.helpers.oracle import FUNCTIONS
from tests.helpers.random_models import (
    GAUSSIAN,
    IDENTITY,
    RELU,
    SIGMOID,
    TANH,
    models,
    raw_inputs,
    record,
    regression,
    scaler,
)
from tests.helpers.strategies import steady, trees, unit

sympy = pytest.importorskip("sympy", reason="formulas need sympy: pip install 'neuraltree[export]'")


def computed(tree: Tree, X: np.ndarray) -> np.ndarray:
    """(rows, outputs) by lambdify."""
    symbols = sympy.symbols(f"v0:{len(tree.features)}")  # a feature may be called like a function
    named = dict(zip(map(sympy.Symbol, tree.features), symbols, strict=True))
    columns = []
    for expression in formula(tree):
        function = sympy.lambdify(symbols, expression.xreplace(named), [NUMERIC, "numpy"])
        columns.append(np.broadcast_to(function(*X.T), len(X)))
    return np.stack(columns, axis=1)


def near(tree: Tree, X: np.ndarray, values: np.ndarray, within: float) -> None:
    """In units of the target's scale."""
    outputs = tree.outputs(X)
    size = 1.0 if tree.target_scaler is None else tree.target_scaler.scale
    assert (np.abs(values - outputs) <= within * (size + np.abs(outputs))).all()


@pytest.mark.parametrize("part", range(6))
def test_full_digits_are_equal(part: int) -> None:
    for seed, tree in enumerate(models(2)[part::6]):
        X = raw_inputs(tree, 60, seed)[ODD:].astype(np.float64)
        near(tree, X, computed(tree, X), 1e-9)


@hypothesis_settings(steady, max_examples=25)
@given(trees(values=unit, max_targets=3))
def test_any_tree_with_any_names(tree: Tree) -> None:
    X = np.random.default_rng(0).normal(size=(4, len(tree.features)))
    near(tree, X, computed(tree, X), 1e-9)
    for write in (export_text, export_latex):
        assert write(tree).isprintable() or set(write(tree)) - set("\n") == set(filter(str.isprintable, write(tree)))


@pytest.mark.parametrize("code", range(len(NAMES)), ids=NAMES)
def test_each_activation_and_its_definition(code: int) -> None:
    tree = regression([(0, ~code, 0.0, 0.25), (1, ~code, 1.5, -0.5), (2, 0, 2.0, 0.0)])
    (expression,) = formula(tree)
    f = FUNCTIONS[code]
    for x in np.linspace(-3, 3, 13).tolist():
        wanted = f(1.5 * f(2.0 * x - 0.5) + 0.25)
        assert computed(tree, np.array([[x]])) == pytest.approx(wanted, rel=1e-12, abs=1e-12)
        assert float(expanded(expression).subs(sympy.Symbol("x0"), x)) == pytest.approx(wanted, rel=1e-12, abs=1e-12)
    assert not expanded(expression).atoms(sympy.core.function.AppliedUndef)


def test_several_targets_are_several_expressions() -> None:
    a, b = sympy.symbols("a b")
    first, second, third = formula(several())
    assert [first.free_symbols, second.free_symbols, third.free_symbols] == [{a}, {b}, {b}]
    assert float(first.subs(a, 3)) == pytest.approx(100 + 7 * 6.5)
    text = export_text(several())
    assert text.splitlines()[1:] == ["y[0] = 14.0*a + 103.5", "y[1] = 0.3*tanh(1.0*b + 0.1) - 1.1", "y[2] = 1.0*b"]


def flower() -> Tree:
    rows = [(0, IDENTITY, 0.0, 0.123456), (1, 0, 1.23456, 0.0), (1, RELU, -0.98764, 0.5), (2, 1, 3.14159, 0.0)]
    return Tree(
        record(rows), "binary", ("petal width (cm)", "n_2"), ("no", "very nice"), scaler([2.0, 0.0], [0.5, 1.0])
    )


def test_the_text() -> None:
    assert export_text(flower()) == (
        "# binary: 2 inputs, 5 weights. Written by neuraltree; do not edit.\n"
        'z = 2.469*"petal width (cm)" - 0.9876*relu(3.142*n_2 + 0.5) - 4.815\n'
        "P(no) = 1 / (1 + exp(z))\n"
        'P("very nice") = 1 / (1 + exp(-z))\n'
        "relu(s) = max(0, s)\n"
    )


def test_the_latex() -> None:
    assert export_latex(flower(), digits=2) == (
        "% binary: 2 inputs, 5 weights. Written by neuraltree; do not edit.\n"
        "\\begin{align*}\n"
        "z &= 2.5 \\cdot \\text{petal width (cm)} "
        "- 0.99 \\cdot \\operatorname{relu}{\\left(3.1 \\cdot \\text{n\\_2} + 0.5 \\right)} - 4.9 \\\\\n"
        "P(\\text{no}) &= \\frac{1}{1 + e^{z}} \\\\\n"
        "P(\\text{very nice}) &= \\frac{1}{1 + e^{-z}} \\\\\n"
        "\\operatorname{relu}(s) &= \\max(0, s)\n"
        "\\end{align*}\n"
    )


def test_the_threshold_is_said_if_it_is_not_one_half() -> None:
    tree = replace(flower(), threshold=0.2)
    said = 'class = "very nice" if P("very nice") > 0.2, else no'
    assert export_text(tree).replace(f"{said}\n", "") == export_text(flower())
    assert said in export_text(tree).splitlines()
    said = (
        r"\text{class} &= \begin{cases} \text{very nice} & \text{if } P(\text{very nice}) > 0.2 \\ "
        r"\text{no} & \text{otherwise} \end{cases} \\"
    )
    assert export_latex(tree).replace(f"{said}\n", "") == export_latex(flower())
    assert said in export_latex(tree).splitlines()


@pytest.mark.parametrize(
    ("output", "text", "latex"),
    [
        (IDENTITY, "P(b) = exp(z[1]) / (exp(z[0]) + ... + exp(z[1]))", r"\frac{e^{z_{1}}}{\sum_{j=0}^{1} e^{z_j}}"),
        (SIGMOID, "P(b) = z[1] / (z[0] + ... + z[1])", r"\frac{z_{1}}{\sum_{j=0}^{1} z_j}"),
    ],
)
def test_what_outputs_of_classes_mean(output: int, text: str, latex: str) -> None:
    rows = [row for k in range(2) for row in ((0, output, 0.0, 0.5), (1, k, 1.0, 0.0))]
    tree = Tree(record(rows), "multiclass", ("u", "v"), ("a", "b"))
    assert text in export_text(tree).splitlines()
    assert rf"P(\text{{b}}) &= {latex}" in export_latex(tree)


def read(text: str, names: tuple[str, ...], X: np.ndarray) -> np.ndarray:
    """The values of the lines y, z, y[k] and z[k] of a text, read as Python by hand."""
    found = []
    meanings: dict[str, Any] = {
        "relu": lambda s: np.maximum(s, 0),
        "sigmoid": lambda s: 1 / (1 + np.exp(-s)),
        "gaussian": lambda s: np.exp(-s * s),
        "tanh": np.tanh,
        "sin": np.sin,
    }
    meanings |= {row.formula: row.value for row in ACTIVATIONS if row.formula not in meanings}
    for line in text.splitlines():
        if found_line := re.fullmatch(r"[yz](?:\[\d+\])? = (.*)", line):
            value = eval(found_line[1], {**meanings, **dict(zip(names, X.T, strict=True))})
            found.append(np.broadcast_to(value, len(X)))
    return np.stack(found, axis=1)


def test_the_text_with_all_digits_is_the_tree() -> None:
    for seed, tree in enumerate(models(2)):
        X = raw_inputs(tree, 60, seed)[ODD:].astype(np.float64)
        X = X[np.isfinite(tree.outputs(X)).all(axis=1)]
        near(tree, X, read(export_text(tree, 17), tree.features, X), 1e-6)


def test_digits_are_as_many_as_asked_for() -> None:
    """The text is the rounded tree; with each digit more it is about ten times nearer to the tree."""
    rows = [
        (0, IDENTITY, 0.0, 0.1234567),
        (1, TANH, 1.5432198, 0.2345678),
        (2, 0, 0.7654321, 0.0),
        (1, 1, 0.345678, 0.0),
    ]
    tree = regression(rows, scaler=scaler([3.0, -2.0], [0.5, 4.0]), target_scaler=scaler(10.0, 5.0))
    X = np.random.default_rng(0).normal([3.0, -2.0], [0.5, 4.0], size=(100, 2))
    for digits in range(1, 12):
        values = read(export_text(tree, digits), tree.features, X)
        np.testing.assert_allclose(values, evaluate(rounded(tree, digits), X), rtol=1e-12)
        assert np.abs(values - tree.outputs(X)).max() < 5 * 5 * 10.0**-digits * 4


def test_few_digits_far_from_zero() -> None:
    """1e6 ± 1 with 4 digits: a constant that is rounded like a weight would be off by 500."""
    rows = [(0, IDENTITY, 0.0, 0.1), (1, TANH, 1.5, 0.2), (2, 0, 0.7, 0.0), (1, 1, 0.3, 0.0)]
    tree = regression(rows, scaler=Scaler(np.array([1e6 + 0.3, -2e6]), np.array([1.3, 0.7])))
    X = np.array([1e6, -2e6]) + np.random.default_rng(0).uniform(-1, 1, size=(50, 2))
    values = read(export_text(tree), tree.features, X)
    assert 0 < np.abs(values - tree.outputs(X)).max() < 1e-3


def test_a_sum_within_a_sum_keeps_its_brackets_and_digits() -> None:
    rows = [(0, IDENTITY, 0.0, 0.25), (1, IDENTITY, 1.234, 0.567), (2, 0, 0.8912, 0.0), (2, 1, -0.3333, 0.0)]
    assert export_text(regression(rows)).splitlines()[1] == "y = 1.234*(0.8912*x0 - 0.3333*x1 + 0.567) + 0.25"


def test_repeated_inputs_edges_of_zero_and_constants_are_gone() -> None:
    rows = [
        (0, IDENTITY, 0.0, 0.5),
        (1, 0, 0.1, 0.0),
        (1, 0, 0.2, 0.0),
        (1, 1, 0.0, 0.0),
        (1, GAUSSIAN, 2.0, 0.0),
        (2, 1, 0.0, 0.0),
    ]
    assert export_text(regression(rows)).splitlines()[1] == "y = 0.3*x0 + 2.5"


@pytest.mark.parametrize(
    ("name", "text", "latex"),
    [
        ("a_b", "a_b", r"\text{a\_b}"),
        ("x 1", '"x 1"', r"\text{x 1}"),
        ("50% $x$", '"50% $x$"', r"\text{50\% \$x\$}"),
        ("a\\b{c}", '"a\\\\b{c}"', r"\text{a\textbackslash{}b\{c\}}"),
        ("#&~^", '"#&~^"', r"\text{\#\&\textasciitilde{}\textasciicircum{}}"),
        ("<|>", '"<|>"', r"\text{\textless{}\textbar{}\textgreater{}}"),
        ("a\nb", '"a\\nb"', r"\text{a b}"),
        ('say "x"', '"say \\"x\\""', r'\text{say "x"}'),
        ("\ud800\u2028", '"\\ud800\\u2028"', r"\text{  }"),
        ("größe", "größe", r"\text{größe}"),
        ("tanh", '"tanh"', r"\text{tanh}"),
        ("z", '"z"', r"\text{z}"),
        ("", '""', r"\text{}"),
        ("{k}", '"{k}"', r"\text{\{k\}}"),
    ],
)
def test_names(name: str, text: str, latex: str) -> None:
    tree = Tree(record([(0, IDENTITY, 0.0, 0.5), (1, 0, 2.0, 0.0)]), "binary", (name,), (name, name + "!"))
    assert f"z = 2.0*{text} + 0.5" in export_text(tree).splitlines()
    assert f"P({text}) = 1 / (1 + exp(z))" in export_text(tree).splitlines()
    assert f"z &= 2.0 \\cdot {latex} + 0.5 \\\\" in export_latex(tree).splitlines()
    assert f"P({latex}) &= \\frac{{1}}{{1 + e^{{z}}}} \\\\" in export_latex(tree).splitlines()


@hypothesis_settings(steady, max_examples=100)
@given(st.text(alphabet=st.sampled_from("\\{}_%$#&~^<>|\n ab\u2028"), max_size=12))
def test_latex_names_hold_no_commands(name: str) -> None:
    """Without the escapes that stand for one letter each, nothing special is left, and the letters are the name's."""
    tree = Tree(record([(0, IDENTITY, 0.0, 0.5), (1, 0, 2.0, 0.0)]), "regression", (name,))
    line = export_latex(tree).splitlines()[2]
    inner = line.removeprefix("y &= 2.0 \\cdot \\text{").removesuffix("} + 0.5")
    letters = {r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^"}
    letters |= {r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|"}
    tokens = re.findall(r"\\text[a-z]+\{\}|\\[#$%&_{}]|[^\\{}_%$#&~^<>|]", inner)
    assert "".join(tokens) == inner
    plain = "".join(letters.get(token, token[-1]) for token in tokens)
    assert plain == re.sub(r"[\n\u2028]", " ", name)


@pytest.mark.parametrize("digits", [0, -1, 18])
def test_digits_out_of_range_are_refused(digits: int) -> None:
    for write in (export_text, export_latex):
        with pytest.raises(ValueError, match=f"digits is {digits}; a formula has 1 to 17"):
            write(flower(), digits)


def test_deep_trees_are_written_and_too_deep_ones_refused() -> None:
    """In little time: SymPy's own tanh takes years for 60 of them."""
    chain = [(0, IDENTITY, 0.0, 0.1), *((d, TANH, 1.3, 0.1) for d in range(1, 600)), (600, 0, 1.0, 0.0)]
    short = regression([*chain[:60], (60, 0, 1.0, 0.0)])
    X = np.array([[0.5], [-2.0]])
    near(short, X, read(export_text(short, 17), short.features, X), 1e-9)
    for make in (export_text, export_latex):
        with pytest.raises(ValueError, match="a tree 600 levels deep is too deep for a formula; export it as python"):
            make(regression(chain))


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    for make in (formula, export_text, export_latex):
        with pytest.raises(ValueError, match=r"a formula needs the package sympy: pip install 'neuraltree\[export\]'"):
            make(flower())


def test_numbers_of_any_size() -> None:
    tree = regression([(0, IDENTITY, 0.0, 1e-12), (1, 0, 1.5e20, 0.0), (1, TANH, 2.5e-9, 1e9), (2, 1, -3.25, 0.0)])
    X = np.array([[1e-20, 2.0], [-3e-20, -1e9]])
    np.testing.assert_allclose(read(export_text(tree, 6), tree.features, X), tree.outputs(X), rtol=1e-5)
    assert "1.5 \\cdot 10^{20}" in export_latex(tree)
    assert math.isfinite(float(expanded(formula(tree)[0]).subs({"x0": 1, "x1": 2})))
