"""What the cells of a table must not hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.frames import holes_of
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import shown
from search.table.files.raw import Raw, drop_line

FEWEST_ROWS = 10
LARGEST = 1e30  # leaves room for sums below the largest float32, 3.4e38


def enough_rows(raw: Raw) -> None:
    if len(raw.y) < FEWEST_ROWS:
        raise InputError(f"{raw.source}: {len(raw.y)} rows are too few; at least {FEWEST_ROWS} are needed")


def check_cells(raw: Raw, data: DataConfig) -> None:
    """``InputError`` for numbers that are infinite or too large, and for missing cells if those are refused."""
    problems = [
        f"{fault}; correct it, or leave out the row or the column: {drop_line(data.drop, [name])}"
        for name, cells in raw.columns.items()
        if (fault := _too_large(raw, name, cells))
    ]
    if data.missing == "refuse":
        problems += _missing(raw, data)
    if problems:
        raise InputError(*problems)


def check_target(raw: Raw) -> None:
    if fault := _too_large(raw, raw.target, raw.y):
        raise InputError(f"{fault}; correct it, or leave out the row")


def check_weight(raw: Raw, name: str) -> None:
    """``InputError`` if training cannot use the row weights, which are in the column ``name``."""
    if raw.weight is None or name in raw.faults:
        return
    wrong = ~((raw.weight >= 0) & (raw.weight <= LARGEST))  # NaN is wrong too
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{raw.source}: {raw.place(row)}, column {shown(name)}: {raw.weight[row]:g} is no weight; "
            f"allowed: numbers from 0 to {LARGEST:g} in every row"
        )
    if not raw.weight.any():
        raise InputError(f"{raw.source}: the weights {shown(name)} are 0 in every row; no row is left to train on")


def _too_large(raw: Raw, name: str, cells: NDArray) -> str:
    """The first number that is infinite or too large; "" if there is none."""
    if cells.dtype.kind != "f":
        return ""
    for wrong, what in ((np.isinf(cells), "infinite"), (np.abs(cells) > LARGEST, f"beyond ±{LARGEST:g}")):
        if wrong.any():
            row = int(np.argmax(wrong))
            return f"{raw.source}: {raw.place(row)}, column {shown(name)}: {cells[row]:g} is {what}"
    return ""


def _missing(raw: Raw, data: DataConfig) -> list[str]:
    holes: Mapping[str, NDArray[np.bool_]] = {
        name: found
        for name, cells in raw.columns.items()
        if name not in raw.faults and (found := holes_of(cells)).any()
    }
    if not holes:
        return []
    name = min(holes, key=lambda name: int(np.argmax(holes[name])))
    count = sum(int(np.count_nonzero(found)) for found in holes.values())
    columns = f", leave out the columns: {drop_line(data.drop, [*holes])}" if len(holes) < len(raw.columns) else ""
    return [
        f"{raw.source}: {count} missing value{'s' * (count > 1)} (blank, ?, NA or NaN), the first at "
        f"{raw.place(int(np.argmax(holes[name])))}, column {shown(name)}; fill them in{columns}, or let the mean of "
        'the training rows stand in for them: missing = "mean"'
    ]
