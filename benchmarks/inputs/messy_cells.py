"""Cells and lines of a text file as people write them, and the faults that tables have."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.inputs.clean_columns import Truth, days, holes

TWICE, UNTOLD, TEXTS = 12, 9, 10  # repeated rows, rows without a target, texts among numbers
Cells = list[tuple[str, list[str]]]  # the columns of a file: name and cells


class Style(NamedTuple):
    """How a file is written. ``words`` are true and false, ``hole`` is a missing cell, ``parts`` counts the files."""

    separator: str = ","
    decimal: str = "."
    thousands: str = ""
    percent: bool = False
    encoding: str = "utf-8"
    ending: str = ".csv"
    words: tuple[str, str] = ("true", "false")
    day: str = "%Y-%m-%d"
    hole: str = ""
    header: bool = True
    parts: int = 1


def _number(value: float, style: Style, decimals: int = 1) -> str:
    marks = {",": style.thousands, ".": style.decimal}
    return "".join(marks.get(letter, letter) for letter in f"{value:,.{decimals}f}")


FORMS: dict[str, Callable[[Any, Style], str]] = {
    "number": _number,
    "whole": lambda value, style: _number(value, style, 0),
    "share": lambda value, style: f"{_number(100 * value, style)} %" if style.percent else _number(value, style, 3),
    "text": lambda value, style: value,
    "flag": lambda value, style: style.words[value == 0],
    "day": lambda value, style: f"{days(value):{style.day}}",
}


def cells_of(truth: Truth, style: Style) -> Cells:
    """The cells of the columns and, last, of the target."""
    kinds = {**truth.kinds, truth.target: "text" if truth.y.dtype == object else "number"}
    columns = {**truth.columns, truth.target: truth.y}
    return [
        (
            name,
            [
                style.hole if hole else FORMS[kinds[name]](value, style)
                for value, hole in zip(values.tolist(), holes(values).tolist(), strict=True)
            ],
        )
        for name, values in columns.items()
    ]


class Fault(NamedTuple):
    """A fault, made in three steps, of which it has some: in the truth, in the cells, in the lines of a file.

    ``note``: what a note of the program says of it; "" if there is none, because nothing is lost.
    """

    note: str = ""
    truth: Callable[[Truth, np.random.Generator], Truth] = lambda truth, rng: truth
    cells: Callable[[Cells], Cells] = lambda cells: cells
    lines: Callable[[list[str], Style], list[str]] = lambda lines, style: lines


def _some(truth: Truth, rng: np.random.Generator, count: int) -> np.ndarray:
    return np.sort(rng.choice(len(truth.y), count, replace=False))


def _repeated(truth: Truth, rng: np.random.Generator) -> Truth:
    """Some rows stand at the end once more; none that lost a cell or its target to another fault."""
    whole = np.flatnonzero(~holes(truth.y) & ~holes(truth.columns["pressure"]))
    return truth.take(np.r_[np.arange(len(truth.y)), rng.choice(whole, TWICE, replace=False)])


def _remarked(truth: Truth, rng: np.random.Generator) -> Truth:
    """One row in 20 has a remark."""
    remarks = [("good", "bad")[i // 20 % 2] if i % 20 == 0 else None for i in range(len(truth.y))]
    return truth.with_column("remark", np.array(remarks, dtype=object), "text")


def _added(name: str, cell: Callable[[int], str], place: int) -> Callable[[Cells], Cells]:
    """A column of the cells of rows from 0, at a place."""
    return lambda cells: [*cells[:place], (name, [cell(i) for i in range(len(cells[0][1]))]), *cells[place:]]


def _renamed(cells: Cells) -> Cells:
    return [("temperature" if name == "pressure" else name, column) for name, column in cells]


def _texts(cells: Cells) -> Cells:
    """Holes of the pressure, whatever they are written as, become a text."""
    marked = [(name, [cell if cell[:1].isdigit() else "n.d." for cell in column]) for name, column in cells]
    return [pair if pair[0] != "pressure" else mark for pair, mark in zip(cells, marked, strict=True)]


def _untidy(lines: list[str], style: Style) -> list[str]:
    """Every line ends with a separator, and there are blank lines."""
    return [f"{line}{style.separator}" + "\n" * (i % 50 == 7) for i, line in enumerate(lines)]


FAULTS: dict[str, Fault] = {
    "rows without target": Fault(
        f"{UNTOLD} rows, the first of them",
        truth=lambda truth, rng: truth.with_hole(truth.target, _some(truth, rng, UNTOLD)),
    ),
    "texts among numbers": Fault(
        f"'n.d.' is not a number; such cells of the column, {TEXTS} in all, count as missing",
        truth=lambda truth, rng: truth.with_hole("pressure", _some(truth, rng, TEXTS)),
        cells=_texts,
    ),
    "constant column": Fault("left out, constant: 'unit'", cells=_added("unit", lambda i: "kg", 2)),
    "row numbers": Fault("left out, row numbers without a name: 'x0'", cells=_added("", str, 0)),
    "numbered rows": Fault("'id' looks like row numbers", cells=_added("id", lambda i: str(7 + 3 * i), 0)),
    "names of rows": Fault("'serial' left out: ", cells=_added("serial", lambda i: f"AB-{i * 37 % 9973}", 1)),
    "mostly missing": Fault(
        "more than 90 % of the cells are missing in 'remark'",
        truth=_remarked,
    ),
    "same names": Fault("columns of one name are numbered: 'temperature'", cells=_renamed),
    "untidy lines": Fault(lines=_untidy),
    "repeated rows": Fault(f"rows that repeat another row: {TWICE}", truth=_repeated),
}


def lines_of(cells: Cells, style: Style) -> tuple[str, list[str]]:
    """The header line, and a line for each row."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=style.separator, lineterminator="\n")
    writer.writerow([name for name, _ in cells])
    writer.writerows(zip(*(column for _, column in cells), strict=True))
    header, *lines = text.getvalue().splitlines()
    return header, lines
