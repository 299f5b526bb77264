"""Results of integer code without floats: a target in fixed point, and the probability of a class from 0 to 255."""

from __future__ import annotations

from dataclasses import dataclass
from math import e, floor, frexp, log2
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.int8.integers import rescaling, scaled
from neuraltree.tree.nodes import IntArray

if TYPE_CHECKING:
    from neuraltree.compress.int8.stages import OutputStage

SCORE_BITS = 19  # of a score, after dropping the lowest bits if it has more
LARGEST_FIXED = 2**30
MOST_STEPS = 2**10  # fixed steps in a step of the score; more would be no more exact
MOST_POWER, MOST_SHIFT = 100, 30
LOW_BITS, FACTOR_BITS = 10, 21


@dataclass(frozen=True)
class FixedStage:
    """Converts scores to targets in fixed point; the target is the result / 2^power.

    t = score >> drop, rounded, result = ((t >> 10) factor + (((t & 1023) factor) >> 10) + half >> shift) + offset: a
    product by 21 bits in two parts, so that nothing needs more than 32. Its error is at most a step of ``t`` and one
    of the result.
    """

    drop: int
    factor: int
    shift: int
    offset: int
    power: int

    @classmethod
    def make(cls, outputs: OutputStage, largest: int) -> FixedStage:
        """``largest``: the largest |score|."""
        drop = max(0, largest.bit_length() - SCORE_BITS)
        step = float(outputs.gain) * 2.0 ** (drop - outputs.drop)  # the target's change if t grows by 1
        mean = outputs.offset * float(outputs.gain)
        most = ((largest >> drop) + 1) * step + abs(mean)
        power = min(floor(log2(LARGEST_FIXED / most)), floor(log2(MOST_STEPS / step)), MOST_POWER)
        mantissa, exponent = frexp(step * 2.0**power)
        factor, shift = round(mantissa * 2**FACTOR_BITS), FACTOR_BITS - exponent - LOW_BITS
        over = max(0, shift - MOST_SHIFT)
        return cls(drop, factor >> over, shift - over, round(mean * 2.0**power), power)

    @property
    def score_half(self) -> int:
        return (1 << self.drop) >> 1

    @property
    def half(self) -> int:
        return (1 << self.shift) >> 1

    def __call__(self, scores: NDArray[np.integer]) -> NDArray[np.int32]:
        t = (scores.astype(np.int64) + self.score_half) >> self.drop
        product = (t >> LOW_BITS) * self.factor + (((t & (2**LOW_BITS - 1)) * self.factor) >> LOW_BITS)
        return (((product + self.half) >> self.shift) + self.offset).astype(np.int32)


ONE = 2**15
HALVES = np.rint(ONE * 2.0 ** (-np.arange(17) / 16)).astype(np.int64)
Link = Literal["logistic", "softmax", "sigmoids"]


def halved(t: IntArray) -> IntArray:
    """2^15 x 2^(-t / 256) for t of 0 or more, within 0.03 % and a unit; between 16 points by straight lines."""
    place = (t >> 4) & 15
    between = HALVES[place] - (((HALVES[place] - HALVES[place + 1]) * (t & 15) + 8) >> 4)
    return np.where(t < 4096, between >> np.minimum(t >> 8, 15), 0)


@dataclass(frozen=True)
class Confidence:
    """The probability of the predicted class times 255, within 1, from the scores of the outputs.

    Powers of e are powers of 2 of rescaled scores, see ``halved``; a division of integers makes them probabilities.
    """

    link: Link
    multiplier: int
    shift: int

    @classmethod
    def make(cls, link: Link, outputs: OutputStage) -> Confidence:
        multiplier, shift = rescaling(np.array([float(outputs.gain) * log2(e) * 256]))
        return cls(link, int(multiplier[0]), int(shift[0]))

    def __call__(self, scores: NDArray[np.integer], codes: NDArray[np.integer]) -> NDArray[np.uint8]:
        """(rows,) from scores (rows, outputs) and the predicted classes (rows,)."""
        scores = scores.astype(np.int64)
        shares = {"logistic": self._logistic, "softmax": self._softmax, "sigmoids": self._sigmoids}[self.link](scores)
        total = shares.sum(axis=1)
        found = np.take_along_axis(shares, codes.astype(np.int64)[:, None], axis=1)[:, 0]
        return ((255 * found + total // 2) // total).astype(np.uint8)

    def _halvings(self, scores: IntArray) -> IntArray:
        return scaled(scores, np.int64(self.multiplier), np.int64(self.shift))  # type: ignore[arg-type]

    def _logistic(self, scores: IntArray) -> IntArray:
        """(rows, 2) shares of both classes."""
        less = halved(self._halvings(np.abs(scores)))
        second = scores > 0
        return np.hstack([np.where(second, less, ONE), np.where(second, ONE, less)])

    def _softmax(self, scores: IntArray) -> IntArray:
        return halved(self._halvings(scores.max(axis=1, keepdims=True) - scores))

    def _sigmoids(self, scores: IntArray) -> IntArray:
        """If all are below a half, all are doubled until the largest is not far below it."""
        t, top = self._halvings(np.abs(scores)), scores.max(axis=1, keepdims=True)
        base = np.where(top < 0, self._halvings(np.abs(top)) & ~255, 0)
        # Where scores are positive there is no base, and the share is 2^15.
        share = np.where(scores < 0, halved(np.maximum(t - base, 0)), ONE)
        return share * ONE // (ONE + halved(t))
