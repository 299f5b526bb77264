"""From the weights of nodes to small integers times one scale per node, for all nodes at once.

A snap takes the weights of the edges into nodes, one contiguous run for each node, and the first position of each run.
It returns an integer per edge and a scale per run, so that scale x integer is the weight that the format stores.
Arithmetic in integers absorbs the scales: they are part of the multiplier by which a node rescales its sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import IntArray

Snap = Callable[[FloatArray, IntArray], tuple[IntArray, FloatArray]]
# The scale is this share of the one that represents the largest weight; the largest weights are cut to the others'
# advantage. Thirteen shares suffice: the error is flat around its least value.
SHARES = np.linspace(1, 0.4, 13)


class Snaps(NamedTuple):
    """The snaps of the edges into ``outputs`` and into all other nodes; None: weights stay as they are."""

    hidden: Snap | None
    outputs: Snap | None


NO_SNAPS = Snaps(None, None)


def least_error(levels: IntArray, shares: FloatArray = SHARES) -> Snap:
    """The nearest of ``levels``, which are the sizes an integer may have in rising order, with the scale of least
    squared error among ``shares`` of the largest."""
    middles = (levels[1:] + levels[:-1]) / 2

    def snap(weights: FloatArray, first: IntArray) -> tuple[IntArray, FloatArray]:
        run = _runs(weights, first)
        size, sign = np.abs(weights), np.sign(weights).astype(np.int64)
        largest = np.maximum.reduceat(size, first) / levels[-1]
        best, scale, least = np.zeros(len(weights), dtype=np.int64), largest.copy(), np.full(len(first), np.inf)
        for share in shares.tolist():
            tried = largest * share
            wide = _divisor(tried)[run]
            found = levels[np.searchsorted(middles, size / wide)]
            error = np.add.reduceat((size - found * wide) ** 2, first)
            better = error < least
            least, scale = np.where(better, error, least), np.where(better, tried, scale)
            best = np.where(better[run], found, best)
        return sign * best, scale

    return snap


def ternary(weights: FloatArray, first: IntArray) -> tuple[IntArray, FloatArray]:
    """-1, 0 or 1 with the threshold and the scale of least squared error, exactly.

    If the j largest are kept, the best scale is their mean, and the error falls by (their sum)² / j (Li & Liu 2016,
    Ternary weight networks, equations 3 and 4, https://arxiv.org/abs/1605.04711): the best j is found by trying all.
    """
    run, size = _runs(weights, first), np.abs(weights)
    order = np.lexsort((-size, run))
    total = np.cumsum(size[order])
    total -= (total[first] - size[order][first])[run]
    rank = np.arange(len(size)) - first[run] + 1
    gain = total**2 / rank
    is_best = gain >= np.maximum.reduceat(gain, first)[run]
    kept = np.minimum.reduceat(np.where(is_best, rank, len(size)), first)
    scale = total[first + kept - 1] / kept
    found = np.zeros(len(size), dtype=np.int64)
    found[order] = rank <= kept[run]
    return found * np.sign(weights).astype(np.int64), scale


def binary(weights: FloatArray, first: IntArray) -> tuple[IntArray, FloatArray]:
    """-1 or 1, and 1 for 0; the scale is the mean size (Rastegari et al. 2016, XNOR-Net, equation 6,
    https://arxiv.org/abs/1603.05279), which has the least squared error."""
    length = np.diff(first, append=len(weights))
    return np.where(weights < 0, -1, 1), np.add.reduceat(np.abs(weights), first) / length


def stochastic_binary(rng: np.random.Generator) -> Snap:
    """-1 or 1 at random, for training: 1 with the probability clip((w / scale + 1) / 2, 0, 1), so that the mean of what
    stands for a weight within the scale is the weight (Courbariaux et al. 2015, BinaryConnect, equation 2,
    https://arxiv.org/abs/1511.00363, in units of the scale). The scale is that of ``binary``."""

    def snap(weights: FloatArray, first: IntArray) -> tuple[IntArray, FloatArray]:
        _, scale = binary(weights, first)
        wide = _divisor(scale)[_runs(weights, first)]
        return np.where(rng.random(len(weights)) < (weights / wide + 1) / 2, 1, -1), scale

    return snap


def _runs(weights: FloatArray, first: IntArray) -> IntArray:
    """The run of each edge."""
    return np.repeat(np.arange(len(first)), np.diff(first, append=len(weights)))


def _divisor(scale: FloatArray) -> FloatArray:
    """The scale, or 1 where all weights are 0."""
    return np.where(scale > 0, scale, 1.0)
