"""Into integers and out of them: raw inputs to int8, sums of outputs to scores and natural units.

Every step is an operation that C does with the same bits: products and conversions of single floats, which have
one rounding, and sums of integers. There is no floating sum, so no compiler can fuse one with a product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.compress.int8.integers import rescaling, scaled
from neuraltree.compress.int8.lookup_tables import UNIT

IntArray = NDArray[np.integer]
# Powers of 2 that an input is multiplied by: below the first, infinity and NaN would pass for numbers; above the second
# would numbers that are so small that they have fewer digits.
LEAST_POWER, MOST_POWER = -98, 126
# Of an input in its own unit: 1 whole number at least to a step of q, and 516 at most (``LARGEST_OFFSET`` / 127).
SMALLEST_REACH, LARGEST_REACH = 2.0**-MOST_POWER * UNIT, 2.0 ** (9 - LEAST_POWER) * UNIT
LARGEST_FIXED = 2**30  # where the conversion of an input saturates
LARGEST_OFFSET = 65_535  # of an input from its zero, twice what becomes 127
LARGEST_SCORE = 32_000  # of a class: 16 bits with room for rounding


@dataclass(frozen=True, eq=False)
class InputStage:
    """Raw inputs to int8 by whole numbers alone, saturating, NaN to 0.

    d = clamp(int(x 2^power) − zero), q = clamp((d multiplier + 2^(shift - 1)) >> shift): the first step only moves the
    bits of a single float, cutting what lies below 1 and saturating at 2^30, so a core without floating point needs
    no float product. ``features`` (used,): which inputs are read, in the order of the integer vector. 0 is ``mean``.
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
        """``mean`` and ``scale`` standardise each used input; ``reach``: the |standardised input| that becomes 127."""
        with np.errstate(over="ignore", under="ignore"):
            step = np.clip(scale * reach, 1e-300, 1e300) / UNIT
        # 128 to 256 whole numbers to a step of q, fewer where the mean is too many steps away from 0.
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
class OutputStage:
    """score = sum, or for several classes (sum multiplier + half) >> shift, so that scores can be compared.

    ``value``: (float)((score >> drop) + offset) x gain, in natural units or as a logit.
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
        """``unit`` and ``reach`` (outputs,) of the output nodes' sums, ``largest``: of them all as an integer;
        ``mean`` and ``scale`` turn an output into natural units."""
        if len(unit) > 1:
            gain = LARGEST_SCORE / max(float(reach.max()), 1e-300)
            return cls(*rescaling(unit * gain), 0, 0, np.float32(1 / gain))
        least, most = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
        gain, drop = max(float(unit[0]) * scale, least), 0
        while drop < 30 and abs(mean) / gain + largest / 2**drop >= 2**30:
            gain, drop = gain * 2, drop + 1
        # A mean that far from the tree's own values is all that single floats could show of them.
        single = np.float32(min(max(gain, abs(mean) / 2**30), most))
        offset = int(np.clip(np.rint(mean / float(single)), -(2**30), 2**30))
        return cls(None, None, drop, offset, single)

    def scores(self, sums: IntArray) -> NDArray[np.int32]:
        """(rows, outputs) for the sums of the output nodes."""
        if self.multiplier is None or self.shift is None:
            return sums.astype(np.int32)
        return scaled(sums, self.multiplier, self.shift).astype(np.int32)

    def values(self, scores: NDArray[np.int32]) -> NDArray[np.float32]:
        with np.errstate(over="ignore"):  # infinity, as in C
            return ((scores >> self.drop) + np.int32(self.offset)).astype(np.float32) * self.gain
