"""The cells of columns as files hold them, in arrays of pyarrow or of NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.inputs.encoders import Column, Number, Time
from neuraltree.inputs.frames import cells
from neuraltree.inputs.texts import is_missing
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import shown
from search.table.files.column_roles import choose_columns, numbered, told_names
from search.table.files.raw import Places, Raw, drop_line

CODED = ("string", "large_string", "bool")  # types of arrow whose cells are looked at once each
CODED_KINDS = "Ub"  # and those of NumPy


@dataclass(frozen=True, eq=False)
class ArrayBatch:
    """Rows in arrays of NumPy, with the methods of a pyarrow.RecordBatch that are used here."""

    columns: Mapping[str, NDArray]

    @property
    def column_names(self) -> list[str]:
        return list(self.columns)

    @property
    def num_rows(self) -> int:
        return len(next(iter(self.columns.values())))

    def column(self, place: int | str) -> NDArray:
        return self.columns[place if isinstance(place, str) else self.column_names[place]]

    def take(self, rows: NDArray[np.int64]) -> ArrayBatch:
        return ArrayBatch({name: column[rows] for name, column in self.columns.items()})


def as_array(column: Any) -> NDArray:
    """A column in an array of NumPy, as it is."""
    return column if isinstance(column, np.ndarray) else column.to_numpy(zero_copy_only=False)


def raw_of(table: Any, data: DataConfig, source: str, places: Places) -> Raw:
    """The columns that ``data`` asks for, of a pyarrow.Table or ``ArrayBatch`` whose rows stand at ``places``."""
    names, repeated = numbered(table.column_names)
    target, features, roles = choose_columns(names, data, source)
    found = {i: cells_of(table.column(i), names[i], data, source) for i in (*features, target, *roles.values())}
    weight = found[roles.pop("weight")] if data.weight else None
    if weight is not None and weight.dtype.kind != "f":
        raise InputError(f"{source}: the weights {shown(data.weight)} are not numbers")
    return Raw(
        source,
        {names[i]: found[i] for i in features},
        target_of(found[target]),
        names[target],
        places,
        weight=weight,
        roles={role: ["" if cell is None else str(cell).strip() for cell in found[i]] for role, i in roles.items()},
        notes=(f"columns of one name are numbered: {told_names(repeated)}",) if repeated else (),
    )


def cells_of(column: Any, name: str, data: DataConfig, source: str) -> NDArray:
    """Numbers as doubles, flags, times, or texts with None for a missing cell."""
    found = cells(as_array(column))
    if found.dtype.kind in "iuf":
        return found.astype(np.float64)
    if found.dtype != object:
        return found
    for i, cell in enumerate(found):
        if not isinstance(cell, str | bool | None):
            line = drop_line(data.drop, [name])
            raise InputError(f"{source}: column {shown(name)} holds {shown(cell)}, which is no number or text: {line}")
        if isinstance(cell, str):
            found[i] = None if is_missing(cell) else cell.strip()
    return found


def target_of(found: NDArray) -> NDArray:
    """Numbers, or texts with "" for a missing cell."""
    if found.dtype.kind in "fb":
        return found + 0 if found.dtype.kind == "b" else found
    return np.array(["" if cell is None else str(cell) for cell in found], dtype=object)


class Coded(NamedTuple):
    """Cells by the ``levels`` (levels,) that they have: ``codes`` (rows,) are positions in them, -1 for null."""

    levels: NDArray
    codes: NDArray[np.int64]


def coded(column: Any, name: str, data: DataConfig, source: str) -> Coded:
    """The cells of a column (rows,), each different one once, in the order in which they come first."""
    if isinstance(column, np.ndarray):
        levels, first, codes = np.unique(column, return_index=True, return_inverse=True)
        order = np.argsort(first)
        return Coded(cells_of(levels[order], name, data, source), np.argsort(order)[codes])
    found = column if hasattr(column, "dictionary") else column.dictionary_encode()
    codes = found.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Coded(cells_of(found.dictionary, name, data, source), codes)


def numbers_of(column: Column, found: Any, data: DataConfig, source: str) -> FloatArray:
    """(rows,) the number of each cell for an encoder, NaN for a hole; texts and levels are looked at once each."""
    if isinstance(column, Number | Time) and not _is_coded(found):
        return column.numbers(cells_of(found, column.name, data, source))
    levels, codes = coded(found, column.name, data, source)
    return np.append(column.numbers(levels) if len(levels) else [], np.nan)[codes]


def _is_coded(found: Any) -> bool:
    if isinstance(found, np.ndarray):
        return found.dtype.kind in CODED_KINDS
    return hasattr(found, "dictionary") or str(found.type) in CODED
