"""Scores of rankings, for many trees at once: how far the rows of one class stand above all other rows.

``positive`` (rows,) marks the rows of the class, ``scores`` (trees, rows) rank all rows, and each result (trees,) is
better if it is higher. Rows of equal score share their rank, as in scikit-learn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray

Mask = NDArray[np.bool_]
CHANCE = 0.5  # the area under the curve of a ranking by chance


def average_precision(positive: Mask, scores: FloatArray) -> FloatArray:
    """The mean over the positive rows of the precision at their scores; 0 if no row is positive."""
    precision, _ = _curve(positive, scores)
    return np.asarray(precision.sum(axis=1) / max(1, precision.shape[1]))


def recall_at_precision(positive: Mask, scores: FloatArray, level: float) -> FloatArray:
    """The highest recall at a threshold with this precision or more; 0 if no threshold has it."""
    precision, recall = _curve(positive, scores)
    return np.where(precision >= level, recall, 0.0).max(axis=1, initial=0.0)


def precision_at_recall(positive: Mask, scores: FloatArray, level: float) -> FloatArray:
    """The highest precision at a threshold with this recall or more; 0 if no row is positive."""
    precision, recall = _curve(positive, scores)
    return np.where(recall >= level, precision, 0.0).max(axis=1, initial=0.0)


def roc_auc(positive: Mask, scores: FloatArray) -> FloatArray:
    """The share of pairs, a positive row and another, in which the positive one has the higher score.

    A pair of equal scores counts half. If there are no pairs, the area is ``CHANCE``.
    """
    own, others = _sorted_apart(positive, scores)
    pairs = own.shape[1] * others.shape[1]
    if not pairs:
        return np.full(len(scores), CHANCE)
    won, lost = _lower(others, own).sum(axis=1), _lower(own, others).sum(axis=1)
    return CHANCE + (won - lost) / (2 * pairs)


def _curve(positive: Mask, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Precision and recall, each (trees, positive rows), with the score of each positive row as the threshold.

    At any other threshold the recall is that of the next positive row above it, and the precision is lower.
    """
    own, others = _sorted_apart(positive, scores)
    count = own.shape[1]
    first = np.zeros(own.shape, dtype=np.int64)  # of the positive rows of the same score
    first[:, 1:] = np.where(own[:, 1:] != own[:, :-1], np.arange(1, max(1, count)), 0)
    found = count - np.maximum.accumulate(first, axis=1)
    false = others.shape[1] - _lower(others, own)
    return found / (found + false), found / max(1, count)


def _sorted_apart(positive: Mask, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The scores of the positive rows and those of the others, each (trees, their number), lowest first."""
    own, others = (np.compress(mask, scores, axis=1) for mask in (positive, ~positive))
    return np.sort(own, axis=1), np.sort(others, axis=1)


def _lower(values: FloatArray, bounds: FloatArray) -> NDArray[np.int64]:
    """(trees, bounds) the number of ``values`` (trees, values) that are less than each bound; both are sorted.

    A stable sort merges the two, bounds before equal values, so a bound's place is moved by the values below it only.
    """
    merged = np.argsort(np.concatenate([bounds, values], axis=1), axis=1, kind="stable")
    count = bounds.shape[1]
    places = np.flatnonzero(merged < count).reshape(bounds.shape) % merged.shape[1]
    return np.asarray(places - np.arange(count))
