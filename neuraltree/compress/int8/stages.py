"""The stages before and after the integers: raw inputs to int8, sums of outputs to scores and natural units.

C gives the same bits for every step: each product or conversion of single floats rounds once, and sums are of
integers. There is no sum of floats, so no compiler can fuse one with a product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.compress.int8.integers import rescaling, scaled
from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.compress.short_factors import short_rescaling
from neuraltree.tree.nodes import IntArray

# An input is multiplied by a power of 2 between these exponents. Below the first, infinity and NaN would be taken for
# numbers; above the second, so would subnormal numbers, which have fewer digits.
LEAST_POWER, MOST_POWER = -98, 126
# Limits of an input's range in its own unit: a step of q spans 1 to 516 integers (``LARGEST_OFFSET`` / 127).
SMALLEST_REACH, LARGEST_REACH = 2.0**-MOST_POWER * UNIT, 2.0 ** (9 - LEAST_POWER) * UNIT
LARGEST_FIXED = 2**30  # the conversion of an input saturates here
LARGEST_OFFSET = 65_535  # largest distance of an input from its zero; usually 127 is reached at half of it or less
LARGEST_ZERO = 2**17  # beyond it no integer of 16 bits is near the range of its input
LARGEST_SCORE = 32_000  # largest score of a class: it fits in 16 bits with room for rounding


@dataclass(frozen=True, eq=False)
class InputStage:
    """Converts raw inputs to int8 by integer arithmetic alone; it saturates, and NaN becomes 0.

    d = clamp(int(x 2^power) − zero), q = clamp((d multiplier + 2^(shift - 1)) >> shift). The first step only moves the
    bits of a single float: it cuts off bits below 1 and saturates at 2^30. So a core without floating point needs no
    float product. ``features`` (used,): the inputs that are read, in the order of the integer vector. q = 0 stands for
    ``mean``.
    """

    features: IntArray
    power: IntArray
    zero: IntArray
    multiplier: IntArray
    shift: IntArray

    @classmethod
    def make(
        cls, features: IntArray, mean: NDArray[np.float64], scale: NDArray[np.float64], reach: NDArray[np.float64]
    ) -> InputStage:
        """``mean`` and ``scale`` standardise each used input; a |standardised input| of ``reach`` becomes 127."""
        with np.errstate(over="ignore", under="ignore"):
            step = np.clip(scale * reach, 1e-300, 1e300) / UNIT
        # A step of q spans 128 to 256 integers, fewer if the mean is too many steps away from 0.
        power = 8 - np.frexp(step)[1]
        nearest = np.where(mean == 0, MOST_POWER, 28 - np.frexp(mean)[1])
        power = np.clip(np.minimum(power, nearest), LEAST_POWER, MOST_POWER).astype(np.int64)
        zero = np.clip(np.rint(np.ldexp(mean, power)), -LARGEST_FIXED / 2, LARGEST_FIXED / 2).astype(np.int64)
        return cls(features, power, zero, *rescaling(1 / np.ldexp(step, power)))

    def __call__(self, X: ArrayLike) -> NDArray[np.int8]:
        """(rows, used) for raw inputs (rows, features), which are rounded to single floats first."""
        with np.errstate(all="ignore"):
            bits = np.asarray(X).astype(np.float32)[:, self.features].view(np.uint32).astype(np.int64)
        mantissa, exponent = (bits & 0x7FFFFF) | 0x800000, (bits >> 23) & 255
        move = exponent - 150 + self.power
        whole = np.where(move >= 0, mantissa << np.clip(move, 0, 6), mantissa >> np.clip(-move, 0, 24))
        whole = np.where(move > 6, LARGEST_FIXED, whole)
        offset = np.where(bits >> 31, -whole, whole) - self.zero
        q = scaled(np.clip(offset, -LARGEST_OFFSET, LARGEST_OFFSET), self.multiplier, self.shift)
        unknown = (exponent == 255) & (bits & 0x7FFFFF != 0)
        return np.where(unknown, 0, np.clip(q, -UNIT, UNIT)).astype(np.int8)


@dataclass(frozen=True, eq=False)
class IntegerStage:
    """Converts raw integers to int8: q = clamp((x multiplier + offset) >> shift).

    ``low``, ``high``: the integers that an input can be. The multiplier has 8 bits, the fewest that a range can be
    rounded to without loss (``even_reach``). No step leaves 32 bits for any integer: |x| <= 2^15, so |x multiplier|
    < 2^23, and |offset| <= 2^17 2^8 + 2^29. ``offset`` holds the half that rounds, and takes off the zero, which need
    not be whole: q = 0 stands for ``mean``.
    """

    features: IntArray
    low: IntArray
    high: IntArray
    multiplier: IntArray
    offset: IntArray
    shift: IntArray

    @classmethod
    def make(
        cls,
        features: IntArray,
        ends: tuple[IntArray, IntArray],
        mean: NDArray[np.float64],
        reach: NDArray[np.float64],
    ) -> IntegerStage:
        """``ends``: ``low`` and ``high``; ``mean`` and ``reach`` in the unit of the integers, ``reach`` by
        ``even_reach``."""
        multiplier, shift = short_rescaling(reach)
        zero = np.clip(mean, -LARGEST_ZERO, LARGEST_ZERO) * multiplier
        return cls(features, *ends, multiplier, np.rint((1 << (shift - 1)) - zero).astype(np.int64), shift)

    def rescaled(self, x: IntArray) -> IntArray:
        """(..., used) the integers before the clamp, for those of the used inputs (..., used)."""
        return (x * self.multiplier + self.offset) >> self.shift

    def __call__(self, X: ArrayLike) -> NDArray[np.int8]:
        """(rows, used) for raw integers (rows, features)."""
        x = np.asarray(X)[:, self.features].astype(np.int64)
        return np.clip(self.rescaled(x), -UNIT, UNIT).astype(np.int8)


@dataclass(frozen=True, eq=False)
class MixedStage:
    """Converts raw inputs of which some or all are integers, the others single floats."""

    features: IntArray
    floats: InputStage
    integers: IntegerStage

    def __call__(self, X: ArrayLike) -> NDArray[np.int8]:
        X = np.asarray(X)
        found = np.empty((len(X), len(self.features)), dtype=np.int8)
        for stage in (self.floats, self.integers):
            found[:, np.searchsorted(self.features, stage.features)] = stage(X)
        return found


@dataclass(frozen=True, eq=False)
class OutputStage:
    """Converts sums to scores and scores to values.

    score = sum, or for several classes (sum multiplier + half) >> shift, so that scores can be compared.
    value = (float)((score >> drop) + offset) x gain, in natural units or as a logit.
    """

    multiplier: IntArray | None
    shift: IntArray | None
    drop: int
    offset: int
    gain: np.float32

    @classmethod
    def make(
        cls, unit: NDArray[np.float64], reach: NDArray[np.float64], largest: int, mean: float, scale: float
    ) -> OutputStage:
        """``unit`` and ``reach`` (outputs,) describe the output nodes' sums, see ``Integers``; ``largest`` is the
        largest |sum| of any output as an integer; ``mean`` and ``scale`` turn an output into natural units."""
        if len(unit) > 1:
            of_scores = score_gain(reach)
            return cls(*rescaling(unit * of_scores), 0, 0, np.float32(1 / of_scores[0]))
        least, most = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
        gain, drop = max(float(unit[0]) * scale, least), 0
        while drop < 30 and abs(mean) / gain + largest / 2**drop >= 2**30:
            gain, drop = gain * 2, drop + 1
        # If the mean is this large, the sum of mean and value in single floats could not show the value anyway.
        single = np.float32(min(max(gain, abs(mean) / 2**30), most))
        offset = int(np.clip(np.rint(mean / float(single)), -(2**30), 2**30))
        return cls(None, None, drop, offset, single)

    def scores(self, sums: IntArray) -> NDArray[np.int32]:
        """Scores (rows, outputs) from the sums of the output nodes."""
        if self.multiplier is None or self.shift is None:
            return sums.astype(np.int32)
        return scaled(sums, self.multiplier, self.shift).astype(np.int32)

    def values(self, scores: NDArray[np.int32]) -> NDArray[np.float32]:
        with np.errstate(over="ignore"):  # infinity, as in C
            return ((scores >> self.drop) + np.int32(self.offset)).astype(np.float32) * self.gain

    def rescaled(self, unit: int) -> tuple[IntArray, IntArray]:
        """Multiplier and shift (1,) from the scores of classes to ``unit`` times their logits, see ``integers``."""
        return rescaling(np.array([float(self.gain) * unit]))


def score_gain(reach: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 1) from real sums to scores of several classes, whose largest |sum| is ``reach`` (..., classes)."""
    return LARGEST_SCORE / np.maximum(reach.max(axis=-1, keepdims=True), 1e-300)
