"""Tables in Parquet files, if pyarrow is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.frames import cells
from neuraltree.inputs.texts import is_missing
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import one_line, shown
from search.table.files.byte_text import check_file
from search.table.files.column_roles import choose_columns, numbered, told_names
from search.table.files.raw import Places, Raw, drop_line


def read_parquet(path: Path, data: DataConfig) -> Raw:
    check_file(path)
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise InputError(
            f"{path}: Parquet needs the package pyarrow: pip install 'neuraltree[parquet]', or save as CSV"
        ) from None
    try:
        table = parquet.read_table(path)
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {one_line(error)}") from None
    names, repeated = numbered(table.column_names)
    target, features, roles = choose_columns(names, data, str(path))
    found = {i: _cells(table.column(i), names[i], data, path) for i in (*features, target, *roles.values())}
    weight = found[roles.pop("weight")] if data.weight else None
    if weight is not None and weight.dtype.kind != "f":
        raise InputError(f"{path}: the weights {shown(data.weight)} are not numbers")
    return Raw(
        str(path),
        {names[i]: found[i] for i in features},
        _target(found[target]),
        names[target],
        Places(np.arange(table.num_rows)),
        weight=weight,
        roles={role: ["" if cell is None else str(cell).strip() for cell in found[i]] for role, i in roles.items()},
        notes=(f"columns of one name are numbered: {told_names(repeated)}",) if repeated else (),
    )


def _cells(column: Any, name: str, data: DataConfig, path: Path) -> NDArray:
    """Numbers as doubles, flags, times, or texts with None for a missing cell."""
    found = cells(column.to_numpy())
    if found.dtype.kind in "iuf":
        return found.astype(np.float64)
    if found.dtype != object:
        return found
    for i, cell in enumerate(found):
        if not isinstance(cell, str | bool | None):
            line = drop_line(data.drop, [name])
            raise InputError(f"{path}: column {shown(name)} holds {shown(cell)}, which is no number or text: {line}")
        if isinstance(cell, str):
            found[i] = None if is_missing(cell) else cell.strip()
    return found


def _target(found: NDArray) -> NDArray:
    """Numbers, or texts with "" for a missing cell."""
    if found.dtype.kind in "fb":
        return found + 0 if found.dtype.kind == "b" else found
    return np.array(["" if cell is None else str(cell) for cell in found], dtype=object)
