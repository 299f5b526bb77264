"""Random draws by the number of a row: the same whatever is read before it, and without a list of all rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray

# What a draw is for; two of one row are independent.
TEST, SAMPLE = range(2)


class RowDraws(NamedTuple):
    """The draws of a run. ``test_fraction``: the share of the rows that are test rows."""

    seed: int
    test_fraction: float

    def tests(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(rows,) whether the rows with these numbers, from 0, are test rows."""
        return uniform(rows, self.seed, TEST) < self.test_fraction


def uniform(rows: NDArray[np.int64], seed: int, purpose: int) -> FloatArray:
    """(rows,) a number from 0 to below 1 for each row number, by the steps of SplitMix64 (Steele et al. 2014)."""
    start = _mixed(np.array([seed * 2 + purpose], dtype=np.uint64))
    bits = _mixed(_mixed(rows.astype(np.uint64) + start)) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    mixed = bits + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
