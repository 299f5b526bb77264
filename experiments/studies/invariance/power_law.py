"""The power law of error and resources: error = c + a x^-alpha."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from neuraltree.arrays import FloatArray

RESAMPLES, LEVEL = 200, 0.95
STARTS = (0.2, 0.6, 1.2)  # of alpha: the fit is not convex
TINY = 1e-9


class Law(NamedTuple):
    """``floor`` is what is left with any resources, ``scale`` the rest at x = 1."""

    floor: float
    scale: float
    exponent: float

    def __call__(self, x: ArrayLike) -> FloatArray:
        return np.asarray(self.floor + self.scale * np.asarray(x, dtype=np.float64) ** -self.exponent)


def fitted(x: ArrayLike, error: ArrayLike) -> Law:
    """The law (Hestness et al. 2017, https://arxiv.org/abs/1712.00409, section 2) of least squared *relative* error, by
    logarithms, so that small errors count as large ones do. ``x`` and ``error`` (points,) are above 0; no number of the
    law is below 0. ``ValueError`` for fewer than three distinct x, which cannot tell three numbers."""
    given, wanted = np.asarray(x, dtype=np.float64), np.log(np.asarray(error, dtype=np.float64))
    if len(np.unique(given)) < 3:
        raise ValueError(f"a law of three numbers needs three sizes at least; got {len(np.unique(given))}")
    middle = float(np.exp(np.mean(np.log(given))))  # x in this unit, so that scale and exponent are almost independent

    def apart(numbers: FloatArray) -> FloatArray:
        floor, scale, exponent = numbers
        return np.asarray(np.log(floor + scale * (given / middle) ** -exponent + TINY) - wanted)

    least, typical = float(np.exp(wanted.min())), float(np.exp(np.median(wanted)))
    found = [
        least_squares(apart, (least / 2, typical / 2, start), bounds=([0, 0, 0], [np.inf, np.inf, 10]))
        for start in STARTS
    ]
    floor, scale, exponent = min(found, key=lambda each: float(each.cost)).x
    return Law(float(floor), float(scale * middle**exponent), float(exponent))


class Interval(NamedTuple):
    low: float
    high: float


def bootstrapped(x: ArrayLike, error: ArrayLike, seed: int = 0) -> dict[str, Interval]:
    """The percentile intervals of the law's numbers if the runs (runs,) of each x are drawn again with replacement."""
    given, errors = np.asarray(x, dtype=np.float64), np.asarray(error, dtype=np.float64)
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(given == each) for each in np.unique(given)]
    laws = []
    for _ in range(RESAMPLES):
        chosen = np.concatenate([rng.choice(group, len(group)) for group in groups])
        laws.append(fitted(given[chosen], errors[chosen]))
    ends = np.quantile(np.array(laws), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0).T
    return {name: Interval(*map(float, pair)) for name, pair in zip(Law._fields, ends, strict=True)}
