"""The training losses: a table with one row each, for NumPy and JAX arrays alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from neuraltree.arrays import EngineArray, FloatArray

LEAST_SHARE = 1e-12  # of a class, so that it has a logit


@cache
def _numpy() -> Any:
    """The functions of ``jax.nn`` that are used here, for NumPy arrays."""
    from scipy.special import expit, logsumexp, softmax  # slow to import, like JAX

    return SimpleNamespace(softplus=partial(np.logaddexp, 0), sigmoid=expit, logsumexp=logsumexp, softmax=softmax)


def _nn(outputs: EngineArray) -> Any:
    if isinstance(outputs, np.ndarray):
        return _numpy()
    from jax import nn  # not needed for NumPy arrays

    return nn


def _squared(z: EngineArray, y: EngineArray) -> EngineArray:
    """Half the squared error summed over outputs, as in the sources' delta rule."""
    return 0.5 * ((z - y) ** 2).sum(axis=-2)


def _logistic(z: EngineArray, y: EngineArray) -> EngineArray:
    return (_nn(z).softplus(z) - y * z).sum(axis=-2)


def _cross_entropy(z: EngineArray, y: EngineArray) -> EngineArray:
    return _nn(z).logsumexp(z, axis=-2) - (y * z).sum(axis=-2)


class Loss(NamedTuple):
    """A training loss of outputs (..., outputs, rows) against targets with the same number of axes.

    ``value`` gives the loss (..., rows); ``expected`` gives the targets that the outputs predict.
    """

    value: Callable[[EngineArray, EngineArray], EngineArray]
    expected: Callable[[EngineArray], EngineArray]

    def gradient(self, outputs: EngineArray, targets: EngineArray) -> EngineArray:
        """The derivative of the value by the outputs: for all these losses, expected minus true targets."""
        return self.expected(outputs) - targets


LOSSES: dict[str, Loss] = {
    "squared": Loss(_squared, lambda z: z),
    "logistic": Loss(_logistic, lambda z: _nn(z).sigmoid(z)),
    "softmax": Loss(_cross_entropy, lambda z: _nn(z).softmax(z, axis=-2)),
}


def constant_loss(loss: str, targets: FloatArray, weight: FloatArray) -> float:
    """The mean loss of the best constant for targets (rows, outputs) with weights (rows,)."""
    mean = np.average(targets, axis=0, weights=weight)[:, None]
    share = np.clip(mean, LEAST_SHARE, 1 - LEAST_SHARE)
    best = {"squared": mean, "logistic": np.log(share / (1 - share)), "softmax": np.log(share)}[loss]
    return float(np.average(LOSSES[loss].value(best, targets.T), weights=weight))
