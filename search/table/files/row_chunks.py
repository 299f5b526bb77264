"""The rows of a file for a model, a chunk at a time: the columns that it reads, and no more in memory than a chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from neuraltree.inputs.encoders import Column, Number
from neuraltree.inputs.frames import Columns
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import listed
from search.table.files.cell_numbers import NumberColumn, TextColumn, forms_of
from search.table.files.column_roles import numbered
from search.table.files.raw import Places
from search.table.files.text_shape import rows_of, shape_of

ROWS = 8192


def read_chunks(path: Path, columns: Sequence[Column], data: DataConfig) -> Iterator[tuple[Columns, Places]]:
    """The cells (rows,) of these columns by name, and where the rows stand; numbers are written as ``data`` says.

    A text in a column of numbers counts as missing. ``InputError`` for a file that is no table or lacks a column.
    """
    shape = shape_of(path, data)
    names, _ = numbered([name or f"x{i}" for i, name in enumerate(shape.names)])
    if lacking := [column.name for column in columns if column.name not in names]:
        raise InputError(
            f"{path}: the model reads {listed(lacking)}, and there is no such column; there are {listed(names)}"
        )
    forms = forms_of(data, shape.separator)
    rows = islice(rows_of(path, shape.encoding, shape.separator), int(shape.header), None)
    while piece := list(islice(rows, ROWS)):
        found: Columns = {}
        for column in columns:
            place = names.index(column.name)
            reader = NumberColumn(forms) if isinstance(column, Number) else TextColumn(None)
            reader.add([row[place] for row, _ in piece])
            found[column.name] = reader.numbers() if isinstance(reader, NumberColumn) else reader.texts()
        yield found, Places(np.array([line for _, line in piece]), "line")
