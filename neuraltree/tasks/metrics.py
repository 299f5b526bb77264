"""The metrics of error, for many trees at once: a table, in which lower is better in every row."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tasks import links
from neuraltree.tasks.task import Task

LEAST = 1e-12  # the lowest probability whose logarithm counts


class Truth(NamedTuple):
    """The true targets, to compare outputs (trees, outputs, rows) with.

    ``target`` holds class codes (rows,) or scaled values, (rows,) or (rows, targets); ``scale``, one for all targets
    or (targets,), turns scaled errors into natural units.
    """

    task: Task
    target: NDArray
    scale: float | FloatArray = 1.0


def probabilities(task: Task, outputs: FloatArray) -> FloatArray:
    """(trees, classes, rows) class probabilities, the same as a tree's ``predict_proba`` gives."""
    return links.probabilities(task.output_activation, outputs)


def predicted_classes(task: Task, outputs: FloatArray) -> NDArray[np.int64]:
    """(trees, rows) class codes, the same as a tree's ``predict`` gives."""
    del task
    return links.class_codes(outputs)


def _squared_errors(truth: Truth, outputs: FloatArray) -> FloatArray:
    """(trees, targets) mean squared errors over the rows, in scaled units."""
    return np.mean((outputs - _by_target(truth)) ** 2, axis=2)


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


def _error_rate(truth: Truth, outputs: FloatArray) -> FloatArray:
    return np.mean(predicted_classes(truth.task, outputs) != truth.target, axis=1)


def class_errors(truth: Truth, outputs: FloatArray) -> FloatArray:
    """(trees, classes) share of the rows of each class that are predicted as another class."""
    wrong = predicted_classes(truth.task, outputs) != truth.target
    return np.stack([wrong[:, truth.target == c].mean(axis=1) for c in np.unique(truth.target)], axis=1)


def _balanced_error(truth: Truth, outputs: FloatArray) -> FloatArray:
    return class_errors(truth, outputs).mean(axis=1)


def _log_loss(truth: Truth, outputs: FloatArray) -> FloatArray:
    """The mean of -log of the probability of the true class, which counts as ``LEAST`` if it is less.

    By functions of the C library: NumPy's own exp and log have other last bits on other processors.
    """
    from scipy.special import xlogy  # slow to import

    rows = np.arange(len(truth.target))
    if truth.task.output_activation == "identity":
        logits = links.class_outputs(outputs)
        log = logits[:, truth.target, rows] - np.logaddexp.reduce(logits, axis=1)
    else:
        log = xlogy(1.0, np.maximum(probabilities(truth.task, outputs)[:, truth.target, rows], LEAST))
    return -np.maximum(log, math.log(LEAST)).mean(axis=1)


METRICS: dict[str, Callable[[Truth, FloatArray], FloatArray]] = {
    "one_minus_r2": _one_minus_r2,
    "rmse": _rmse,
    "error_rate": _error_rate,
    "balanced_error": _balanced_error,
    "log_loss": _log_loss,
}
