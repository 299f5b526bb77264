"""The training losses: a table with one row each, for NumPy and JAX arrays alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from neuraltree.arrays import EngineArray, FloatArray

LEAST_SHARE = 1e-12  # of a class, so that it has a logit
HUBER_DELTA = 1.0  # standard deviations of the target, from which the Huber loss is linear
C_DELTA = f"(REAL){HUBER_DELTA}"
CENTRING = 50  # steps to the centre of targets
LEVEL = re.compile(r"0\.\d*[1-9]")  # one text for each number, so that nothing has two names


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


def _squared(z: EngineArray, y: EngineArray, level: float) -> EngineArray:
    """Half the squared error summed over outputs, as in the sources' delta rule."""
    return 0.5 * ((z - y) ** 2).sum(axis=-2)


def _logistic(z: EngineArray, y: EngineArray, level: float) -> EngineArray:
    return (_nn(z).softplus(z) - y * z).sum(axis=-2)


def _cross_entropy(z: EngineArray, y: EngineArray, level: float) -> EngineArray:
    return _nn(z).logsumexp(z, axis=-2) - (y * z).sum(axis=-2)


def _huber(z: EngineArray, y: EngineArray, level: float) -> EngineArray:
    """Half the squared error up to ``HUBER_DELTA``, and linear from there on (Huber 1964), summed over outputs."""
    error = abs(z - y)
    near = error.clip(0, HUBER_DELTA)
    return (near * (error - 0.5 * near)).sum(axis=-2)


def _pinball(z: EngineArray, y: EngineArray, level: float) -> EngineArray:
    """The loss that the quantile ``level`` of the targets minimises (Koenker & Bassett 1978), summed over outputs."""
    return ((y - z).clip(0) * level + (z - y).clip(0) * (1 - level)).sum(axis=-2)


class Loss(NamedTuple):
    """A training loss of outputs (..., outputs, rows) against targets with the same number of axes.

    ``formula`` gives the loss (..., rows), at a level if the loss has one; ``expected`` gives the targets that the
    outputs predict. ``slope`` is the derivative of the loss by the outputs, if it is not expected minus true targets.
    ``c_value`` and ``c_slope`` are the loss and its derivative in C, for one output, in ``z``, ``y`` and ``level``;
    empty for a loss that depends on all outputs together.
    """

    formula: Callable[[EngineArray, EngineArray, float], EngineArray]
    expected: Callable[[EngineArray], EngineArray]
    c_value: str = ""
    c_slope: str = ""
    slope: Callable[[EngineArray, EngineArray, float], EngineArray] | None = None

    def value(self, outputs: EngineArray, targets: EngineArray, level: float = 0.0) -> EngineArray:
        return self.formula(outputs, targets, level)

    def gradient(self, outputs: EngineArray, targets: EngineArray, level: float = 0.0) -> EngineArray:
        """The derivative of ``value`` by the outputs."""
        return self.slope(outputs, targets, level) if self.slope else self.expected(outputs) - targets


LOSSES: dict[str, Loss] = {
    "squared": Loss(_squared, lambda z: z, c_value="(REAL)0.5 * ((z - y) * (z - y))", c_slope="z - y"),
    "logistic": Loss(
        _logistic,
        lambda z: _nn(z).sigmoid(z),
        c_value="((z > 0 ? z : 0) + NAME(log1p)(NAME(exp)(z < 0 ? z : -z))) - y * z",
        c_slope="1 / (1 + NAME(exp)(-z)) - y",
    ),
    "softmax": Loss(_cross_entropy, lambda z: _nn(z).softmax(z, axis=-2)),
    "huber": Loss(
        _huber,
        lambda z: z,
        c_value=f"z - y > {C_DELTA} ? {C_DELTA} * (z - y - {C_DELTA} / 2) : "
        f"y - z > {C_DELTA} ? {C_DELTA} * (y - z - {C_DELTA} / 2) : (REAL)0.5 * ((z - y) * (z - y))",
        c_slope=f"z - y > {C_DELTA} ? {C_DELTA} : y - z > {C_DELTA} ? -{C_DELTA} : z - y",
        slope=lambda z, y, level: (z - y).clip(-HUBER_DELTA, HUBER_DELTA),
    ),
    "pinball": Loss(
        _pinball,
        lambda z: z,
        c_value="y > z ? level * (y - z) : (1 - level) * (z - y)",
        c_slope="z > y ? 1 - level : -level",
        slope=lambda z, y, level: (z > y).astype(z.dtype) - level,
    ),
}
AT_LEVEL = ("pinball",)  # losses whose names end in a level between 0 and 1, such as "pinball_0.9"


def loss_and_level(name: str) -> tuple[str, float]:
    """The name of the row in ``LOSSES``, and the level, 0 for a loss that has none. ``ValueError`` for no loss."""
    stem, _, level = name.rpartition("_")
    if stem in AT_LEVEL and LEVEL.fullmatch(level):
        return stem, float(level)
    if name not in LOSSES or name in AT_LEVEL:
        raise ValueError(f"there is no loss {name!r}")
    return name, 0.0


def constant_loss(name: str, targets: FloatArray, weight: FloatArray) -> float:
    """The mean loss of the best constant for targets (rows, outputs) with weights (rows,)."""
    loss, level = loss_and_level(name)
    best = BEST[loss](targets, weight, level)
    return float(np.average(LOSSES[loss].value(best[:, None], targets.T, level), weights=weight))


def _mean(targets: FloatArray, weight: FloatArray, level: float) -> FloatArray:
    return np.average(targets, axis=0, weights=weight)


def _shares(targets: FloatArray, weight: FloatArray, level: float) -> FloatArray:
    return np.clip(_mean(targets, weight, level), LEAST_SHARE, 1 - LEAST_SHARE)


def _logit(targets: FloatArray, weight: FloatArray, level: float) -> FloatArray:
    share = _shares(targets, weight, level)
    return np.log(share / (1 - share))


def _centre(targets: FloatArray, weight: FloatArray, level: float) -> FloatArray:
    """By the means of targets whose weight falls with their distance, each nearer to the centre than the last."""
    found = np.median(targets, axis=0)
    for _ in range(CENTRING):
        near = weight[:, None] / np.maximum(np.abs(targets - found), HUBER_DELTA)
        found = (near * targets).sum(axis=0) / near.sum(axis=0)
    return found


def _quantile(targets: FloatArray, weight: FloatArray, level: float) -> FloatArray:
    return np.quantile(targets, level, axis=0, weights=weight, method="inverted_cdf")


# By loss: the outputs (outputs,) of the constant with the least mean loss.
BEST: dict[str, Callable[[FloatArray, FloatArray, float], FloatArray]] = {
    "squared": _mean,
    "logistic": _logit,
    "softmax": lambda targets, weight, level: np.log(_shares(targets, weight, level)),
    "huber": _centre,
    "pinball": _quantile,
}
