"""Columns by name, from the frames of pandas and polars, mappings, lists of rows, and arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.texts import is_hole, level_text
from neuraltree.inputs.times import naive

Columns = dict[str, NDArray]


def is_frame(X: Any) -> bool:
    """Whether ``X`` has named columns."""
    return isinstance(X, Mapping) or (hasattr(X, "columns") and hasattr(X, "__getitem__"))


def is_rows(X: Any) -> bool:
    """Whether ``X`` is a list of rows, each a mapping from names."""
    return isinstance(X, Sequence) and not isinstance(X, str) and len(X) > 0 and isinstance(X[0], Mapping)


def columns_of(X: Any, names: Sequence[str] | None = None) -> Columns:
    """The cells (rows,) of the columns with these names, or of all: numbers, ``datetime64``, or Python objects.

    An array (rows, columns) has its columns in the order of ``names``. ``ValueError`` for a column that is not there,
    and for columns of different lengths.
    """
    if is_rows(X):
        X = {key: [row.get(key) for row in X] for key in dict.fromkeys(key for row in X for key in row)}
    if not is_frame(X):
        return _of_array(np.asarray(X), names)
    there = list(X.keys() if isinstance(X, Mapping) else X.columns)
    place = {normalize("NFC", str(name)): name for name in there}
    wanted = {name: normalize("NFC", name) for name in (place if names is None else names)}
    if lacking := [name for name, known in wanted.items() if known not in place]:
        raise ValueError(f"there is no column {', '.join(map(repr, lacking))}; there are {', '.join(place)}")
    found = {name: cells(X[place[known]], name) for name, known in wanted.items()}
    lengths = {name: len(column) for name, column in found.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns have different lengths: {lengths}")
    return found


def declared(X: Any) -> dict[str, str | list[str]]:
    """What the columns of a pandas frame say of themselves: the levels of an ordered category, or "category"."""
    found: dict[str, str | list[str]] = {}
    for name, dtype in getattr(X, "dtypes", {}).items() if hasattr(X, "iloc") else ():
        if hasattr(dtype, "categories") and hasattr(dtype, "ordered"):
            found[str(name)] = [level_text(level) for level in dtype.categories] if dtype.ordered else "category"
    return found


def _of_array(X: NDArray, names: Sequence[str] | None) -> Columns:
    count = len(names) if names is not None else X.shape[-1] if X.ndim == 2 else 0
    if X.ndim != 2 or X.shape[1] != count:
        raise ValueError(f"X has shape {X.shape}; it must be (rows, {count or 'columns'})")
    return {name: cells(X[:, i]) for i, name in enumerate(names or [f"x{i}" for i in range(count)])}


def holes_of(cells: NDArray) -> NDArray[np.bool_]:
    """(rows,) whether each cell is missing."""
    if cells.dtype.kind == "M":
        return np.isnat(cells)
    if cells.dtype == object:
        return np.array([cell is None for cell in cells.tolist()], dtype=bool)
    return np.isnan(cells) if cells.dtype.kind == "f" else np.zeros(len(cells), dtype=bool)


def cells(values: Any, name: str = "") -> NDArray:
    """One column (rows,): numbers with NaN for holes, ``datetime64``, or Python objects with None for holes."""
    array = np.asarray(values, dtype=None if hasattr(values, "__array__") else object)  # so that 7 beside "x" stays 7
    if array.ndim != 1:
        raise ValueError(f"column {name!r} has shape {array.shape}; it must be (rows,), and there once")
    if array.dtype.kind in "biufM":
        return array
    if array.dtype.kind == "m":
        return np.where(np.isnat(array), np.nan, array / np.timedelta64(1, "s"))
    plain = (cell.item() if isinstance(cell, np.generic) else cell for cell in array.tolist())
    found = [None if is_hole(cell) else cell for cell in plain]
    there = [cell for cell in found if cell is not None]
    if there and all(isinstance(cell, int | float | Decimal) and not isinstance(cell, bool) for cell in there):
        try:
            return np.array([np.nan if cell is None else float(cell) for cell in found])
        except OverflowError:
            raise ValueError(f"column {name!r} has a number that no double can hold") from None
    if there and all(isinstance(cell, date | datetime) for cell in there):
        # datetime64 has no zones, and warns of them
        times = [naive(cell) if isinstance(cell, datetime) else cell for cell in found]
        return np.array(times, dtype="datetime64[us]")
    whole = np.empty(len(found), dtype=object)
    whole[:] = found
    return whole
