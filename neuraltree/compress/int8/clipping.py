"""The input ranges that 8 bits need for one tree, judged by its predictions for training rows.

The squared rounding error of an input alone is a poor guide. For a log-normal input a few outliers cause nearly all of
it, although the tree is saturated there; a range that includes them leaves only a few steps for all other rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import input_range, scaler_of
from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.compress.int8.losing import int8_loss, spread_rows
from neuraltree.tasks.losses import LOSSES
from neuraltree.tasks.task import LOSS_OF
from neuraltree.tree.nodes import IntArray, Nodes, is_leaf, parents
from neuraltree.tree.tree import Tree

CLIPPED = np.array([0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3])  # share of the rows beyond one end of a range


@np.errstate(all="ignore")  # a tree whose sums overflow keeps its ranges
def fit_ranges(tree: Tree, X: ArrayLike, weight: ArrayLike | None = None) -> Tree:
    """The tree with the input ranges that change its predictions least.

    ``X`` (rows, features) raw training inputs, ``weight`` (rows,) weights of the rows. The ends of the ranges tried are
    quantiles of the rows; the present range of the tree is tried too. Inputs are fitted one at a time: the input is
    rounded and clamped while all others stay exact. The change is squared, in standardised units of the target or in
    probabilities.
    """
    X = np.asarray(X, dtype=np.float64)
    chosen = spread_rows(len(X))
    Z = scaler_of(tree).transform(X[chosen])
    counts = np.ones(len(Z)) if weight is None else np.asarray(weight, dtype=np.float64)[chosen]
    passed = _forward(tree, Z.T)
    reach, middle = input_range(tree).copy(), np.zeros(len(tree.features))
    middle += 0 if tree.input_middle is None else tree.input_middle
    for feature in np.unique(tree.nodes["op"][is_leaf(tree.nodes)]).tolist():
        now = (middle[feature] - reach[feature], middle[feature] + reach[feature])
        low, high = _best_range(passed, feature, Z[:, feature], counts, now)
        reach[feature], middle[feature] = (high - low) / 2, (high + low) / 2
    return replace(tree, input_range=reach, input_middle=middle)


def with_integers(tree: Tree, X: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None) -> Tree:
    """The tree with input ranges for 8-bit code fitted to training rows, and the loss of that code on them."""
    tree = fit_ranges(tree, X, weight)
    return replace(tree, int8_loss=int8_loss(tree, X, y, weight))


class _Passed(NamedTuple):
    """A tree's float pass over rows: sums and values (nodes, rows), the positions of the outputs, and the tree."""

    nodes: Nodes
    parent: IntArray
    sums: FloatArray
    values: FloatArray
    tops: IntArray
    tree: Tree

    def predicted(self, outputs: FloatArray) -> FloatArray:
        """The predictions, values or probabilities, from the values of output nodes (..., outputs, rows)."""
        name = LOSS_OF.get((self.tree.kind, self.tree.output_activation), "squared")
        return LOSSES[name].expected(outputs)


def _forward(tree: Tree, columns: FloatArray) -> _Passed:
    nodes = tree.nodes
    parent, op = parents(nodes["depth"]), nodes["op"]
    sums, values = np.zeros((2, len(nodes), columns.shape[1]))
    for i in range(len(nodes) - 1, -1, -1):  # a node after all its children
        if op[i] >= 0:
            values[i] = columns[op[i]]
        else:
            sums[i] += nodes["bias"][i, 0]
            values[i] = ACTIVATIONS[~op[i]].value(sums[i])
        if parent[i] >= 0:
            sums[parent[i]] += nodes["weight"][i, 0] * values[i]
    return _Passed(nodes, parent, sums, values, np.flatnonzero(nodes["depth"] == 0), tree)


def _best_range(
    passed: _Passed, feature: int, z: FloatArray, counts: FloatArray, now: tuple[float, float]
) -> tuple[float, float]:
    """Choose the upper end, then the lower end, then the upper end again; of equally good ones the first, which clips
    least."""
    lows, highs = np.quantile(z, CLIPPED).tolist(), np.quantile(z, 1 - CLIPPED).tolist()
    best = _least(passed, feature, z, counts, [now, *((lows[0], high) for high in highs)])
    best = _least(passed, feature, z, counts, [best, *((low, best[1]) for low in lows)])
    return _least(passed, feature, z, counts, [best, *((best[0], high) for high in highs)])


def _least(
    passed: _Passed, feature: int, z: FloatArray, counts: FloatArray, ranges: list[tuple[float, float]]
) -> tuple[float, float]:
    low, high = np.array([pair for pair in ranges if pair[1] > pair[0]]).T[:, :, None]
    middle, step = (low + high) / 2, (high - low) / (2 * UNIT)
    rounded = middle + np.clip(np.rint((z - middle) / step), -UNIT, UNIT) * step
    errors = _changes(passed, feature, rounded - z) @ counts
    best = int(np.argmin(np.where(np.isnan(errors), np.inf, errors)))
    return float(low[best, 0]), float(high[best, 0])


def _changes(passed: _Passed, feature: int, change: FloatArray) -> FloatArray:
    """(ranges, rows) squared change of the predictions, for a change (ranges, rows) of one input.

    Only the nodes on the way from the input's leaves to the outputs are computed again.
    """
    sums: dict[int, FloatArray] = {}
    weight, op = passed.nodes["weight"][:, 0], passed.nodes["op"]
    leaves = np.flatnonzero(op == feature).tolist()
    above = {up for leaf in leaves for up in _above(passed.parent, leaf)}
    outputs = np.repeat(passed.values[passed.tops][None], len(change), axis=0)
    for i in sorted({*leaves, *above}, reverse=True):  # a node after all its children
        moved = change if op[i] >= 0 else ACTIVATIONS[~op[i]].value(passed.sums[i] + sums.pop(i)) - passed.values[i]
        if passed.parent[i] >= 0:
            sums[passed.parent[i]] = sums.get(passed.parent[i], 0.0) + weight[i] * moved
        else:
            outputs[:, np.searchsorted(passed.tops, i)] += moved
    before = passed.predicted(passed.values[passed.tops])
    return np.square(passed.predicted(outputs) - before).sum(axis=1)


def _above(parent: IntArray, leaf: int) -> list[int]:
    """The nodes on the way from a leaf to its output."""
    found, at = [], int(parent[leaf])
    while at >= 0:
        found.append(at)
        at = int(parent[at])
    return found
