"""Exported Python modules that take columns: the same bits as the tree on the same frames."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuraltree.export import export_python
from neuraltree.export.needed import needed
from neuraltree.inputs.encoders import Category, Column, Flag, Number, Ordinal, Time
from neuraltree.inputs.encoding import feature_names
from neuraltree.tree.tree import Tree
from tests.export.test_export_c import NASTY
from tests.export.test_export_python import module
from tests.helpers.random_models import IDENTITY, record
from tests.helpers.table_models import MONDAY, START, frame, plain_numbers, table_models

MODELS = table_models(4)


def same(found: dict[str, Any], tree: Tree, X: Any, table: Any) -> None:
    np.testing.assert_array_equal(found["outputs"](X), tree.outputs(table), strict=True)
    np.testing.assert_array_equal(found["predict"](X), tree.predict(table), strict=True)
    if tree.classes is not None:
        np.testing.assert_array_equal(found["predict_proba"](X), tree.predict_proba(table), strict=True)


@pytest.mark.parametrize("i", range(len(MODELS)))
def test_a_thousand_rows_with_holes_and_unknown_levels(i: int) -> None:
    """From cells by name, from a frame of pandas, and from the numbers of columns."""
    pandas = pytest.importorskip("pandas")
    tree, table = MODELS[i], frame(1000, i)
    found = module(export_python(tree))
    same(found, tree, table, table)
    same(found, tree, pandas.DataFrame(table), table)
    same(found, tree, plain_numbers(needed(tree), table), table)


@pytest.mark.parametrize("i", range(0, len(MODELS), 3))
def test_a_module_checks_itself(i: int, tmp_path: Path) -> None:
    text = export_python(MODELS[i])
    for name, content, wanted in (
        ("right", text, 0),
        ("wrong", text.replace("    OUTPUTS = ", "    OUTPUTS = 1 + "), 1),
    ):
        (tmp_path / f"{name}.py").write_text(content)
        done = subprocess.run(
            [sys.executable, "-I", str(tmp_path / f"{name}.py")], capture_output=True, text=True, check=False
        )
        assert done.returncode == wanted, done.stderr
        assert done.stdout == f"{6 * (1 - wanted)} of 6 rows are right\n"


def sum_of(columns: tuple[Column, ...]) -> Tree:
    names = feature_names(columns)
    rows = [(0, IDENTITY, 0.0, 0.0), *((1, i, 2.0**i, 0.0) for i in range(len(names)))]
    return Tree(record(rows), "regression", names, columns=columns)


ZONED = datetime(2026, 1, 5, 7, 30, tzinfo=timezone(timedelta(hours=1)))
CELLS: list[tuple[Column, list[Any]]] = [
    (Number("a", 2.0, indicator=True), [1, 2.5, None, float("nan"), "1e3", True]),
    (Number("a"), np.array([timedelta(days=1), timedelta(seconds=3)], dtype="timedelta64[ms]")),  # type: ignore[list-item]
    (Flag("a", 0.5), [True, "Ja", "no", 1, 0.0, None, " FALSE "]),
    (Category("a", ("1", "True", "x"), missing=True), [1, 1.0, "1", True, "x ", "", "?", 7, None, 1.5]),
    (Ordinal("a", ("1", "2")), ["2", 1, 2.0]),
    (Time("a", START, parts=("month",)), [MONDAY, date(2026, 3, 1), "2026-01-05 07:30+01:00", ZONED, "2026-02-03"]),
    (Time("a", START), np.array(["2026-01-05T01", "2027-01-01"], dtype="datetime64[ns]")),  # type: ignore[list-item]
    (Time("a", START, fill=1.0), [datetime(2026, 1, 5, 1, tzinfo=UTC), None]),
    (Time("a", START, "%m/%d/%Y"), ["12/31/2026"]),
]


@pytest.mark.parametrize(("column", "cells"), CELLS)
def test_cells_of_any_kind_are_read_as_the_tree_reads_them(column: Column, cells: Any) -> None:
    tree = sum_of((column,))
    same(module(export_python(tree)), tree, {"a": cells}, {"a": cells})


@pytest.mark.parametrize(
    ("column", "X", "message"),
    [
        (Number("a"), {"a": [1, None]}, "column 'a', row 1 from 0: the cell is missing or infinite"),
        (Number("a", 1.0), {"a": [1, np.inf]}, "row 1 from 0: the cell is missing or infinite"),
        (Number("a"), {"a": ["x"]}, "column 'a', row 0 from 0: 'x' cannot be read"),
        (Number("a"), {"b": [1]}, "there is no column 'a'"),
        (Number("a"), [[1.0, 2.0]], r"X has shape \(1, 2\); the tree needs \(rows, 1\)"),
        (Flag("a"), {"a": ["perhaps"]}, "'perhaps' cannot be read"),
        (Ordinal("a", ("x", "y")), {"a": ["z"]}, "'z' cannot be read"),
        (Time("a", START), {"a": [7]}, "7 cannot be read"),
        (Time("a", START), {"a": ["5.1.2026"]}, "'5.1.2026' cannot be read"),
    ],
)
def test_what_a_column_cannot_have_is_refused(column: Column, X: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        module(export_python(sum_of((column,))))["predict"](X)


def test_names_and_levels_are_only_ever_names() -> None:
    columns = (
        *(Number(name) for name in NASTY),
        Category("levels", tuple(NASTY), missing=True),
        Ordinal("o", ('"""', "'")),
    )
    tree = sum_of(columns)
    text = export_python(tree)
    assert text.isascii()
    table = {name: [1.5, 2.5] for name in NASTY} | {"levels": ["*/", None], "o": ['"""', "'"]}
    same(module(text), tree, table, table)
