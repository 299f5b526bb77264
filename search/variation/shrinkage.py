"""The rates at which training shrinks edge weights to zero: one for all trees, or a gene of each tree.

As a gene a rate is drawn log-uniformly, and a child's is the geometric mean of its parents' rates times a log-normal
number, as the step sizes of an evolution strategy are (Schwefel 1981, "Numerical optimization of computer models").
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray

EVOLVED = "evolved"
LOWEST, HIGHEST = 1e-4, 1e-1
STEP = 0.5  # the standard deviation of the logarithm of the number


def first_rates(rng: np.random.Generator, l1: float | str, count: int) -> FloatArray | None:
    """(count,) the rates of new trees; None if trees have none."""
    if l1 == EVOLVED:
        return _rates(rng.uniform(math.log(LOWEST), math.log(HIGHEST), count))
    return np.full(count, float(l1)) if l1 else None


def child_rates(
    rng: np.random.Generator, l1: float | str, rates: FloatArray | None, parents: NDArray[np.int64]
) -> FloatArray | None:
    """(children,) the rates of children of trees with ``rates``, by the places of their ``parents`` (children, 2).

    A child of one parent names it twice.
    """
    if l1 != EVOLVED or rates is None:
        return None if rates is None else rates[parents[:, 0]]
    logs = np.array([math.log(rate) for rate in rates.tolist()])
    changed = logs[parents].mean(axis=1) + STEP * rng.standard_normal(len(parents))
    return _rates(np.clip(changed, math.log(LOWEST), math.log(HIGHEST)))


def _rates(logs: FloatArray) -> FloatArray:
    return np.array([math.exp(each) for each in logs.tolist()])  # the same bits on all processors
