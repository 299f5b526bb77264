"""Tables in npy files, which NumPy maps into memory: numbers (rows, columns), or records with named fields (rows,).

Columns of numbers are named by their positions: x0, x1 and so on. Nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.errors import InputError
from search.strict import listed, one_line, shown
from search.table.columnar.column_cells import ArrayBatch
from search.table.columnar.layouts import GROUP, Format, Group, Layout
from search.table.files.byte_text import check_file

NUMBERS = "biuf"
HEADER = 2**17  # bytes of a header, which names all fields of records
_WHAT = {"b": "flag", "i": "number", "u": "number", "f": "number", "U": "text", "M": "time"}
_ALLOWED = "allowed: numbers or flags (rows, columns), or records (rows,) with fields of numbers, flags, texts or times"


def mapped(path: Path) -> NDArray:
    """The array in a file; ``InputError`` if it is no table."""
    check_file(path)
    try:
        found = np.lib.format.open_memmap(path, mode="r", max_header_size=HEADER)
    except Exception as error:  # a damaged header can raise any error: TokenError, OverflowError, RecursionError, ...
        raise InputError(f"{path}: cannot be read as .npy: {one_line(error)}; {_ALLOWED}") from None
    fields = found.dtype.names
    if found.ndim != (1 if fields else 2) or 0 in found.shape or (not fields and found.dtype.kind not in NUMBERS):
        raise InputError(f"{path}: holds {found.dtype} of the shape {found.shape}; {_ALLOWED}")
    if odd := [f"{name} ({found.dtype[name]})" for name in fields or () if found.dtype[name].kind not in _WHAT]:
        raise InputError(f"{path}: holds fields of other types: {listed(odd, 5)}; {_ALLOWED}")
    return found


def _names(found: NDArray) -> list[str]:
    return list(found.dtype.names or (f"x{i}" for i in range(found.shape[1])))


def _layout(path: Path) -> Layout:
    found = mapped(path)
    names = _names(found)
    kinds = [found.dtype[name] if found.dtype.names else found.dtype for name in names]
    groups = [Group(start, min(GROUP, len(found) - start)) for start in range(0, len(found), GROUP)]
    return Layout(names, kinds, groups)


def _columns(rows: NDArray, names: Sequence[str]) -> ArrayBatch:
    """Columns of some rows, in memory."""
    if rows.dtype.names:
        return ArrayBatch({name: np.ascontiguousarray(rows[name]) for name in names})
    places = [int(name.removeprefix("x")) for name in names]
    block = np.array(rows[:, places].T, order="C")
    return ArrayBatch(dict(zip(names, block, strict=True)))


def _whole(path: Path) -> ArrayBatch:
    found = mapped(path)
    return _columns(found, _names(found))


def _batches(path: Path, place: int, names: Sequence[str], rows: int) -> Iterator[ArrayBatch]:
    found = mapped(path)
    end = min(len(found), place + GROUP)
    for start in range(place, end, rows):
        yield _columns(found[start : min(end, start + rows)], names)


def _kinds(table: ArrayBatch) -> list[np.dtype]:
    return [column.dtype for column in table.columns.values()]


def _common(name: str, kinds: Sequence[Any], source: str) -> np.dtype:
    told = " and ".join(dict.fromkeys(map(str, kinds)))
    problem = InputError(f"{source}: the files cannot be joined: column {shown(name)} holds {told}")
    if len({_what(kind) for kind in kinds}) > 1:
        raise problem
    try:
        return np.result_type(*kinds)
    except OverflowError:  # times in units that no unit measures together
        raise problem from None


def _cast(table: ArrayBatch, kinds: Sequence[np.dtype], source: str) -> ArrayBatch:
    del source
    pairs = zip(table.columns.items(), kinds, strict=True)
    return ArrayBatch({name: column.astype(kind, copy=False) for (name, column), kind in pairs})


def _joined(tables: Sequence[ArrayBatch]) -> ArrayBatch:
    names = tables[0].column_names
    return ArrayBatch({name: np.concatenate([table.column(name) for table in tables]) for name in names})


def _what(kind: np.dtype) -> str:
    return _WHAT.get(kind.kind, "")


NPY = Format(_layout, _whole, _batches, _kinds, _common, _cast, _joined, _what)
