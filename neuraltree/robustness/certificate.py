"""How far the inputs of a row may change before its prediction can: certificates, by intervals.

A radius is in standard deviations of each input, as the tree's scaler has them, and every input may change by it at
once (the largest of the changes counts, L-infinity). Within the certified radius no change of the inputs changes the
class: a proof, not the absence of a found counter-example. The true radius may be larger, as intervals of an input that
is read twice are too wide.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.node_values import scaled_rows
from neuraltree.robustness.integer_intervals import integer_input_ends, score_ends
from neuraltree.robustness.row_intervals import input_ends, output_ends
from neuraltree.tasks.links import class_codes
from neuraltree.tree.tree import Tree

MOST = 8.0  # standard deviations: rows do not lie further apart
HALVINGS = 24  # of the range in which a radius lies, so that it is found to 5e-7 of ``most``

Proved = Callable[[FloatArray], NDArray[np.bool_]]  # of radii (rows,): whether each row's prediction cannot change
OutputEnds = Callable[[FloatArray], tuple[NDArray, NDArray]]  # of radii (rows,): ends of outputs (rows, outputs)


class _Bounded(NamedTuple):
    """The ``ends`` of a model's outputs on some rows, its ``outputs`` (rows, outputs), and the output above which two
    classes are the second."""

    ends: OutputEnds
    outputs: NDArray
    threshold: float


def certified_radius(
    model: Tree | IntegerTree, X: ArrayLike, *, tolerance: float | None = None, most: float = MOST
) -> FloatArray:
    """(rows,) radii within which the predictions of raw rows ``X`` (rows, features) cannot change.

    ``tolerance``: for a regression, how much the prediction may change, in the target's units. ``most``: the largest
    radius that is tried; a row of this radius may have a larger one. Of an ``IntegerTree`` the radii are those of its
    8-bit code. Raises ``ValueError`` as ``scaled_rows`` does, without a ``tolerance`` for a regression, or with one for
    classes.
    """
    return _largest(_proved(model, X, tolerance), len(np.asarray(X)), most)


def certified(
    model: Tree | IntegerTree, X: ArrayLike, radius: float | FloatArray, *, tolerance: float | None = None
) -> NDArray[np.bool_]:
    """(rows,) whether no change of the inputs of a row within ``radius``, one or (rows,), changes its prediction.

    Otherwise as ``certified_radius``.
    """
    return _proved(model, X, tolerance)(np.broadcast_to(np.asarray(radius, dtype=np.float64), len(np.asarray(X))))


def _largest(proved: Proved, rows: int, most: float) -> FloatArray:
    """The largest radius of each row for which the proof was found: never one between those tried."""
    low, high = np.zeros(rows), np.full(rows, float(most))
    low = np.where(proved(high), high, low)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        holds = proved(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return low


def _proved(model: Tree | IntegerTree, X: ArrayLike, tolerance: float | None) -> Proved:
    tree = model.source if isinstance(model, IntegerTree) else model
    if (tree.classes is None) != (tolerance is not None):
        what = "classes, which need no tolerance" if tree.classes else "numbers; give the tolerance, in their units"
        raise ValueError(f"tolerance is {tolerance}, and the tree predicts {what}")
    scaled_rows(tree, X)  # checks them
    rows = np.asarray(X, dtype=np.float64)
    bounded = _of_integers(model, rows) if isinstance(model, IntegerTree) else _of_floats(model, rows)
    if tolerance is None:
        codes = class_codes(bounded.outputs, bounded.threshold)
        return lambda radius: keeps_class(*bounded.ends(radius), codes, bounded.threshold)

    def within(radius: FloatArray) -> NDArray[np.bool_]:
        low, high = bounded.ends(radius)
        return np.asarray(((high - bounded.outputs <= tolerance) & (bounded.outputs - low <= tolerance)).all(axis=1))

    return within


def keeps_class(low: NDArray, high: NDArray, codes: NDArray[np.integer], threshold: float) -> NDArray[np.bool_]:
    """(rows,) whether ``codes`` (rows,) are predicted for all outputs between the ends (rows, outputs).

    The first of equal outputs wins, so a class before ``codes`` may not even be equal.
    """
    if low.shape[1] == 1:
        return np.where(codes == 1, low[:, 0] > threshold, high[:, 0] <= threshold)
    own = np.take_along_axis(low, codes[:, None], axis=1)
    place = np.arange(low.shape[1])
    beaten = np.where(place < codes[:, None], high < own, high <= own) | (place == codes[:, None])
    return np.asarray(beaten.all(axis=1))


def _of_floats(tree: Tree, rows: FloatArray) -> _Bounded:
    scaled, target = scaled_rows(tree, rows), tree.target_scaler

    def ends(radius: FloatArray) -> tuple[NDArray, NDArray]:
        low, high = (end.T for end in output_ends(tree.nodes, input_ends(scaled, radius)))
        return (low, high) if target is None else (target.inverse(low), target.inverse(high))

    return _Bounded(ends, tree.outputs(rows), tree.logit_threshold)


def _of_integers(model: IntegerTree, rows: FloatArray) -> _Bounded:
    regression = model.source.classes is None

    def ends(radius: FloatArray) -> tuple[NDArray, NDArray]:
        low, high = (end.astype(np.int32) for end in score_ends(model, integer_input_ends(model, rows, radius)))
        return (model.outputs.values(low), model.outputs.values(high)) if regression else (low, high)

    scores = model.scores(model.quantize(rows))
    return _Bounded(ends, model.outputs.values(scores) if regression else scores, float(model.score_threshold))
