"""Tables in Parquet files, if pyarrow is installed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
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


def read_parquet(paths: Sequence[Path], data: DataConfig, source: str) -> Raw:
    """The table in files of the same columns."""
    arrow, tables = pyarrow_for(source), []
    for path in paths:
        with opened_parquet(path) as file:
            tables.append(file.read())
    for path, other in zip(paths[1:], tables[1:], strict=True):
        if other.column_names != tables[0].column_names:
            raise InputError(
                f"{source}: the columns of {path} are {told_names(other.column_names, 10)}, but those of {paths[0]} "
                f"are {told_names(tables[0].column_names, 10)}; give files of the same columns"
            )
    places = Places(np.concatenate([np.arange(table.num_rows) for table in tables]))
    if len(paths) > 1:
        files = np.repeat(np.arange(len(paths)), [table.num_rows for table in tables])
        places = replace(places, names=tuple(map(str, paths)), files=files)
    try:
        whole = arrow.concat_tables(tables, promote_options="permissive")
    except arrow.ArrowException as error:
        raise InputError(f"{source}: the files cannot be joined: {one_line(error)}") from None
    return raw_of(whole, data, source, places)


def raw_of(table: Any, data: DataConfig, source: str, places: Places) -> Raw:
    """The columns that ``data`` asks for, of a pyarrow.Table whose rows stand at ``places``."""
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


def pyarrow_for(source: str) -> Any:
    """The package; ``InputError`` if it is not installed."""
    try:
        import pyarrow.parquet  # which makes pyarrow.parquet a part of pyarrow
    except ImportError:
        raise InputError(
            f"{source}: Parquet needs the package pyarrow: pip install 'neuraltree[parquet]', or save as CSV"
        ) from None
    return pyarrow


@contextmanager
def opened_parquet(path: Path, **options: Any) -> Iterator[Any]:
    """The pyarrow.parquet.ParquetFile; ``InputError`` if it is none, or damaged where it is read."""
    check_file(path)
    arrow = pyarrow_for(str(path))
    try:
        with arrow.parquet.ParquetFile(path, **options) as file:
            yield file
    except InputError:
        raise
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {one_line(error)}") from None


def cells_of(column: Any, name: str, data: DataConfig, source: str) -> NDArray:
    """Numbers as doubles, flags, times, or texts with None for a missing cell."""
    found = cells(column.to_numpy(zero_copy_only=False))
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
