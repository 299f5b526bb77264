"""What training lowers: one table, one row each, for the arrays of NumPy and of JAX alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, logsumexp, softmax

from neuraltree.arrays import EngineArray

# What ``jax.nn`` has, for NumPy.
_NUMPY = SimpleNamespace(softplus=partial(np.logaddexp, 0), sigmoid=expit, logsumexp=logsumexp, softmax=softmax)


def _nn(outputs: EngineArray) -> Any:
    if isinstance(outputs, np.ndarray):
        return _NUMPY
    from jax import nn  # slow to import, and NumPy's arrays do without

    return nn


def _squared(z: EngineArray, y: EngineArray) -> EngineArray:
    """Half the squared error summed over outputs, as the sources' delta rule has it."""
    return 0.5 * ((z - y) ** 2).sum(axis=-2)


def _logistic(z: EngineArray, y: EngineArray) -> EngineArray:
    return (_nn(z).softplus(z) - y * z).sum(axis=-2)


def _cross_entropy(z: EngineArray, y: EngineArray) -> EngineArray:
    return _nn(z).logsumexp(z, axis=-2) - (y * z).sum(axis=-2)


class Loss(NamedTuple):
    """A training loss of outputs (..., outputs, rows) against targets of as many axes.

    ``value`` (..., rows); ``expected``: the targets that outputs predict.
    """

    value: Callable[[EngineArray, EngineArray], EngineArray]
    expected: Callable[[EngineArray], EngineArray]

    def gradient(self, outputs: EngineArray, targets: EngineArray) -> EngineArray:
        """The derivative of the value by the outputs: of all these losses, what is expected less what is true."""
        return self.expected(outputs) - targets


LOSSES: dict[str, Loss] = {
    "squared": Loss(_squared, lambda z: z),
    "logistic": Loss(_logistic, lambda z: _nn(z).sigmoid(z)),
    "softmax": Loss(_cross_entropy, lambda z: _nn(z).softmax(z, axis=-2)),
}
