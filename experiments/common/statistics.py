"""Statistics of scores over seeds and tables: exact signed-rank tests, Holm's correction, ranks with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from neuraltree.arrays import FloatArray

DIGITS = 12  # decimals of scores: beyond them equal differences of accuracies differ by rounding
RESAMPLES = 10_000
LEVEL = 0.95  # of intervals


class Summary(NamedTuple):
    """``sd``: the sample's standard deviation, with n - 1; NaN for one value."""

    mean: float
    sd: float
    median: float
    values: int


def summary(values: ArrayLike) -> Summary:
    """Of at least one value."""
    x = np.asarray(values, dtype=np.float64)
    sd = float(x.std(ddof=1)) if len(x) > 1 else float("nan")
    return Summary(float(x.mean()), sd, float(np.median(x)), len(x))


def signed_rank_p(first: ArrayLike, second: ArrayLike) -> float:
    """The exact two-sided p of Wilcoxon's signed-rank test on pairs (n,): pairs without a difference are left out.

    Equal differences share their mean rank, and the null distribution is that of these ranks: each sign is as likely as
    the other (Wilcoxon 1945, https://doi.org/10.2307/3001968; ties as Pratt and Gibbons 1981, section 3.7).
    """
    difference = np.round(np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64), DIGITS)
    difference = difference[difference != 0]
    if not len(difference):
        return 1.0
    doubled = np.rint(2 * rankdata(np.abs(difference))).astype(np.int64)  # whole numbers, mean ranks too
    shares = np.ones(1)  # of the sums of the ranks with a plus, from 0 on
    for rank in doubled:
        longer = np.zeros(len(shares) + rank)
        longer[: len(shares)] += shares / 2
        longer[rank:] += shares / 2
        shares = longer
    positive = doubled[difference > 0].sum()
    least = min(positive, doubled.sum() - positive)
    return float(min(1.0, 2 * shares[: least + 1].sum()))


def holm(p_values: ArrayLike) -> FloatArray:
    """Holm's adjusted p (tests,): a hypothesis is rejected at a family-wise error level if its p is below that level.

    max over j <= i of min(1, (m - j + 1) p_(j)), p_(j) being the j-th smallest of m (Holm 1979, section 3).
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(stepped)
    return adjusted


def ranks(scores: ArrayLike) -> FloatArray:
    """(blocks, models) ranks of scores: 1 for the highest, equal ones share the mean, NaN (no score) comes last."""
    x = np.round(np.asarray(scores, dtype=np.float64), DIGITS)
    ranked: FloatArray = rankdata(np.where(np.isnan(x), np.inf, -x), axis=1)
    return ranked


def interval(values: ArrayLike, seed: int = 0) -> tuple[float, float]:
    """The bootstrap's percentile interval of the mean of values (n,), at ``LEVEL``."""
    x = np.asarray(values, dtype=np.float64)
    chosen = np.random.default_rng(seed).integers(len(x), size=(RESAMPLES, len(x)))
    low, high = np.quantile(x[chosen].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def paired(first: dict[int, float], second: dict[int, float]) -> tuple[FloatArray, FloatArray]:
    """The values of the seeds that both have, in the same order."""
    seeds: Sequence[int] = sorted(first.keys() & second.keys())
    return np.array([first[seed] for seed in seeds]), np.array([second[seed] for seed in seeds])
