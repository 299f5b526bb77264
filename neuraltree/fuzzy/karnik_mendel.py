"""Type reduction of an interval type-2 node: the least and the greatest weighted mean of its rules' values.

Each rule's weight lies in an interval; the extreme means are at corners. The least mean gives each rule whose value is
below the mean its greatest weight and each other rule its least weight, so the mean decides its own corner (Karnik and
Mendel, "Centroid of a type-2 fuzzy set", Information Sciences 132, 2001, section 3). The iteration below starts from
the mean weights and moves the mean until no rule changes its side. Each step lowers the mean, so it ends at the
extreme. The rules need no sorting: a rule's side is a comparison with the mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray


def least_mean_corner(low: FloatArray, high: FloatArray, value: FloatArray) -> NDArray[np.bool_]:
    """(nodes, rules, rows) whether each rule has its ``high`` weight in the least mean of ``value``.

    ``low`` and ``high``: the weights' bounds, above 0. For the greatest mean of z: the corner of the least of -z.
    """
    taken = value <= _mean((low + high) / 2, value)
    while True:
        found = value <= _mean(np.where(taken, high, low), value)
        # A mean that rounding puts on the wrong side of a rule must not make the iteration go back and forth.
        found &= taken
        if np.array_equal(found, taken):
            return taken
        taken = found


def _mean(weight: FloatArray, value: FloatArray) -> FloatArray:
    return (weight * value).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
