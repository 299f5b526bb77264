"""Into integers and out of them: raw inputs to int8, sums of outputs to scores and natural units.

Every step is an operation that C does with the same bits: products and conversions of single floats, which have
one rounding, and sums of integers. There is no floating sum, so no compiler can fuse one with a product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.compress.integers import rescaling, scaled
from neuraltree.compress.tables import UNIT

IntArray = NDArray[np.integer]
MOST_FRACTION = 8  # bits after the point of an input before its zero is subtracted
LARGEST_FIXED = 2**30  # where the conversion of an input saturates
LARGEST_SCORE = 32_000  # of a class: 16 bits with room for rounding


@dataclass(frozen=True, eq=False)
class InputStage:
    """q = clamp((int(x gain) − zero + half) >> fraction): raw inputs to int8, saturating, NaN to 0.

    ``features`` (used,): which inputs are read, in the order of the integer vector. 0 stands for an input's mean.
    """

    features: IntArray
    gain: NDArray[np.float32]
    zero: IntArray
    fraction: int

    @classmethod
    def make(
        cls, features: IntArray, mean: NDArray[np.float64], scale: NDArray[np.float64], reach: NDArray[np.float64]
    ) -> InputStage:
        """``mean`` and ``scale`` standardise each used input; ``reach``: the |standardised input| that becomes 127."""
        gain = UNIT / (scale * reach)
        largest = float(np.abs(mean * gain).max(initial=0.0))
        fraction = MOST_FRACTION
        while fraction and largest * 2**fraction >= LARGEST_FIXED / 2:
            fraction -= 1
        gain = np.minimum(gain * 2**fraction, np.finfo(np.float32).max).astype(np.float32)
        zero = np.clip(np.rint(mean * gain.astype(np.float64)), -LARGEST_FIXED / 2, LARGEST_FIXED / 2)
        return cls(features, gain, zero.astype(np.int64), fraction)

    def __call__(self, X: ArrayLike) -> NDArray[np.int8]:
        """(rows, used) for raw inputs (rows, features), which are rounded to single floats first."""
        with np.errstate(all="ignore"):
            x = np.asarray(X).astype(np.float32)[:, self.features]
            product = x * self.gain
            known = ~np.isnan(product)
            bounded = np.clip(np.where(known, product, 0), -LARGEST_FIXED, LARGEST_FIXED)
        fixed = np.trunc(bounded.astype(np.float64)).astype(np.int64)
        half = (1 << self.fraction) >> 1
        q = np.clip((fixed - self.zero + half) >> self.fraction, -UNIT, UNIT)
        return np.where(known, q, 0).astype(np.int8)


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
        gain, drop = float(unit[0]) * scale, 0
        while drop < 30 and abs(mean) / gain + largest / 2**drop >= 2**30:
            gain, drop = gain * 2, drop + 1
        single = np.float32(np.clip(gain, np.finfo(np.float32).tiny, np.finfo(np.float32).max))
        offset = int(np.clip(np.rint(mean / float(single)), -(2**30), 2**30))
        return cls(None, None, drop, offset, single)

    def scores(self, sums: IntArray) -> NDArray[np.int32]:
        """(rows, outputs) for the sums of the output nodes."""
        if self.multiplier is None or self.shift is None:
            return sums.astype(np.int32)
        return scaled(sums, self.multiplier, self.shift).astype(np.int32)

    def values(self, scores: NDArray[np.int32]) -> NDArray[np.float32]:
        return ((scores >> self.drop) + np.int32(self.offset)).astype(np.float32) * self.gain
