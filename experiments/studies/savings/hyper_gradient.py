"""A learning rate learned by the hyper-gradient (Chandra et al., *Gradient Descent: The Ultimate Optimizer*, 2022).

The loss after a step w_i = w_(i-1) - a u_(i-1) has the derivative -g_i . u_(i-1) by the rate a, g_i being the gradient
at w_i. So the rate grows as long as the next gradient points along the last step.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from experiments.studies.savings.levelled import Floats
from neuraltree.arrays import FloatArray

KAPPA = {"added": 0.001, "scaled": 0.02}  # of the hyper-gradient, and of its cosine
MACS = {"": 0, "added": 1, "scaled": 3}  # multiply-accumulates of a step for each weight that is updated


def _dot(a: Floats, b: Floats) -> FloatArray:
    return np.einsum("lw,lw->l", a, b, dtype=np.float64)


def _added(rate: FloatArray, gradient: Floats, step: Floats) -> FloatArray:
    """The paper's rule (section 2), kept at 0 or above."""
    return np.maximum(rate + KAPPA["added"] * _dot(gradient, step), 0.0)


def _scaled(rate: FloatArray, gradient: Floats, step: Floats) -> FloatArray:
    """By the cosine of both, as in Baydin et al., *Online Learning Rate Adaptation with Hypergradient Descent*, 2018,
    section 3 (multiplicative rule): it has no units, and the rate stays positive."""
    sizes = np.sqrt(_dot(gradient, gradient) * _dot(step, step))
    return rate * (1 + KAPPA["scaled"] * _dot(gradient, step) / np.where(sizes > 0, sizes, 1.0))


# From the rates (lanes,), the gradients and the last steps at a rate of one (lanes, weights).
RULES: dict[str, Callable[[FloatArray, Floats, Floats], FloatArray]] = {"added": _added, "scaled": _scaled}
