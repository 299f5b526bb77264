"""What is harmless in a table, mended: rows without a target, constant columns, and numbers of rows without a name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.frames import holes_of
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import listed, shown
from search.table.files.column_roles import told_names
from search.table.files.raw import Raw


def with_target(raw: Raw) -> Raw:
    """The rows whose target is not missing."""
    missing = raw.y == "" if raw.y.dtype == object else holes_of(raw.y)
    if not missing.any():
        return raw
    count, row = int(np.count_nonzero(missing)), int(np.argmax(missing))
    rows = f"{raw.place(row)} is" if count == 1 else f"{count} rows, the first of them {raw.place(row)}, are"
    return raw.take(~missing).said(f"{rows} left out: the target {shown(raw.target)} is missing")


def mended(raw: Raw, data: DataConfig) -> Raw:
    """The columns that can tell rows apart; ``InputError`` if there are none."""
    flat = [name for name, cells in raw.columns.items() if name not in raw.faults and is_constant(cells, data)]
    if len(flat) == len(raw.columns):
        count = "1 column is" if len(flat) == 1 else f"{len(flat)} columns are"
        raise InputError(f"{raw.source}: {count} constant: {listed(flat)}; no other is left to predict from")
    if flat:
        raw = raw.without(flat).said(f"{_columns(flat)} left out, constant: {told_names(flat)}")
    numbers = [name for name in raw.columns if name in raw.unnamed and are_row_numbers(raw.columns[name])]
    if 0 < len(numbers) < len(raw.columns):
        raw = raw.without(numbers).said(
            f"{_columns(numbers)} left out, row numbers without a name: {told_names(numbers)}"
        )
    if left := [name for name in raw.columns if name in raw.unnamed]:
        raw = raw.said(f"{_columns(left)} without a name in the header line: {told_names(left)}")
    return replace(raw, unnamed=frozenset())


def is_constant(cells: NDArray, data: DataConfig) -> bool:
    """Whether all cells are the same. Holes count if the column will have a feature that tells them apart."""
    holes = holes_of(cells)
    there = cells[~holes]
    if not len(there) or (there[0] == there).all():
        told = cells.dtype == object or (data.missing_indicator and cells.dtype.kind == "f")
        return not (len(there) and holes.any() and told) and not (holes.any() and data.missing == "refuse")
    return False


def are_row_numbers(cells: NDArray) -> bool:
    """Whether the cells are whole numbers that always rise or always fall."""
    if cells.dtype.kind not in "iuf" or np.isnan(cells).any() or (cells % 1).any():
        return False
    steps = np.diff(cells)
    return bool((steps > 0).all() or (steps < 0).all())


def _columns(names: list[str]) -> str:
    return "1 column" if len(names) == 1 else f"{len(names)} columns"
