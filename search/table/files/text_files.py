"""Tables in text files: cells separated by comma, semicolon, tab or bar, with or without a header line.

Columns are read a piece at a time, first as numbers; those that turn out to be texts are read once more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.frames import Columns
from neuraltree.inputs.texts import PADDED, is_number
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import shown
from search.table.files.byte_text import OLDER
from search.table.files.cell_numbers import NumberColumn, TextColumn, forms_of
from search.table.files.column_roles import choose_columns, numbered, told_names
from search.table.files.raw import Places, Raw, columns_line, drop_line
from search.table.files.text_shape import Shape, rows_of, shape_of
from search.table.streams.text_limits import check_memory

PIECE = 2048  # rows
FEW_TEXTS = 0.1  # the share of a number column's cells below which texts are missing numbers
MOSTLY = 0.5  # the share of numbers from which a column of texts is told of
# Changes of [data] that could make numbers of texts, and their lines of TOML.
HINTS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"percent": True}, "percent = true"),
    ({"thousands": ","}, 'thousands = ","'),
    ({"thousands": "'"}, """thousands = "'\""""),
    ({"thousands": "."}, 'thousands = "."'),
    *(({"thousands": space}, f"thousands = {json.dumps(space)}") for space in (" ", "\u00a0", "\u202f")),
    ({"decimal": ","}, 'decimal = ","'),
)


def read_csv(paths: Sequence[Path], data: DataConfig, source: str) -> Raw:
    """The table in text files of one header, without blanks around cells, blank lines and trailing empty columns."""
    check_memory(paths, data, source)
    shapes = [shape_of(path, data) for path in paths]
    for other in shapes[1:]:
        if other.names != shapes[0].names:
            raise InputError(
                f"{source}: the columns of {other.path} are {_named(other)}, but those of {shapes[0].path} are "
                f"{_named(shapes[0])}; give files of one header"
            )
    written = shapes[0].names
    names, repeated = numbered([name or f"x{i}" for i, name in enumerate(written)])
    target, features, roles = choose_columns(names, data, source)
    reading = _Reading(shapes, names, data, source)
    found, notes, faults = reading.columns(features, [target, *roles.values()])
    y, hint, wrong = reading.target(target)
    faults |= wrong
    place, weight = roles.pop("weight", None), None
    if place is not None:
        weight, wrong = reading.weights(place)
        faults |= wrong
    older = [shape for shape in shapes if shape.encoding in OLDER]
    opening = [f"{shape.path} is no UTF-8; read as {OLDER[shape.encoding]}" for shape in older]
    if repeated:
        opening.append(f"columns of one name are numbered: {told_names(repeated)}")
    return Raw(
        source,
        found,
        y,
        names[target],
        reading.places,
        weight=weight,
        roles={role: reading.texts[i].tolist() for role, i in roles.items()},
        notes=(*opening, *notes),
        faults=faults,
        unnamed=frozenset(names[i] for i, name in enumerate(written) if not name and shapes[0].header),
        target_hint=hint,
    )


def _named(shape: Shape) -> str:
    return told_names(shape.names, 10) if shape.header else f"{len(shape.names)} without names"


@dataclass
class _Reading:
    """The columns of files of one shape; ``texts`` are the cells of columns that were read as texts."""

    shapes: Sequence[Shape]
    names: Sequence[str]
    data: DataConfig
    source: str

    def __post_init__(self) -> None:
        self.texts: dict[int, NDArray[np.object_]] = {}
        self.places = Places(np.zeros(0, dtype=np.int64))
        self.forms = forms_of(self.data, self.shapes[0].separator)

    def columns(self, features: Sequence[int], others: Sequence[int]) -> tuple[Columns, list[str], dict[str, str]]:
        """The features, notes and faults; the columns ``others``, and features of texts, are kept as texts."""
        levels = [i for i in features if _has_levels(self.data.columns.get(self.names[i]))]
        numbers = {i: NumberColumn(self.forms) for i in features if i not in levels}
        texts = {i: TextColumn("") for i in others} | {i: TextColumn(None) for i in levels}
        self._read({**numbers, **texts})
        again = {i: TextColumn(None) for i, column in numbers.items() if not self._is_number(i, column)}
        if again:
            self._read(again)
        self.texts = {i: column.texts() for i, column in (texts | again).items()}
        notes, faults = self._told(numbers, again)
        found = {}
        for i in features:
            cells = numbers[i].numbers() if i in numbers and i not in again else self.texts[i]
            found[self.names[i]] = _canonical(cells) if i in levels else cells
        return found, notes, faults

    def target(self, i: int) -> tuple[NDArray[np.object_], str, dict[str, str]]:
        """The cells of the target, in which numbers have a point and no other mark if most cells are numbers; what
        could make numbers of its texts; and what is wrong with it."""
        cells, column = self.texts[i], NumberColumn(self.forms)
        column.add(cells.tolist())
        if column.texts > FEW_TEXTS * column.there:
            return cells, self._key_for(cells), {}
        if clash := column.clash():
            return cells, "", {self.names[i]: self._clash(i, column, clash)}
        if column.plain:
            return cells, "", {}
        made = {cell: self.forms.pointed(cell) for cell in set(cells.tolist())}
        return np.array([made[cell] for cell in cells.tolist()], dtype=object), "", {}

    def weights(self, i: int) -> tuple[NDArray[np.float64], dict[str, str]]:
        """The weights, NaN where a cell is missing; and what is wrong with them."""
        name, column = self.names[i], NumberColumn(self.forms)
        column.add(self.texts[i].tolist())
        faults = {}
        if clash := column.clash():
            faults[name] = self._clash(i, column, clash)
        if column.texts:
            row, cell = column.examples[""]
            fault = f"{self.source}: {self.places.told(row)}, column {shown(name)}: {shown(cell)} is not a number"
            faults[name] = f"{fault}; weights are numbers of 0 or more"
        return column.numbers(), faults

    def _is_number(self, i: int, column: NumberColumn) -> bool:
        asked = self.data.columns.get(self.names[i])
        return asked == "number" or (column.texts <= FEW_TEXTS * column.there and asked in (None, "boolean"))

    def _read(self, columns: Mapping[int, NumberColumn | TextColumn]) -> None:
        """Add the cells of the columns at these positions; and note where each row stands."""
        lines: list[NDArray[np.int64]] = []
        for shape in self.shapes:
            rows = rows_of(shape.path, shape.encoding, shape.separator)
            for piece in _pieces(islice(rows, int(shape.header), None)):
                lines.append(np.array([line for _, line in piece], dtype=np.int64))
                cells = list(zip(*(row for row, _ in piece), strict=False))  # beyond the width, all are blank
                for i, column in columns.items():
                    column.add(cells[i])
        names = tuple(str(shape.path) for shape in self.shapes)
        files = np.repeat(np.arange(len(names)), [shape.rows for shape in self.shapes]) if len(names) > 1 else None
        self.places = Places(np.concatenate(lines), "line", names, files)

    def _told(
        self, numbers: Mapping[int, NumberColumn], again: Mapping[int, TextColumn]
    ) -> tuple[list[str], dict[str, str]]:
        notes: list[str] = []
        faults: dict[str, str] = {}
        for i, column in numbers.items():
            if i in again:
                notes += self._hints(i, column)
                continue
            if clash := column.clash():
                faults[self.names[i]] = self._clash(i, column, clash)
            elif column.texts and self.data.missing == "refuse":
                faults[self.names[i]] = self._text(i, column)
            elif column.texts:
                notes.append(self._text(i, column))
        return notes, faults

    def _clash(self, i: int, column: NumberColumn, marks: tuple[str, str]) -> str:
        (_, one), (row, other) = (column.examples[mark] for mark in marks)
        return (
            f"{self.source}: column {shown(self.names[i])} has numbers with {marks[0]}, {shown(one)}, and with "
            f"{marks[1]}, {shown(other)}, {self.places.told(row)}; write them in one way, or leave the column out: "
            f"{drop_line(self.data.drop, [self.names[i]])}"
        )

    def _text(self, i: int, column: NumberColumn) -> str:
        """A text in a column of numbers: a fault if missing cells are refused, else a note."""
        row, cell = column.examples[""]
        place = f"{self.places.told(row)}, column {shown(self.names[i])}: {shown(cell)} is not a number"
        if self.data.missing == "refuse":
            kinds = columns_line({**self.data.columns, self.names[i]: "category"})
            return f"{self.source}: {place}; correct it, or say what the column holds: {kinds}"
        return f"{place}; such cells of the column, {column.texts} in all, count as missing"

    def _hints(self, i: int, column: NumberColumn) -> list[str]:
        """A key of the config that would make numbers of texts, or that most cells are numbers already."""
        name, data = self.names[i], self.data
        if name in data.columns:
            return []
        if line := self._key_for(self.texts[i]):
            example = shown(column.examples[""][1])
            return [f"column {shown(name)} holds texts such as {example}; to read them as numbers: {line}"]
        if column.texts < (1 - MOSTLY) * column.there:
            kinds = columns_line({**data.columns, name: "number"})
            texts = f"{column.texts} of its {column.there} cells are none, such as {shown(column.examples[''][1])}"
            return [f"column {shown(name)} is not read as numbers: {texts}; to count these as missing: {kinds}"]
        return []

    def _key_for(self, cells: NDArray[np.object_]) -> str:
        """The key of the config, with its value, by which all cells would be numbers; "" if there is none."""
        there = set(cells.tolist()) - {None, ""}
        for change, line in HINTS:
            read = forms_of(msgspec.structs.replace(self.data, **change), self.shapes[0].separator).read
            if all(map(read, there)):
                return line
        return ""


def _has_levels(asked: str | Sequence[str] | None) -> bool:
    return asked == "category" or isinstance(asked, tuple)


def _canonical(cells: NDArray) -> NDArray:
    """Numbers as numbers, so that 3 and 3.0 are one level, unless a cell has leading zeros, as names have."""
    there = {cell for cell in cells.tolist() if cell is not None}
    if not all(is_number(cell) and not PADDED.fullmatch(cell) and isfinite(float(cell)) for cell in there):
        return cells
    return np.array([np.nan if cell is None else float(cell) for cell in cells.tolist()])


def _pieces(rows: Iterator[tuple[list[str], int]]) -> Iterator[list[tuple[list[str], int]]]:
    while piece := list(islice(rows, PIECE)):
        yield piece
