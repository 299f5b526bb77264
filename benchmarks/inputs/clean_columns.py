"""The truth of a made table: its columns as numbers and texts, and a target that depends on them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CITIES = ("Besançon", "Bonn", "Málaga", "Oslo", "São Paulo", "Zürich")
RARE = tuple(f"Ort {i}" for i in range(8))  # one row each, so that some are in test rows alone
TEXTS = ("pump, old", "pump; new", "valve | left", 'valve "right"')  # which hold separators and quotes
START = date(2024, 1, 1)
MISSING = frozenset(("", "NA", "?"))  # in files that are clean already
HOLES = {"temperature": 0.1, "city": 0.05, "active": 0.05, "day": 0.03}  # shares of cells


@dataclass(frozen=True, eq=False)
class Truth:
    """``columns``: each (rows,), numbers with NaN for a hole, or texts as Python objects with None for one. ``kinds``:
    how each is written, a key of ``messy_cells.FORMS``. ``y`` (rows,) is of the same form."""

    columns: dict[str, NDArray]
    kinds: Mapping[str, str]
    y: NDArray
    target: str = "target"

    def take(self, rows: NDArray[np.int64]) -> Truth:
        return replace(self, columns={name: cells[rows] for name, cells in self.columns.items()}, y=self.y[rows])

    def with_column(self, name: str, cells: NDArray, kind: str) -> Truth:
        """The table with one more column, the last one."""
        return replace(self, columns={**self.columns, name: cells}, kinds={**self.kinds, name: kind})

    def with_hole(self, name: str, rows: NDArray[np.int64]) -> Truth:
        """The table with holes in a column, or in the target."""
        if name == self.target:
            return replace(self, y=_holed(self.y, rows))
        return replace(self, columns={**self.columns, name: _holed(self.columns[name], rows)})


def holes(cells: NDArray) -> NDArray[np.bool_]:
    """(rows,) whether each cell is missing."""
    return np.equal(cells, None) if cells.dtype == object else np.isnan(cells)


def _holed(cells: NDArray, rows: NDArray[np.int64]) -> NDArray:
    found = cells.copy()
    found[rows] = None if cells.dtype == object else np.nan
    return found


def made_truth(rng: np.random.Generator, rows: int, classes: int) -> Truth:
    """A table of numbers, a share, a category, texts, truth values and days; ``classes``: 0 for a number to predict."""
    temperature, pressure = rng.normal(20, 5, rows).round(1), rng.normal(1000, 50, rows).round(1)
    load, share = rng.lognormal(10, 0.6, rows).round(), rng.random(rows).round(3)
    city, text = rng.integers(0, len(CITIES), rows), rng.integers(0, len(TEXTS), rows)
    active, day = rng.integers(0, 2, rows).astype(np.float64), rng.integers(0, 700, rows).astype(np.float64)
    effects = (
        (temperature - 20) / 5,
        (np.log(load) - 10) / 0.6 * (4 * share - 2),
        rng.normal(size=len(CITIES))[city],
        rng.normal(size=len(TEXTS))[text],
        active,
        np.sin(day / 200),
        0.4 * rng.normal(size=rows),
    )
    cities = np.array(CITIES, dtype=object)[city]
    cities[rng.choice(rows, len(RARE), replace=False)] = RARE
    columns = {
        "temperature": temperature,
        "pressure": pressure,
        "load": load,
        "share": share,
        "city": cities,
        "part": np.array(TEXTS, dtype=object)[text],
        "active": active,
        "day": day,
    }
    kinds = dict(zip(columns, ("number", "number", "whole", "share", "text", "text", "flag", "day"), strict=True))
    found = Truth(columns, kinds, _target(np.sum(effects, axis=0), classes))
    for name, part in HOLES.items():
        found = found.with_hole(name, np.flatnonzero(rng.random(rows) < part))
    return found


def wide_truth(rng: np.random.Generator, rows: int) -> Truth:
    """150 numbers, of which 15 have holes, 30 categories and 19 truth values, and two classes: 200 columns."""
    numbers = {f"number {i}": rng.normal(size=rows).round(1) for i in range(150)}
    levels = {f"level {i}": rng.integers(0, 2 + i % 11, rows) for i in range(30)}
    flags = {f"flag {i}": rng.integers(0, 2, rows).astype(np.float64) for i in range(19)}
    sum_of = numbers["number 3"] * 2 + numbers["number 70"] * numbers["number 140"] + flags["flag 5"]
    sum_of += rng.normal(size=13)[levels["level 20"]] + 0.4 * rng.normal(size=rows)
    texts = {name: np.array([f"L{code}" for code in codes], dtype=object) for name, codes in levels.items()}
    kinds = dict.fromkeys(numbers, "number") | dict.fromkeys(texts, "text") | dict.fromkeys(flags, "flag")
    found = Truth({**numbers, **texts, **flags}, kinds, _target(sum_of, 2))
    for name in [*numbers][::10]:
        found = found.with_hole(name, np.flatnonzero(rng.random(rows) < 0.1))
    return found


def _target(sum_of: NDArray[np.float64], classes: int) -> NDArray:
    if not classes:
        return (1000 + 100 * sum_of).round(1)
    borders = np.quantile(sum_of, np.arange(1, classes) / classes)
    return np.array([f"class {code}" for code in np.searchsorted(borders, sum_of)], dtype=object)


def days(value: float) -> date:
    """The date of a number in a column of days."""
    return START + timedelta(days=value)


def read_truth(path: Path, target: str) -> Truth:
    """A clean CSV file, in which columns hold either numbers or texts."""
    with path.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    columns = {name: _read([row[i] for row in rows]) for i, name in enumerate(names)}
    y = columns.pop(target)
    return Truth(columns, {}, y, target)


def _read(cells: list[str]) -> NDArray:
    try:
        return np.array([np.nan if cell in MISSING else float(cell) for cell in cells])
    except ValueError:
        return np.array([None if cell in MISSING else cell for cell in cells], dtype=object)
