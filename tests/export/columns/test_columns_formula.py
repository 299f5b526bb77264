"""Formulas and drawings of trees with columns: names as they are, and how each feature comes from its column."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.export import export_dot, export_latex, export_text
from neuraltree.export.formulas.formula import NUMERIC, formula
from neuraltree.inputs.encoders import Category, Flag, Number, Ordinal, Time
from neuraltree.inputs.encoding import feature_names
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, record
from tests.helpers.table_models import START, frame, plain_features, plain_numbers, table_models

sympy = pytest.importorskip("sympy", reason="a formula needs sympy: pip install 'neuraltree[export]'")

COLUMNS = (
    Number("plain"),
    Number("size", 12.5, indicator=True),
    Flag("on", 0.25),
    Category("kind", ("a_b", "50 %", "x\n")),
    Ordinal("grade", ("low", "high")),
    Time("when", START, parts=("hour", "month"), fill=60.0),
    Number("not read", 1.0),
)


def everything() -> Tree:
    names = feature_names(COLUMNS)
    rows = [(0, IDENTITY, 0.0, 0.0), *((1, i, 2.0, 0.0) for i in range(len(names) - 1))]
    return Tree(record(rows), "regression", names, columns=COLUMNS)


def test_the_text_says_how_features_come_from_columns() -> None:
    lines = export_text(everything()).splitlines()
    assert lines[2:] == [
        "size = the number, or 12.5 if size is missing",
        '"size is missing" = 1 if size is missing, else 0',
        "on = 1 for true, 0 for false, or 0.25 if on is missing",
        '"kind=a_b" = 1 if kind is a_b, else 0',
        '"kind=50 %" = 1 if kind is "50 %", else 0',
        '"kind=x\\n" = 1 if kind is "x\\n", else 0',
        "grade = 0 for low, 1 for high",
        "when = the seconds since 2026-01-05 00:00:00 UTC, or 60 if when is missing",
        '"when hour sin" = sin(2 pi t / 86400), where t is the seconds since 2026-01-05 00:00:00 UTC of when, '
        "or 0 if when is missing",
        '"when hour cos" = cos(2 pi t / 86400), where t is the seconds since 2026-01-05 00:00:00 UTC of when, '
        "or 0 if when is missing",
        '"when month sin" = sin(2 pi (t + 345600) / 31556952), where t is the seconds since 2026-01-05 00:00:00 UTC '
        "of when, or 0 if when is missing",
        '"when month cos" = cos(2 pi (t + 345600) / 31556952), where t is the seconds since 2026-01-05 00:00:00 UTC '
        "of when, or 0 if when is missing",
    ]


def test_latex_escapes_names_and_words() -> None:
    text = export_latex(everything())
    assert r"\text{kind=a\_b} &= \text{1 if kind is a\_b, else 0} \\" in text
    assert r"\text{kind=50 \%} &= \text{1 if kind is 50 \%, else 0} \\" in text
    assert r"\text{kind=x } &= \text{1 if kind is x , else 0} \\" in text
    assert "not read" not in text


def test_a_drawing_has_the_names() -> None:
    text = export_dot(everything())
    for name in ("size is missing", "kind=50 %", "when month cos"):
        assert f'tooltip="{name}"' in text


@pytest.mark.parametrize("i", range(5))
def test_the_formula_is_the_tree(i: int) -> None:
    tree, table = table_models(1)[i], frame(50, i)
    X = plain_features(tree, plain_numbers(tree, table))
    symbols = [sympy.Symbol(name) for name in tree.features]
    plain = {symbol: sympy.Symbol(f"x{place}") for place, symbol in enumerate(symbols)}
    outputs = [
        np.broadcast_to(sympy.lambdify([*plain.values()], each.xreplace(plain), [NUMERIC, "numpy"])(*X.T), (50,))
        for each in formula(tree)
    ]
    np.testing.assert_allclose(np.stack(outputs, axis=1), tree.outputs(table), rtol=1e-9, atol=1e-9)
