"""Ranges of inputs that a short multiplier and a shift turn into 8 bits exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations.kind import HIGHEST as UNIT
from neuraltree.tree.nodes import IntArray

MOST_SHIFT = 30


def even_reach(reach: NDArray[np.float64]) -> NDArray[np.float64]:
    """The least ranges from ``reach`` on, up to 0.8 % larger, of which a multiplier of 8 bits and a shift make 127."""
    multiplier, shift = short_rescaling(reach)
    return np.maximum(UNIT * np.ldexp(1.0, shift.astype(np.int32)) / multiplier, 0)


def short_rescaling(reach: NDArray[np.float64]) -> tuple[IntArray, IntArray]:
    """Multipliers 128..255 and shifts 1..30 such that reach x multiplier / 2^shift is at most 127, nearly."""
    # The tolerance comes before the split: after it, 0.999... would become a multiplier of 256, which has 9 bits.
    mantissa, exponent = np.frexp(UNIT / reach * (1 + 1e-12))
    multiplier = np.floor(mantissa * 256).astype(np.int64)
    multiplier = np.where(exponent > 7, 255, multiplier)  # a range below one integer
    return multiplier, np.clip(8 - exponent, 1, MOST_SHIFT).astype(np.int64)
