"""Trees with columns of every encoder, rows of raw cells with holes and unknown levels, and the features by hand."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from neuraltree.inputs.encoders import Category, Column, Flag, Number, Ordinal, Time
from neuraltree.tree.generate import random_tree
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import ALL

MONDAY = datetime(2026, 1, 5)
START = (MONDAY - datetime(1970, 1, 1)).total_seconds()
DAY = 86_400.0
Frame = dict[str, list[Any]]

COLUMNS: tuple[Column, ...] = (
    Number("size", 12.5, indicator=True),
    Number("weight"),
    Number("pressure, Pa", 101_325.25),
    Flag("smoker", 0.3),
    Flag("alive"),
    Category("species", ("Adelie", "Gentoo", 'the "third" */'), missing=True),
    Category("sex", ("f", "m"), complete=True),
    Ordinal("grade", ("low", "mid", "high"), 1.25),
    Ordinal("step", ("1", "2")),
    Time("when", START, parts=("hour", "weekday", "month"), fill=1e6),
    Time("since", START + 3600.0, "%d.%m.%Y %H:%M"),
)
# By column: the cells that its rows draw from; None is a hole.
TEXTS = {
    "smoker": (True, False, "yes", "no", None),
    "alive": (True, False),
    "species": ("Adelie", " Gentoo", 'the "third" */', "Chinstrap", "other", None),
    "sex": ("f", "m", "m", "?", None),
    "grade": ("low", "mid", "high", None),
    "step": ("1", 2, 1.0, "2"),
}


def frame(rows: int, seed: int = 0) -> Frame:
    """Cells by column; numbers and times are exact in single floats."""
    rng = np.random.default_rng(seed)
    hole = rng.random((3, rows)) < 0.1

    def some(values: np.ndarray, at: int) -> list[Any]:
        return [None if is_hole else value for is_hole, value in zip(hole[at].tolist(), values.tolist(), strict=True)]

    days = rng.integers(-10 * 86_400, 150 * 86_400, rows)
    times = np.array([MONDAY + timedelta(seconds=int(second)) for second in days], dtype=object)
    made: Frame = {
        "size": some(rng.normal(10, 4, rows).astype(np.float32).astype(float), 0),
        "weight": rng.normal(0, 1, rows).astype(np.float32).tolist(),
        "pressure, Pa": some(rng.normal(101_325, 60, rows).astype(np.float32).astype(float), 1),
        "when": [None if is_hole else time for is_hole, time in zip(hole[2].tolist(), times, strict=True)],
        "since": [
            (MONDAY + timedelta(minutes=int(m))).strftime("%d.%m.%Y %H:%M") for m in rng.integers(0, 90_000, rows)
        ],
    }
    for name, cells in TEXTS.items():
        made[name] = [cells[i] for i in rng.integers(0, len(cells), rows).tolist()]
    return made


def plain_numbers(tree: Tree, table: Frame) -> np.ndarray:
    """(rows, columns) the number of each cell, cell by cell."""
    assert tree.columns is not None
    return np.array([[_number(column, cell) for cell in table[column.name]] for column in tree.columns]).T


def _number(column: Column, cell: Any) -> float:
    if cell is None:
        return math.nan
    if isinstance(column, Number):
        return float(cell)
    if isinstance(column, Flag):
        return float(cell in (True, "yes"))
    if isinstance(column, Time):
        time = datetime.strptime(cell, "%d.%m.%Y %H:%M") if isinstance(cell, str) else cell
        return (time - datetime(1970, 1, 1)).total_seconds() - column.start
    text = str(int(cell)) if isinstance(cell, int | float) else cell.strip()
    levels: list[str] = list(column.levels)  # type: ignore[attr-defined]
    return float(levels.index(text) if text in levels else len(levels))


def plain_features(tree: Tree, numbers: np.ndarray) -> np.ndarray:
    """(rows, features) from the numbers of the columns, number by number."""
    assert tree.columns is not None
    return np.array(
        [
            [value for column, x in zip(tree.columns, row, strict=True) for value in _features(column, x)]
            for row in numbers.tolist()
        ]
    )


def _features(column: Column, x: float) -> list[float]:
    missing = math.isnan(x)
    if isinstance(column, Category):
        levels = [float(x == i) for i in range(len(column.levels))]
        return levels[1:] if column.complete and len(levels) == 2 else levels + [float(missing)] * column.missing
    fill: float | None = column.fill  # type: ignore[attr-defined]
    value = [fill if missing and fill is not None else x]
    if isinstance(column, Number):
        return value + [float(missing)] * column.indicator
    if isinstance(column, Time):
        for part in column.parts:
            period, offset = {"hour": (DAY, 0.0), "weekday": (7 * DAY, 0.0), "month": (365.2425 * DAY, 4 * DAY)}[part]
            turns = math.fmod(x + offset, period) / period
            value += [0.0, 0.0] if missing else [math.sin(math.tau * turns), math.cos(math.tau * turns)]
    return value


def table_model(seed: int, kind: str = "regression", output: str = "identity", outputs: int = 1) -> Tree:
    """A tree of up to 80 nodes that reads some of the columns; its scaler is that of rows of ``frame``."""
    rng = np.random.default_rng(seed)
    names = tuple(feature.name for column in COLUMNS for feature in column.features)
    space = Space(len(names), outputs, ALL, output, max_nodes=80, max_depth=int(rng.integers(1, 5)), max_arity=6)
    nodes = random_tree(rng, space).copy()
    nodes["weight"][rng.random(len(nodes)) < 0.05] = 0.0
    bare = Tree(
        nodes,
        kind,
        names,
        None if kind == "regression" else tuple(f"class {i}" for i in range(max(outputs, 2))),
        columns=COLUMNS,
    )
    X = plain_features(bare, plain_numbers(bare, frame(400, seed)))
    target = Scaler(rng.normal(scale=100, size=1), np.exp(rng.normal(size=1))) if kind == "regression" else None
    reach = np.exp(rng.normal(loc=1, scale=0.3, size=len(names))) if seed % 2 else None
    return Tree(nodes, kind, names, bare.classes, Scaler.fit(X), target, reach, columns=COLUMNS)


KINDS = (
    ("regression", "identity", 1),
    ("regression", "sine", 1),
    ("binary", "identity", 1),
    ("multiclass", "identity", 3),
    ("multiclass", "sigmoid", 4),
)


def table_models(count: int) -> list[Tree]:
    """``count`` trees of each row of ``KINDS``."""
    return [table_model(100 * i + row, *KINDS[row]) for i in range(count) for row in range(len(KINDS))]
