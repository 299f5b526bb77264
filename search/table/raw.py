"""A table as read from its source, and the checks of its cells."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.errors import InputError
from search.strict import listed, shown

MISSING = frozenset(("", "?", "na", "n/a", "nan", "null"))  # in lower case
FEWEST_ROWS = 10
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)
LARGEST = 1e30  # leaves room for sums below the largest float32, 3.4e38


@dataclass(frozen=True, eq=False)
class Raw:
    """A table before its checks.

    ``X`` (rows, features) has NaN for a missing cell. ``y`` (rows,) holds numbers, with NaN for a missing cell, or
    texts as Python objects, with "" for a missing cell. ``classes``: the source says that ``y`` holds classes, even if
    its cells look like numbers. ``weight`` (rows,): the weight of each row in training, with NaN for a missing cell;
    None if all rows count the same. ``roles``: the cells of the columns that say how rows may be split, by the key of
    the config that names them. Row i is ``unit`` number ``places[i]`` of ``source``: a line of a file, or a row of
    an array, from 0.
    """

    source: str
    X: NDArray[np.float64]
    y: NDArray
    features: tuple[str, ...]
    target: str
    places: Sequence[int]
    unit: str = "row"
    weight: NDArray[np.float64] | None = None
    classes: bool = False
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def place(self, row: int) -> str:
        return f"{self.unit} {self.places[row]}"


def is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def is_missing(text: str) -> bool:
    return text.strip().lower() in MISSING


def drop_line(already: Sequence[str], more: Sequence[str]) -> str:
    """The line of TOML for ``[data]`` that leaves out the columns ``more`` besides those ``already`` left out."""
    return f"drop = {json.dumps([*already, *more], ensure_ascii=False)}"


def check_unique(names: Sequence[str], source: str) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise InputError(
                f"{source}: two columns are named {shown(name)}, numbers {names.index(name)} and {i} from 0; rename one"
            )


def check_values(raw: Raw, dropped: Sequence[str]) -> None:
    """``InputError`` for too few rows, for cells that are missing, infinite or too large, and for constant features."""
    if len(raw.X) < FEWEST_ROWS:
        raise InputError(f"{raw.source}: {len(raw.X)} rows are too few; at least {FEWEST_ROWS} are needed")
    y = np.where(raw.y == "", np.nan, 0.0) if raw.y.dtype == object else raw.y
    cells = np.column_stack([raw.X, y])
    _check_missing(raw, np.isnan(cells), dropped)
    for wrong, what in ((np.isinf(cells), "infinite"), (np.abs(cells) > LARGEST, f"beyond ±{LARGEST:g}")):
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            name = (*raw.features, raw.target)[column]
            raise InputError(
                f"{raw.source}: {raw.place(row)}, column {shown(name)}: {cells[row, column]:g} is {what}; "
                "correct it, or leave out the row or the column"
            )
    flat = np.ptp(raw.X, axis=0) == 0
    if flat.any():
        names = [name for name, constant in zip(raw.features, flat, strict=True) if constant]
        advice = "" if flat.all() else f"; leave out: {drop_line(dropped, names)}"
        count = "1 column is" if len(names) == 1 else f"{len(names)} columns are"
        raise InputError(f"{raw.source}: {count} constant: {listed(names)}{advice}")


def check_weight(raw: Raw, name: str) -> None:
    """``InputError`` if training cannot use the row weights, which are in the column ``name``."""
    if raw.weight is None:
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


def _check_missing(raw: Raw, missing: NDArray[np.bool_], dropped: Sequence[str]) -> None:
    if not missing.any():
        return
    row, column = np.argwhere(missing)[0]
    names = [name for name, gap in zip(raw.features, np.any(missing[:, :-1], axis=0).tolist(), strict=True) if gap]
    columns = f", or leave out the columns: {drop_line(dropped, names)}" if 0 < len(names) < len(raw.features) else ""
    count = int(np.count_nonzero(missing))
    raise InputError(
        f"{raw.source}: {count} missing value{'s' * (count > 1)} (blank, ?, NA or NaN), the first at "
        f"{raw.place(row)}, column {shown((*raw.features, raw.target)[column])}; "
        f"fill them in, or delete those rows{columns}"
    )
