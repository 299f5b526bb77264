"""Shared weights: each is one of a few values, found by k-means in one dimension (Han et al. 2016, Deep compression,
section 3, https://arxiv.org/abs/1510.00149)."""

from __future__ import annotations

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import IntArray

MOST_ROUNDS = 100


def clusters(weights: FloatArray, count: int) -> tuple[FloatArray, IntArray]:
    """At most ``count`` values in rising order, and for each weight (edges,) the position of its value.

    The values start evenly spread from the least weight to the largest: other starts lose the few large weights, which
    matter most. A value that no weight is nearest to is dropped.
    """
    order = np.sort(weights)
    total = np.concatenate([[0.0], np.cumsum(order)])
    centres = np.unique(np.linspace(order[0], order[-1], count))
    for _ in range(MOST_ROUNDS):
        ends = np.concatenate([[0], np.searchsorted(order, _middles(centres)), [len(order)]])
        used = np.diff(ends) > 0
        moved = np.diff(total[ends])[used] / np.diff(ends)[used]
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres, np.searchsorted(_middles(centres), weights)


def _middles(centres: FloatArray) -> FloatArray:
    middles: FloatArray = (centres[1:] + centres[:-1]) / 2
    return middles
