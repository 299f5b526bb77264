"""Decision thresholds of two classes, chosen out of fold: by rows that the model was not fitted to.

The threshold is the logit above which the second class is predicted. It does not change probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tasks.metrics import Truth, metric_named
from search.engine.evaluate import Fold

CANDIDATES = 200  # thresholds tried, besides 0
RANKED = "one_minus_f1"  # what the threshold is chosen by if the metric ranks rows and decides nothing
DECIDING = ("error_rate", "balanced_error", "worst_group_error", "one_minus_f1", "one_minus_f1_macro")
Choice = Callable[[Truth, FloatArray], FloatArray]  # from shifted logits (thresholds, 1, rows): (thresholds,) losses


def chosen_by(metric: str) -> Choice:
    """The loss that a threshold minimises: the metric, or F1 if it does not depend on decisions."""
    stem, _, level = metric.rpartition("_")
    if stem in AT_LEVEL:
        return lambda truth, logits: AT_LEVEL[stem](*_precision_and_recall(truth, logits), float(level))
    return metric_named(metric if metric in DECIDING else RANKED)


def _precision_and_recall(truth: Truth, logits: FloatArray) -> tuple[FloatArray, FloatArray]:
    predicted, positive = logits[:, 0] > 0, truth.target == 1
    hits = np.count_nonzero(predicted & positive, axis=1)
    alarms = np.count_nonzero(predicted, axis=1)
    return hits / np.maximum(alarms, 1), hits / max(int(positive.sum()), 1)


def _held(value: FloatArray, bound: FloatArray, level: float) -> FloatArray:
    """1 - ``value`` where ``bound`` reaches the level; elsewhere more than any of these, the less the nearer."""
    return np.where(bound >= level, 1 - value, 2 - bound)


AT_LEVEL: dict[str, Callable[[FloatArray, FloatArray, float], FloatArray]] = {
    "one_minus_recall_at_precision": lambda precision, recall, level: _held(recall, precision, level),
    "one_minus_precision_at_recall": lambda precision, recall, level: _held(precision, recall, level),
}


def best_threshold(choice: Choice, truth: Truth, logits: FloatArray) -> float:
    """The threshold of ``logits`` (rows,) with the least loss; of equally good ones the nearest to 0."""
    places = np.unique(logits)
    middle = (places[1:] + places[:-1]) / 2
    tried = middle[np.linspace(0, len(middle) - 1, min(CANDIDATES, len(middle))).astype(int)] if len(middle) else middle
    tried = np.append(tried, 0.0)
    losses = choice(truth, logits[None, None] - tried[:, None, None])
    return float(tried[np.lexsort((np.abs(tried), losses))[0]])


def thresholds(metric: str, truth: Truth, outputs: FloatArray) -> FloatArray:
    """(trees,) the threshold of each tree, from ``outputs`` (trees, 1, rows)."""
    choice = chosen_by(metric)
    return np.array([best_threshold(choice, truth, each[0]) for each in outputs])


def decided(metric: str, truth: Truth, folds: Sequence[Fold], outputs: FloatArray) -> FloatArray:
    """The outputs less their threshold, so that 0 decides: each fold's is chosen by the rows of the other folds.

    ``outputs`` (trees, 1, rows) are for the validation rows, fold after fold; ``truth`` is about these rows.
    """
    if metric not in DECIDING:
        return outputs
    fold_of: NDArray[np.int64] = np.repeat(np.arange(len(folds)), [len(held) for _, held in folds])
    found = outputs.copy()
    for k in range(len(folds)):
        others = fold_of != k
        apart = thresholds(metric, truth.take(others), outputs[:, :, others])
        found[:, :, ~others] -= apart[:, None, None]
    return found
