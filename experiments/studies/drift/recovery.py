"""The recovered share: what a choice of nodes regains after a drift, of what training of all nodes regains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.common.statistics import LEVEL, RESAMPLES, interval
from experiments.rendering.searches import ResultRows, names
from neuraltree.arrays import FloatArray


class Share(NamedTuple):
    """``low`` and ``high``: the bootstrap's percentile interval over seeds."""

    value: float
    low: float
    high: float


def gains(rows: ResultRows, selector: str, budget: str, tables: Sequence[str], column: str) -> FloatArray:
    """(seeds, tables) by how much a column is above that of the untrained tree; NaN where there is none."""
    seeds = names(rows, "seed")
    found = np.full((2, len(seeds), len(tables)), np.nan)
    for place, key in enumerate((("none", ""), (selector, budget))):
        for row in rows:
            if (row["selector"], row["budget"]) == key and row["table"] in tables:
                found[place, seeds.index(row["seed"]), tables.index(row["table"])] = float(row[column])
    return found[1] - found[0]


def mean_gain(rows: ResultRows, selector: str, budget: str, tables: Sequence[str]) -> Share | None:
    """The mean gain on test rows; None without rows."""
    found = gains(rows, selector, budget, tables, "test_score")
    by_seed = [float(np.mean(row[~np.isnan(row)])) for row in found if not np.isnan(row).all()]
    return Share(float(np.mean(by_seed)), *interval(by_seed)) if by_seed else None


def recovered(
    rows: ResultRows, selector: str, budget: str, tables: Sequence[str], column: str = "test_score"
) -> Share | None:
    """The sum of its gains over the sum of those of training all nodes, over seeds and tables.

    A sum over all, because a quotient by seed has no mean: where a drift does little harm, it divides by about 0.
    Seeds are drawn anew, with all their tables. None without rows, or if training of all nodes gains nothing.
    """
    own = gains(rows, selector, budget, tables, column)
    full = gains(rows, "full", "all", tables, column)
    there = ~np.isnan(own) & ~np.isnan(full)
    sums = np.where(there, own, 0).sum(axis=1), np.where(there, full, 0).sum(axis=1)
    if not there.any() or sums[1].sum() <= 0:
        return None
    drawn = np.random.default_rng(0).integers(len(own), size=(RESAMPLES, len(own)))
    drawn_sums = [each[drawn].sum(axis=1) for each in sums]
    gained = drawn_sums[1] > 0  # all but a few draws
    low, high = np.quantile(drawn_sums[0][gained] / drawn_sums[1][gained], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Share(float(sums[0].sum() / sums[1].sum()), float(low), float(high))
