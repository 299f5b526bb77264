"""Integer arithmetic that NumPy and C do alike."""

from __future__ import annotations

import numpy as np

from neuraltree.tree.nodes import IntArray

LARGEST = 32767  # of a sample, of a filtered sample and of a feature; -32768 is a missing value elsewhere
LEAST_SAMPLES, MOST_SAMPLES = 8, 1024  # of a window: within these no sum or product of the C code overflows


def clipped(values: IntArray) -> IntArray:
    """The values, held within ±``LARGEST``."""
    return np.clip(values, -LARGEST, LARGEST)


def quotient(a: IntArray, b: IntArray | int) -> IntArray:
    """a / b towards zero, as C divides; 0 where b is 0."""
    b = np.asarray(b, dtype=np.int64)
    found = np.abs(a) // np.maximum(np.abs(b), 1)
    return np.where(b == 0, 0, np.sign(a) * np.sign(b) * found)


def root(values: IntArray) -> IntArray:
    """The integer part of the square root of numbers from 0 to 2^62."""
    found = np.sqrt(np.asarray(values, dtype=np.float64)).astype(np.int64)
    found = np.where(found * found > values, found - 1, found)
    return np.where((found + 1) * (found + 1) <= values, found + 1, found)
