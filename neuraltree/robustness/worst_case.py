"""The outputs furthest from the truth among those that changed inputs can give, and the error of these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.reduction.sum_intervals import Ends
from neuraltree.robustness.row_intervals import input_ends, output_ends
from neuraltree.tasks.metrics import Truth, metric_named
from neuraltree.tree.nodes import Nodes

LARGEST = 1e30  # of a regression an end without a bound counts as this much, whose square is a number


def worst_outputs(ends: Ends, truth: Truth) -> FloatArray:
    """(1, outputs, rows) the outputs between the ends (outputs, rows) that are worst for each row.

    For classes the lower end of the true class and the upper ends of all others, for numbers the further end.
    """
    low, high = (np.where(np.isnan(end), most, end) for end, most in zip(ends, (-np.inf, np.inf), strict=True))
    if truth.task.kind == "regression":
        low, high = np.clip(low, -LARGEST, LARGEST), np.clip(high, -LARGEST, LARGEST)
        true = truth.target.reshape(len(truth.target), -1).T
        return np.where(high - true >= true - low, high, low)[None]
    positions = np.arange(len(low))[:, None] if len(low) > 1 else 1
    return np.where(positions == truth.target, low, high)[None]


def robust_errors(
    trees: Sequence[Nodes],
    truth: Truth,
    rows: FloatArray,
    radius: float,
    fold: int | NDArray[np.integer] = 0,
    threshold: float = 0.0,
) -> FloatArray:
    """(trees,) 1 - R² or the error rate of the worst outputs for scaled ``rows`` (rows, features).

    Each input may change by ``radius``, and no such change makes the error larger. ``fold``: whose weights, one for all
    rows or (rows,); ``threshold``: the logit above which two classes are the second.
    """
    metric = metric_named("one_minus_r2" if truth.task.kind == "regression" else "error_rate")
    inputs = input_ends(np.asarray(rows, dtype=np.float64), radius)
    ends = (output_ends(nodes, inputs, fold) for nodes in trees)
    return np.array([metric(truth, worst_outputs(each, truth) - threshold)[0] for each in ends])
