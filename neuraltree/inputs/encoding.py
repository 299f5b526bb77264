"""From a table's columns to the features of a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.encoders import LARGEST, LATEST, CellError, Column, Time
from neuraltree.inputs.features import FloatArray
from neuraltree.inputs.frames import columns_of
from neuraltree.inputs.times import moment


def feature_names(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(feature.name for column in columns for feature in column.features)


def repeated_name(columns: Sequence[Column]) -> str:
    """The first name that two features would have; "" if there is none."""
    return next((name for name, count in Counter(feature_names(columns)).items() if count > 1), "")


def encode(columns: Sequence[Column], X: Any, read: Collection[str] | None = None) -> FloatArray:
    """(rows, features) of a frame: what a tree with these columns reads.

    ``read``: the names of the columns that are needed, None for all; the features of others are 0. ``CellError`` for a
    cell that its column cannot have, for a hole that nothing stands in for, and for infinite numbers.
    """
    needed = [column for column in columns if read is None or column.name in read]
    cells = columns_of(X, [column.name for column in needed])
    features = np.empty((len(next(iter(cells.values()))), len(feature_names(needed))))
    each = chain.from_iterable(column.encode(column.numbers(cells[column.name])) for column in needed)
    for place, values in enumerate(each):  # one at a time, because a table may be large
        features[:, place] = values
    if not np.isfinite(features).all():
        row, place = np.argwhere(~np.isfinite(features))[0]
        name = feature_names(needed)[place]
        what = "missing, and nothing was learned to fill it" if np.isnan(features[row, place]) else "infinite"
        raise CellError(name, int(row), f"the cell is {what}")
    if len(needed) == len(columns):
        return features
    whole = np.zeros((len(features), len(feature_names(columns))))
    whole[:, [column in needed for column in columns for _ in column.features]] = features
    return whole


def doubts(columns: Sequence[Column], X: Any) -> list[str]:
    """(rows,) what a row of a frame has that no row to learn from had: its first such column; "" if it has none."""
    found = columns_of(X, [column.name for column in columns])
    said = [""] * len(next(iter(found.values())))
    for column in reversed(columns):  # the first column has the last word
        cells = found[column.name]
        for row in np.flatnonzero(~_usable(column, cells)).tolist():
            said[row] = f"{column.name} is {cells[row : row + 1].tolist()[0]}; {told_seen(column)}"
    return said


def _usable(column: Column, cells: NDArray) -> NDArray[np.bool_]:
    """(rows,) whether cells are usable; one at a time if one of them is none that the column can have."""
    try:
        return column.usable(column.numbers(cells))
    except ValueError:
        if len(cells) == 1:
            return np.zeros(1, dtype=np.bool_)
        return np.concatenate([_usable(column, cells[i : i + 1]) for i in range(len(cells))])


def told_seen(column: Column) -> str:
    """What the cells of a column were, for people."""
    levels = getattr(column, "levels", None)
    if levels:
        return f"seen: {', '.join(levels)}"
    low, high, _ = column.seen
    if isinstance(column, Time):
        low, high = column.start + low, column.start + high
        return f"seen: {moment(low)} to {moment(high)}" if max(-low, high) < LATEST else "seen: times"
    return f"seen: {low:g} to {high:g}" if max(-low, high) < LARGEST else "seen: numbers"
