"""Integer arithmetic that NumPy and C do alike."""

from __future__ import annotations

import math

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


# The sine of 0 to 64 256ths of a turn, times 2^14; and of all 256.
QUARTER_WAVE = tuple(round(math.sin(math.pi * i / 128) * (1 << 14)) for i in range(65))
_HALF_WAVE = (*QUARTER_WAVE, *QUARTER_WAVE[63:0:-1])
SINES: IntArray = np.array([*_HALF_WAVE, *(-v for v in _HALF_WAVE)], dtype=np.int64)


def bit_length(values: IntArray) -> IntArray:
    """The bits of numbers from 0 to 2^53, 0 for 0."""
    return np.frexp(values)[1].astype(np.int64)


def fft_size(n: int) -> int:
    """The samples of a window of n that go into its spectrum: the greatest power of two, 256 at most."""
    return min(256, 1 << (n.bit_length() - 1))
