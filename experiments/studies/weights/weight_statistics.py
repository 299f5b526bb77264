"""Moments of weights, their distance from a normal distribution, and the distances between models."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import stats

from neuraltree.arrays import FloatArray

CHANCE_DRAWS, PAIRS, CHANCE_GROUPS, TEST_DRAWS = 30, 60, 10, 999


class Shape(NamedTuple):
    """``kurtosis`` is in excess of a normal's 3. ``ks_normal``: the Kolmogorov-Smirnov distance to the normal of equal
    mean and deviation."""

    mean: float
    sd: float
    skewness: float
    kurtosis: float
    ks_normal: float


def shape(weights: FloatArray) -> Shape:
    """Of the weights (weights,) of one model, which are not all equal."""
    mean, sd = float(weights.mean()), float(weights.std())
    distance = stats.kstest(weights, stats.norm(mean, sd).cdf, method="asymp").statistic
    return Shape(mean, sd, float(stats.skew(weights)), float(stats.kurtosis(weights)), float(distance))


def mean_shape(models: Sequence[FloatArray]) -> Shape:
    """The mean of the statistics of models."""
    return Shape(*np.mean([shape(each) for each in models], axis=0).tolist())


@cache
def chance_normal(count: int) -> float:
    """The mean distance of so many normal numbers from the normal of their own moments: what a finite model has."""
    rng = np.random.default_rng(count)
    return float(np.mean([shape(rng.standard_normal(count)).ks_normal for _ in range(CHANCE_DRAWS)]))


def distance(first: FloatArray, second: FloatArray) -> float:
    """The Kolmogorov-Smirnov distance of two samples."""
    return float(stats.ks_2samp(first, second, method="asymp").statistic)


def transport(first: FloatArray, second: FloatArray) -> float:
    """Wasserstein's distance of two samples, in deviations of the second."""
    return float(stats.wasserstein_distance(first, second) / second.std())


def by_chance(models: Sequence[FloatArray], groups: int, rng: np.random.Generator) -> float:
    """The mean distance of two of so many groups of models that are drawn at random: what groups that are alike have,
    if weights of one model are closer to each other than to those of other models."""
    found = []
    for _ in range(CHANCE_GROUPS):
        first, second, *_ = np.array_split(rng.permutation(len(models)), groups)
        found.append(distance(*(np.concatenate([models[i] for i in group]) for group in (first, second))))
    return float(np.mean(found))


def normal_p(values: FloatArray) -> float:
    """p of the Kolmogorov-Smirnov test for a normal whose moments are fitted, by simulation (Lilliefors 1967,
    https://doi.org/10.1080/01621459.1967.10482916)."""
    rng = np.random.default_rng(len(values))
    tested = stats.goodness_of_fit(stats.norm, values, statistic="ks", n_mc_samples=TEST_DRAWS, rng=rng)
    return float(tested.pvalue)


def standardised(weights: FloatArray) -> FloatArray:
    return np.asarray((weights - weights.mean()) / weights.std())


def apart(models: Sequence[FloatArray], rng: np.random.Generator) -> float:
    """The mean distance of pairs of models, at most ``PAIRS`` of them at random."""
    pairs = np.array([(i, j) for i in range(len(models)) for j in range(i)])
    chosen = rng.permutation(len(pairs))[:PAIRS]
    return float(np.mean([distance(models[i], models[j]) for i, j in pairs[chosen]]))


def shuffled(models: Sequence[FloatArray], rng: np.random.Generator) -> list[FloatArray]:
    """Models of the same sizes whose weights are dealt out among them: what is left of ``apart`` is chance."""
    ends = np.cumsum([len(each) for each in models])[:-1]
    return np.split(rng.permutation(np.concatenate(models)), ends)
