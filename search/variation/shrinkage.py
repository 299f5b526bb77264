"""The rates at which training shrinks edge weights to zero: one for all trees, or a gene of each tree.

As a gene a rate is drawn log-uniformly, and a child's is the geometric mean of its parents' rates times a log-normal
number, as the step sizes of an evolution strategy are (Schwefel 1981, "Numerical optimization of computer models").
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from search.variation.genes import SHRINKING, Gene

EVOLVED = "evolved"
STREAM = 2**31 + 3  # of random numbers; each kind of rate but the first adds its place
LOWEST, HIGHEST = 1e-4, 1e-1
STEP = 0.5  # the standard deviation of the logarithm of the number


def rate_gene(name: str, rate: float | str) -> Gene:
    """One rate for all trees, or ``EVOLVED`` rates; ``name``: one of ``SHRINKING``."""
    place = SHRINKING.index(name)

    def constant(_: np.random.Generator, trees: int) -> FloatArray:
        return np.full(trees, float(rate))

    def inherited(_: np.random.Generator, own: FloatArray, parents: NDArray[np.int64]) -> FloatArray:
        return own[parents[:, 0]]

    stream = (STREAM, place) if place else (STREAM,)
    return Gene(name, stream, *((_first, _children) if rate == EVOLVED else (constant, inherited)))


def _first(rng: np.random.Generator, trees: int) -> FloatArray:
    return _rates(rng.uniform(math.log(LOWEST), math.log(HIGHEST), trees))


def _children(rng: np.random.Generator, own: FloatArray, parents: NDArray[np.int64]) -> FloatArray:
    logs = np.array([math.log(rate) for rate in own.tolist()])
    changed = logs[parents].mean(axis=1) + STEP * rng.standard_normal(len(parents))
    return _rates(np.clip(changed, math.log(LOWEST), math.log(HIGHEST)))


def _rates(logs: FloatArray) -> FloatArray:
    return np.array([math.exp(each) for each in logs.tolist()])  # the same bits on all processors
