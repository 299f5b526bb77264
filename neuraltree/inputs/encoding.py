"""From a table's columns to the features of a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from neuraltree.inputs.encoders import Column
from neuraltree.inputs.features import FloatArray
from neuraltree.inputs.frames import columns_of


def feature_names(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(feature.name for column in columns for feature in column.features)


def repeated_name(columns: Sequence[Column]) -> str:
    """The first name that two features would have; "" if there is none."""
    return next((name for name, count in Counter(feature_names(columns)).items() if count > 1), "")


def column_numbers(columns: Sequence[Column], X: Any) -> FloatArray:
    """(rows, columns) the number of each cell of a frame, in the order of ``columns``; NaN for a hole.

    ``ValueError`` for a cell that its column cannot have.
    """
    found = columns_of(X, [column.name for column in columns])
    return np.column_stack([column.numbers(found[column.name]) for column in columns])


def encoded(columns: Sequence[Column], numbers: FloatArray) -> FloatArray:
    """(rows, features) of the numbers (rows, columns) of columns."""
    return np.hstack([column.encode(numbers[:, i]) for i, column in enumerate(columns)])


def encode(columns: Sequence[Column], X: Any) -> FloatArray:
    """(rows, features) of a frame: what a tree with these columns reads.

    ``ValueError`` for a cell that its column cannot have, for a hole where there was none to learn from, and for
    infinite numbers.
    """
    features = encoded(columns, column_numbers(columns, X))
    if not np.isfinite(features).all():
        row, place = np.argwhere(~np.isfinite(features))[0]
        name = feature_names(columns)[place]
        what = "missing, and nothing was learned to fill it" if np.isnan(features[row, place]) else "infinite"
        raise ValueError(f"column {name!r}, row {row} from 0: the cell is {what}")
    return features
