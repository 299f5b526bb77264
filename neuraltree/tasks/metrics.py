"""The metrics of error, for many trees at once: tables, in which lower is better in every row.

A score, which is better if it is higher, counts as 1 - score. Every metric is a finite number for finite outputs,
whatever classes the rows lack.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tasks import links
from neuraltree.tasks.losses import HUBER_DELTA
from neuraltree.tasks.rank_metrics import (
    Mask,
    average_precision,
    precision_at_recall,
    recall_at_precision,
    roc_auc,
)
from neuraltree.tasks.task import Task

LEAST = 1e-12  # the lowest probability whose logarithm counts


class Truth(NamedTuple):
    """The true targets, to compare outputs (trees, outputs, rows) with.

    ``target`` holds class codes (rows,) or scaled values, (rows,) or (rows, targets); ``scale``, one for all targets
    or (targets,), turns scaled errors into natural units. ``deviation``, of the same shapes, is the standard deviation
    of the training targets in the units of ``target``. ``group`` (rows,): the number of each row's group, for the
    metric that compares groups.
    """

    task: Task
    target: NDArray
    scale: float | FloatArray = 1.0
    deviation: float | FloatArray = 1.0
    group: NDArray[np.int64] | None = None

    def take(self, rows: NDArray) -> Truth:
        """The truth about some of the rows."""
        return self._replace(target=self.target[rows], group=None if self.group is None else self.group[rows])


def probabilities(task: Task, outputs: FloatArray) -> FloatArray:
    """(trees, classes, rows) class probabilities, the same as a tree's ``predict_proba`` gives."""
    return links.probabilities(task.output_activation, outputs)


def predicted_classes(task: Task, outputs: FloatArray) -> NDArray[np.int64]:
    """(trees, rows) class codes, the same as the ``predict`` of a tree with the default threshold gives."""
    del task
    return links.class_codes(outputs)


def _squared_errors(truth: Truth, outputs: FloatArray) -> FloatArray:
    """(trees, targets) mean squared errors over the rows, in scaled units."""
    return np.mean((outputs - _by_target(truth)) ** 2, axis=2)


def _in_natural_units(truth: Truth, losses: FloatArray) -> FloatArray:
    """The mean over rows and targets of losses (trees, targets, rows) that are in scaled units."""
    return np.mean(losses.mean(axis=2) * truth.scale, axis=1)


def _by_target(truth: Truth) -> FloatArray:
    """The true values, (targets, rows)."""
    return truth.target.reshape(len(truth.target), -1).T


def _one_minus_r2(truth: Truth, outputs: FloatArray) -> FloatArray:
    """The mean of 1 − R² over the targets. A constant target counts 0 if it is predicted exactly, else 1."""
    errors, spread = _squared_errors(truth, outputs), np.var(_by_target(truth), axis=1)
    constant = np.where(errors > 0, 1.0, errors)
    return np.divide(errors, spread, out=constant, where=spread > 0).mean(axis=1)


def _rmse(truth: Truth, outputs: FloatArray) -> FloatArray:
    """The root of the mean squared error over all rows and targets, in natural units."""
    each = np.sqrt(_squared_errors(truth, outputs)) * truth.scale
    return np.sqrt(np.mean(each**2, axis=1))


def _mae(truth: Truth, outputs: FloatArray) -> FloatArray:
    return _in_natural_units(truth, np.abs(outputs - _by_target(truth)))


def _pinball(truth: Truth, outputs: FloatArray, quantile: float) -> FloatArray:
    """The loss whose best constant is this quantile of the targets."""
    missing = _by_target(truth) - outputs
    return _in_natural_units(truth, np.maximum(quantile * missing, (quantile - 1) * missing))


def _huber(truth: Truth, outputs: FloatArray) -> FloatArray:
    """Half the squared error in standard deviations, and linear from ``HUBER_DELTA`` on."""
    errors = np.abs(outputs - _by_target(truth)) / np.reshape(truth.deviation, (-1, 1))
    near = np.minimum(errors, HUBER_DELTA)
    return np.mean(near * (errors - 0.5 * near), axis=(1, 2))


def _error_rate(truth: Truth, outputs: FloatArray) -> FloatArray:
    return np.mean(predicted_classes(truth.task, outputs) != truth.target, axis=1)


def class_errors(truth: Truth, outputs: FloatArray) -> FloatArray:
    """(trees, classes) share of the rows of each class that are predicted as another class."""
    return _by_class(truth, predicted_classes(truth.task, outputs) != truth.target)


def _by_class(truth: Truth, values: NDArray) -> FloatArray:
    """(trees, classes) the means of ``values`` (trees, rows) over the rows of each class that has rows."""
    return np.stack([values[:, truth.target == c].mean(axis=1) for c in np.unique(truth.target)], axis=1)


def _balanced_error(truth: Truth, outputs: FloatArray) -> FloatArray:
    return class_errors(truth, outputs).mean(axis=1)


def group_errors(truth: Truth, outputs: FloatArray) -> FloatArray:
    """(trees, groups) the error of each group that has rows: of classes the error rate; of numbers the mean squared
    error, divided by the variance of the target over the rows of all groups, so that their mean is 1 - R²."""
    if truth.task.kind == "regression":
        true = _by_target(truth)
        spread = np.var(true, axis=1)[:, None]
        errors = np.mean((outputs - true) ** 2 / np.where(spread > 0, spread, 1.0), axis=1)
    else:
        errors = np.asarray(predicted_classes(truth.task, outputs) != truth.target, dtype=np.float64)
    if truth.group is None:
        raise ValueError("the rows have no groups")
    return np.stack([errors[:, truth.group == g].mean(axis=1) for g in np.unique(truth.group)], axis=1)


def _worst_group_error(truth: Truth, outputs: FloatArray) -> FloatArray:
    return group_errors(truth, outputs).max(axis=1)


def _f1_scores(truth: Truth, outputs: FloatArray) -> tuple[FloatArray, Mask]:
    """(trees, classes) F1 scores, and which classes are true or predicted in any row; the scores of others are 0."""
    predicted = predicted_classes(truth.task, outputs)
    scores, known = [], []
    for code in range(max(2, outputs.shape[1])):
        chosen, true = predicted == code, truth.target == code
        total = np.count_nonzero(chosen, axis=1) + np.count_nonzero(true)
        scores.append(2 * np.count_nonzero(chosen & true, axis=1) / np.maximum(total, 1))
        known.append(total > 0)
    return np.stack(scores, axis=1), np.stack(known, axis=1)


def _one_minus_f1(truth: Truth, outputs: FloatArray) -> FloatArray:
    """Of the second of two classes; 1 if that is neither true nor predicted in any row."""
    return 1.0 - _f1_scores(truth, outputs)[0][:, 1]


def _one_minus_f1_macro(truth: Truth, outputs: FloatArray) -> FloatArray:
    """1 - the mean F1 of the classes that are true or predicted in any row."""
    scores, known = _f1_scores(truth, outputs)
    return 1.0 - scores.sum(axis=1) / known.sum(axis=1)


def _log_loss(truth: Truth, outputs: FloatArray) -> FloatArray:
    """The mean of -log of the probability of the true class."""
    return -_log_likelihoods(truth, outputs).mean(axis=1)


def _balanced_log_loss(truth: Truth, outputs: FloatArray) -> FloatArray:
    """The mean of the log losses of the classes that have rows."""
    return -_by_class(truth, _log_likelihoods(truth, outputs)).mean(axis=1)


def _log_likelihoods(truth: Truth, outputs: FloatArray) -> FloatArray:
    """(trees, rows) the logarithm of the probability of the true class, which counts as ``LEAST`` if it is less.

    By functions of the C library: NumPy's own exp and log have other last bits on other processors.
    """
    from scipy.special import xlogy  # slow to import

    rows = np.arange(len(truth.target))
    if truth.task.output_activation == "identity":
        logits = links.class_outputs(outputs)
        log = logits[:, truth.target, rows] - np.logaddexp.reduce(logits, axis=1)
    else:
        log = xlogy(1.0, np.maximum(probabilities(truth.task, outputs)[:, truth.target, rows], LEAST))
    return np.maximum(log, math.log(LEAST))


def _class_scores(task: Task, outputs: FloatArray) -> FloatArray:
    """(trees, classes, rows) scores that rank rows as the probabilities of each class do, without NumPy's own exp.

    The largest logit is subtracted first, so that rows whose logits differ by a constant have equal scores.
    """
    if task.output_activation != "identity":
        return probabilities(task, outputs)
    if outputs.shape[1] == 1:
        return np.concatenate([-outputs, outputs], axis=1)
    logits = outputs - outputs.max(axis=1, keepdims=True)
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def _one_minus_roc_auc(truth: Truth, outputs: FloatArray) -> FloatArray:
    """1 - the area for the second of two classes, or the mean over the classes that have rows, each against the rest.

    0.5 if all rows are of one class.
    """
    scores = _class_scores(truth.task, outputs)
    codes = np.unique(truth.target) if scores.shape[1] > 2 else [1]
    return 1.0 - np.mean([roc_auc(truth.target == code, scores[:, code]) for code in codes], axis=0)


def _of_second_class(score: Callable[[Mask, FloatArray], FloatArray]) -> Metric:
    """1 - the score of the ranking of rows by the probability of the second of two classes."""

    def metric(truth: Truth, outputs: FloatArray) -> FloatArray:
        return 1.0 - score(truth.target == 1, _class_scores(truth.task, outputs)[:, 1])

    return metric


Metric = Callable[[Truth, FloatArray], FloatArray]  # of outputs (trees, outputs, rows): (trees,)

METRICS: dict[str, Metric] = {
    "one_minus_r2": _one_minus_r2,
    "rmse": _rmse,
    "mae": _mae,
    "huber": _huber,
    "error_rate": _error_rate,
    "balanced_error": _balanced_error,
    "log_loss": _log_loss,
    "balanced_log_loss": _balanced_log_loss,
    "worst_group_error": _worst_group_error,
    "one_minus_f1": _one_minus_f1,
    "one_minus_f1_macro": _one_minus_f1_macro,
    "one_minus_roc_auc": _one_minus_roc_auc,
    "one_minus_average_precision": _of_second_class(average_precision),
}
# Metrics at a level between 0 and 1, such as "pinball_0.9".
AT_LEVEL: dict[str, Callable[[float], Metric]] = {
    "pinball": lambda level: partial(_pinball, quantile=level),
    "one_minus_recall_at_precision": lambda level: _of_second_class(partial(recall_at_precision, level=level)),
    "one_minus_precision_at_recall": lambda level: _of_second_class(partial(precision_at_recall, level=level)),
}


def metric_named(name: str) -> Metric:
    """A row of ``METRICS``, or one of ``AT_LEVEL`` at the level that follows the last ``_``."""
    if name in METRICS:
        return METRICS[name]
    stem, _, level = name.rpartition("_")
    return AT_LEVEL[stem](float(level))
