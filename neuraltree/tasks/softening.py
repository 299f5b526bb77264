"""Losses of classifiers that learn the probabilities of teachers at a temperature.

Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network", section 2
(https://arxiv.org/abs/1503.02531). With logits z, probabilities p^T = softmax(z / T), and those of the teachers, q,
made softer by q^T ~ q^(1/T), the loss of a row is (1 - a) CE(y, p^1) + a T^2 CE(q^T, p^T). It is computed as

    (1 - a) lse(z) + a T^2 lse(z / T) - t z    with the targets t = (1 - a) y + a T q^T

where lse is the logarithm of the sum of exponentials. One logit is the second of two whose first is 0.
"""

from __future__ import annotations

import numpy as np

from neuraltree.arrays import EngineArray, FloatArray
from neuraltree.tasks.losses import BEST, LEAST_SHARE, LOSSES

SOFTENED = ("softmax", "logistic")  # the losses that can be taken at a temperature


def soft_loss(
    name: str, outputs: EngineArray, targets: EngineArray, soft: EngineArray, temperature: float
) -> EngineArray:
    """(..., rows) the loss of outputs (..., outputs, rows) for targets t of as many axes; ``soft`` (rows,) is a."""
    row = LOSSES[name]
    plain, warm = row.value(outputs, 0 * targets), row.value(outputs / temperature, 0 * targets)
    return (1 - soft) * plain + soft * temperature**2 * warm - (targets * outputs).sum(axis=-2)


def soft_gradient(
    name: str, outputs: EngineArray, targets: EngineArray, soft: EngineArray, temperature: float
) -> EngineArray:
    """The derivative of ``soft_loss`` by the outputs."""
    expected = LOSSES[name].expected
    return (1 - soft) * expected(outputs) + soft * temperature * expected(outputs / temperature) - targets


def softened(probabilities: FloatArray, temperature: float) -> FloatArray:
    """(rows, classes) the probabilities to the power 1 / temperature, so that each row's sum is 1."""
    logs = np.log(np.maximum(probabilities, LEAST_SHARE)) / temperature
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def soft_targets(own: FloatArray, taught: FloatArray, share: FloatArray | float, temperature: float) -> FloatArray:
    """(rows, classes) the targets t of rows with the targets ``own``, whose teachers have the probabilities ``taught``.

    ``share`` (rows, 1) or a number is a. At the temperature 1 they are a mean of both.
    """
    if temperature == 1:
        return (1 - share) * own + share * taught
    return (1 - share) * own + share * temperature * softened(taught, temperature)


def soft_constant_loss(
    name: str, targets: FloatArray, weight: FloatArray, soft: FloatArray, temperature: float
) -> float:
    """The mean loss of a constant for targets t (rows, outputs) with weights and shares (rows,).

    Its probabilities are the mean of t by the sum of t over the classes, 1 - a + a T.
    """
    shares = targets / (1 - soft + soft * temperature)[:, None]
    best = BEST[name](shares, weight, 0.0)
    found = soft_loss(name, best[:, None] + np.zeros((1, len(targets))), targets.T, soft, temperature)
    return float(np.average(found, weights=weight))
