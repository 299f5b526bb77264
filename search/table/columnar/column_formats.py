"""The table of the formats of columns, and tables that are read whole from them.

A format is a row of ``FORMATS``. A batch or a table has ``column_names``, ``num_rows``, ``column(place)`` and
``take(rows)``, as in pyarrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from search.config.settings import DataConfig, is_path
from search.errors import InputError
from search.table.columnar.arrow_files import ARROW, PARQUET
from search.table.columnar.column_cells import raw_of
from search.table.columnar.layouts import Format
from search.table.columnar.npy_files import NPY
from search.table.files.column_roles import told_names
from search.table.files.raw import Places, Raw

FORMATS: dict[str, Format] = {".parquet": PARQUET, ".arrow": ARROW, ".feather": ARROW, ".npy": NPY}


def format_of(source: str) -> Format | None:
    """The format of a ``data.source``; None if it is no file of columns."""
    return FORMATS.get(Path(source).suffix.lower()) if is_path(source) else None


def read_columns(paths: Sequence[Path], data: DataConfig, source: str) -> Raw:
    """The table in files of the same columns."""
    form = FORMATS[Path(source).suffix.lower()]
    tables = [form.whole(path) for path in paths]
    check_names(paths, [table.column_names for table in tables], source)
    rows = [table.num_rows for table in tables]
    places = Places(np.concatenate([np.arange(count) for count in rows]))
    if len(paths) > 1:
        files = np.repeat(np.arange(len(paths)), rows)
        places = replace(places, names=tuple(map(str, paths)), files=files)
    columns = zip(tables[0].column_names, *map(form.kinds, tables), strict=True)
    kinds = [form.common(name, each, source) for name, *each in columns]
    return raw_of(form.joined([form.cast(table, kinds, source) for table in tables]), data, source, places)


def check_names(paths: Sequence[Path], names: Sequence[Sequence[str]], source: str) -> None:
    """``InputError`` unless all files have the columns of the first."""
    for path, others in zip(paths[1:], names[1:], strict=True):
        if list(others) != list(names[0]):
            raise InputError(
                f"{source}: the columns of {path} are {told_names(others, 10)}, but those of {paths[0]} "
                f"are {told_names(names[0], 10)}; give files of the same columns"
            )
