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
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.node_values import finite_rows, scaled_rows
from neuraltree.robustness.integer_intervals import integer_input_ends, score_ends
from neuraltree.robustness.radii import checked_radii
from neuraltree.robustness.row_intervals import input_ends, output_ends
from neuraltree.tasks.links import class_codes
from neuraltree.tree.tree import Inputs, Tree

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
    model: Tree | IntegerTree, X: Inputs, *, tolerance: float | None = None, most: float = MOST
) -> FloatArray:
    """(rows,) radii within which the predictions of raw rows ``X`` (rows, features) cannot change.

    ``tolerance``: for a regression, how much the prediction may change, in the target's units. ``most``: the largest
    radius that is tried; a row of this radius may have a larger one. Of an ``IntegerTree`` the radii are those of its
    8-bit code. ``X`` may have columns by name, as in ``Tree.outputs``. Raises ``ValueError`` as ``finite_rows`` does,
    without a ``tolerance`` for a regression, or with one for classes, and for one or for ``most`` out of range.
    """
    if not 0 < most < np.inf:
        raise ValueError(f"most is {most!r}; it is the largest radius to try, a finite number above 0")
    proved, rows = _proved(model, X, tolerance)
    return _largest(proved, rows, most)


def certified(
    model: Tree | IntegerTree, X: Inputs, radius: float | FloatArray, *, tolerance: float | None = None
) -> NDArray[np.bool_]:
    """(rows,) whether no change of the inputs of a row within ``radius``, one or (rows,), changes its prediction.

    Otherwise as ``certified_radius``; ``ValueError`` for a radius that is negative, NaN, or not one for each row.
    """
    proved, rows = _proved(model, X, tolerance)
    return proved(np.broadcast_to(checked_radii(radius, rows), rows))


def _largest(proved: Proved, rows: int, most: float) -> FloatArray:
    """The largest radius of each row for which the proof was found: never one between those tried."""
    low, high = np.zeros(rows), np.full(rows, float(most))
    low = np.where(proved(high), high, low)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        holds = proved(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return low


def _proved(model: Tree | IntegerTree, X: Inputs, tolerance: float | None) -> tuple[Proved, int]:
    """The proof, and the number of rows."""
    tree = model.source if isinstance(model, IntegerTree) else model
    if not isinstance(tree, Tree):
        raise ValueError(
            f"the model is a {type(model).__name__}; give a Tree, such as tree_ of an estimator, or an IntegerTree of "
            "quantize_tree"
        )
    if (tree.classes is None) != (tolerance is not None):
        what = "classes, which need no tolerance" if tree.classes else "numbers; give the tolerance, in their units"
        raise ValueError(f"tolerance is {tolerance}, and the tree predicts {what}")
    if tolerance is not None and not 0 <= tolerance < np.inf:
        raise ValueError(f"tolerance is {tolerance!r}; it is a finite number of 0 or more, in the target's units")
    rows = finite_rows(tree, model.raw_rows(X) if isinstance(model, IntegerTree) else X)
    bounded = _of_integers(model, rows) if isinstance(model, IntegerTree) else _of_floats(model, rows)
    if tolerance is None:
        codes = class_codes(bounded.outputs, bounded.threshold)
        return lambda radius: keeps_class(*bounded.ends(radius), codes, bounded.threshold), len(rows)

    def within(radius: FloatArray) -> NDArray[np.bool_]:
        low, high = bounded.ends(radius)
        return np.asarray(((high - bounded.outputs <= tolerance) & (bounded.outputs - low <= tolerance)).all(axis=1))

    return within, len(rows)


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
        return (values(low), values(high)) if regression else (low, high)

    def values(scores: NDArray) -> FloatArray:
        # Differences of single floats would round, and so would the tolerance that is compared to them.
        return model.outputs.values(scores).astype(np.float64)

    scores = model.scores(model.quantize(rows))
    return _Bounded(ends, values(scores) if regression else scores, float(model.score_threshold))
