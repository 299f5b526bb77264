"""How wrong predictions are: one table, every row minimised, for many trees at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from neuraltree.tasks import Task

Array = NDArray[np.float64]


class Truth(NamedTuple):
    """What outputs (trees, outputs, rows) are compared with.

    ``target`` (rows,) holds scaled values or class codes; ``scale`` turns scaled errors into natural units.
    """

    task: Task
    target: NDArray
    scale: float = 1.0


def probabilities(task: Task, outputs: Array) -> Array:
    """(trees, classes, rows) class probabilities; sigmoid outputs are normalised to sum to one."""
    if task.n_outputs == 1:
        positive = expit(outputs)
        return np.concatenate([1 - positive, positive], axis=1)
    if task.output_activation == "sigmoid":
        # The tiny constant keeps outputs that are all zero from dividing zero by zero.
        shifted = outputs + 1e-12
        return shifted / shifted.sum(axis=1, keepdims=True)
    return softmax(outputs, axis=1)


def predicted_classes(task: Task, outputs: Array) -> NDArray[np.int64]:
    """(trees, rows) class codes; the first of equal outputs wins."""
    if task.n_outputs == 1:
        return (outputs[:, 0] > 0).astype(np.int64)
    return outputs.argmax(axis=1)


def _squared_error(truth: Truth, outputs: Array) -> Array:
    return np.mean((outputs[:, 0] - truth.target) ** 2, axis=1)


def _one_minus_r2(truth: Truth, outputs: Array) -> Array:
    return _squared_error(truth, outputs) / np.var(truth.target)


def _rmse(truth: Truth, outputs: Array) -> Array:
    return np.sqrt(_squared_error(truth, outputs)) * truth.scale


def _error_rate(truth: Truth, outputs: Array) -> Array:
    return np.mean(predicted_classes(truth.task, outputs) != truth.target, axis=1)


def class_errors(truth: Truth, outputs: Array) -> Array:
    """(trees, classes) share of each class's rows that is predicted as another class."""
    wrong = predicted_classes(truth.task, outputs) != truth.target
    return np.stack([wrong[:, truth.target == c].mean(axis=1) for c in np.unique(truth.target)], axis=1)


def _balanced_error(truth: Truth, outputs: Array) -> Array:
    return class_errors(truth, outputs).mean(axis=1)


def _log_loss(truth: Truth, outputs: Array) -> Array:
    chosen = probabilities(truth.task, outputs)[:, truth.target, np.arange(len(truth.target))]
    return -np.log(np.maximum(chosen, 1e-12)).mean(axis=1)


METRICS: dict[str, Callable[[Truth, Array], Array]] = {
    "one_minus_r2": _one_minus_r2,
    "rmse": _rmse,
    "error_rate": _error_rate,
    "balanced_error": _balanced_error,
    "log_loss": _log_loss,
}
REGRESSION_METRICS = ("one_minus_r2", "rmse")
