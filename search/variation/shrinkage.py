"""The rates at which training shrinks edge weights to zero: one for all trees, or a gene of each tree.

As a gene a rate is drawn log-uniformly, and a child's is the geometric mean of its parents' rates times a log-normal
number, as the step sizes of an evolution strategy are (Schwefel 1981, "Numerical optimization of computer models").
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray

EVOLVED = "evolved"
LOWEST, HIGHEST = 1e-4, 1e-1
STEP = 0.5  # the standard deviation of the logarithm of the number
Wanted = Mapping[str, float | str]  # by the kind of rate: one for all trees, 0 for none, or ``EVOLVED``
Rates = dict[str, FloatArray]  # by kind, without kinds that trees do not have
Stream = tuple[int, ...]  # of random numbers; each kind but the first adds its place


def first_rates(wanted: Wanted, stream: Stream, count: int) -> Rates:
    """(count,) the rates of new trees."""
    return {name: _first(_rng(stream, i), how, count) for i, (name, how) in enumerate(wanted.items()) if how}


def child_rates(wanted: Wanted, stream: Stream, rates: Rates, parents: NDArray[np.int64]) -> Rates:
    """(children,) the rates of children of trees with ``rates``, by the places of their ``parents`` (children, 2).

    A child of one parent names it twice.
    """
    return {
        name: _child(_rng(stream, i), rates[name], parents) if how == EVOLVED else rates[name][parents[:, 0]]
        for i, (name, how) in enumerate(wanted.items())
        if name in rates
    }


def _rng(stream: Stream, place: int) -> np.random.Generator:
    return np.random.default_rng((*stream, place) if place else stream)


def _first(rng: np.random.Generator, how: float | str, count: int) -> FloatArray:
    if how == EVOLVED:
        return _rates(rng.uniform(math.log(LOWEST), math.log(HIGHEST), count))
    return np.full(count, float(how))


def _child(rng: np.random.Generator, rates: FloatArray, parents: NDArray[np.int64]) -> FloatArray:
    logs = np.array([math.log(rate) for rate in rates.tolist()])
    changed = logs[parents].mean(axis=1) + STEP * rng.standard_normal(len(parents))
    return _rates(np.clip(changed, math.log(LOWEST), math.log(HIGHEST)))


def _rates(logs: FloatArray) -> FloatArray:
    return np.array([math.exp(each) for each in logs.tolist()])  # the same bits on all processors
