"""The rows of a file for a model, a chunk at a time: the columns that it reads, and no more in memory than a chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.encoders import Column, Number
from neuraltree.inputs.frames import Columns
from neuraltree.inputs.texts import is_missing
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import listed
from search.table.files.cell_numbers import Forms, NumberColumn, TextColumn, forms_of
from search.table.files.column_roles import numbered
from search.table.files.raw import Places
from search.table.files.text_shape import rows_of, shape_of

ROWS = 8192


def read_chunks(path: Path, columns: Sequence[Column], data: DataConfig) -> Iterator[tuple[Columns, Places]]:
    """The cells (rows,) of these columns by name, and where the rows stand; numbers are written as ``data`` says.

    A text in a column of numbers stays one. ``InputError`` for a file that is no table or lacks a column.
    """
    shape = shape_of(path, data)
    names, _ = numbered([name or f"x{i}" for i, name in enumerate(shape.names)])
    place = {normalize("NFC", name): i for i, name in enumerate(names)}
    if lacking := [column.name for column in columns if normalize("NFC", column.name) not in place]:
        raise InputError(
            f"{path}: the model reads {listed(lacking)}, and there is no such column; there are {listed(names)}"
        )
    places = [place[normalize("NFC", column.name)] for column in columns]
    forms = forms_of(data, shape.separator)
    rows = islice(rows_of(path, shape.encoding, shape.separator), int(shape.header), None)
    while piece := list(islice(rows, ROWS)):
        parts = [[row[i] for row, _ in piece] for i in places]
        found = {column.name: _cells(column, part, forms) for column, part in zip(columns, parts, strict=True)}
        yield found, Places(np.array([line for _, line in piece]), "line")


def _cells(column: Column, texts: list[str], forms: Forms) -> NDArray:
    reader = NumberColumn(forms) if isinstance(column, Number) else TextColumn(None)
    reader.add(texts)
    if isinstance(reader, TextColumn):
        return reader.texts()
    numbers = reader.numbers()
    if not reader.texts:
        return numbers
    kept = numbers.astype(object)
    for row in np.flatnonzero(np.isnan(numbers)).tolist():
        kept[row] = None if is_missing(texts[row]) else texts[row].strip()
    return kept


def without_texts(columns: Sequence[Column], cells: Columns) -> tuple[Columns, list[tuple[str, int]]]:
    """The cells with texts in columns of numbers as missing ones; and the column and the row of each."""
    found, wrong = dict(cells), []
    for column in columns:
        if isinstance(column, Number) and cells[column.name].dtype == object:
            texts = np.array([isinstance(cell, str) for cell in cells[column.name].tolist()])
            found[column.name] = np.where(texts, np.nan, cells[column.name]).astype(np.float64)
            wrong += [(column.name, row) for row in np.flatnonzero(texts).tolist()]
    return found, wrong
