"""A cheap filter of candidate features, by the training rows alone.

Each class, and all of them together, takes turns to name the feature that tells it best: that with the largest F value
of a one-way analysis of variance (class against rest); for numbers, of a linear regression. A feature that is nearly a
copy of one named before is passed over. What the filter cannot see is a feature that helps only beside others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import IntArray

NEARLY_EQUAL = 0.98  # |correlation| from which a feature counts as a copy
MOST_ROWS = 5_000  # training rows that are looked at


def chosen_features(X: IntArray, y: NDArray, classes: int, most: int) -> IntArray:
    """The columns to keep, at most ``most``, sorted. ``X`` (rows, candidates) and ``y`` (rows,): training rows.
    ``classes``: 0 for numbers."""
    rows = np.unique(np.linspace(0, len(X) - 1, min(len(X), MOST_ROWS)).astype(np.int64))
    values, target = X[rows].astype(np.float64), y[rows]
    varying = np.flatnonzero(values.std(axis=0) > 0)
    scaled = values[:, varying] - values[:, varying].mean(axis=0)
    scaled /= np.sqrt((scaled**2).sum(axis=0))
    turns = [np.argsort(-f, kind="stable") for f in _f_values(values[:, varying], target, classes)]
    kept: list[int] = []
    passed = np.zeros(len(varying), dtype=bool)
    for place in np.stack(turns, axis=1).ravel().tolist():
        if len(kept) == most:
            break
        if not passed[place]:
            kept.append(place)
            passed |= np.abs(scaled.T @ scaled[:, place]) >= NEARLY_EQUAL
    return np.sort(varying[kept])


def _f_values(X: FloatArray, y: NDArray, classes: int) -> list[FloatArray]:
    """The F values of the columns: of numbers once; of classes for all together and for each against the rest."""
    from sklearn.feature_selection import f_classif, f_regression

    if not classes:
        return [np.nan_to_num(f_regression(X, y)[0])]
    sides = [y] if classes == 2 else [y, *((y == code).astype(np.int64) for code in range(classes))]
    with np.errstate(divide="ignore"):  # a feature that is constant within each class
        return [np.nan_to_num(f_classif(X, side)[0]) for side in sides if len(np.unique(side)) > 1]
