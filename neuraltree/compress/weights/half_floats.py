"""Floats of 16 bits: what a weight becomes when it is stored in two bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray


def fp16(weights: ArrayLike) -> FloatArray:
    """The nearest numbers with 5 bits of exponent and 10 of mantissa, halves to even (IEEE 754). ``ValueError`` beyond
    65,504."""
    with np.errstate(over="ignore"):
        found = np.asarray(weights, dtype=np.float64).astype(np.float16)
    _check(weights, found, "fp16", "65,504")
    return found.astype(np.float64)


def bf16(weights: ArrayLike) -> FloatArray:
    """The nearest numbers to single floats with 8 bits of exponent and 7 of mantissa, halves to even. ``ValueError``
    beyond 3.39e38.

    They are the upper half of a single float's bits; half of what the lower half can hold is added first.
    """
    with np.errstate(over="ignore"):
        bits = np.asarray(weights, dtype=np.float64).astype(np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    found = rounded.view(np.float32)
    _check(weights, found, "bf16", "3.39e38")
    return found.astype(np.float64)


def _check(weights: ArrayLike, found: np.ndarray, name: str, most: str) -> None:
    if not np.isfinite(found).all():
        largest = np.abs(weights).max()
        raise ValueError(f"a weight of {largest:g} is beyond {name} ({most}); take bf16 or float32, or smaller weights")
