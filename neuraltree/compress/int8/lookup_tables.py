"""Look-up tables of the bounded activations, and how each kind turns a sum into an 8-bit value.

An index ``t`` in -128..127 stands for the sum t x domain / 128; a table holds round(127 f) for each ``t``. Beyond its
domain a kind is constant to 8 bits, so ``t`` is clamped. The domain of a periodic kind is half a period, and ``t``
wraps. A kind that jumps has no table: its index is the sum itself, of which only the sign counts.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import HIGHEST as UNIT
from neuraltree.activations.kind import Integers

FINE = 256  # fine values are in units of 1 / (127 x 256)

# By activation code. A kind without a table has the domain 0: t is already the value.
KINDS: tuple[Integers, ...] = tuple(row.integers for row in ACTIVATIONS)
DOMAINS = np.array([kind.domain for kind in KINDS])
JUMPS = np.array([kind.jumps for kind in KINDS])
LOW, HIGH = np.array([kind.low for kind in KINDS]), np.array([kind.high for kind in KINDS])
# The points at which a kind turns between rising and falling: index t, and the sign of its value there.
TURNS: dict[int, tuple[tuple[int, int], ...]] = {code: kind.turns for code, kind in enumerate(KINDS)}


@cache
def table(code: int) -> NDArray[np.int8]:
    """(256,) values for t = -128..127."""
    sums = np.arange(-128, 128) * (DOMAINS[code] / 128)
    return np.rint(UNIT * ACTIVATIONS[code].value(sums)).astype(np.int8)


@cache
def fine_table(code: int) -> NDArray[np.int16]:
    """(257,) fine values at t = -128..128; the values between them are interpolated."""
    sums = np.arange(-128, 129) * (DOMAINS[code] / 128)
    return np.rint(UNIT * FINE * ACTIVATIONS[code].value(sums)).astype(np.int16)


def values(code: int, t: NDArray[np.integer]) -> NDArray[np.integer]:
    """The 8-bit values of one kind for indices ``t`` of any size."""
    kind = KINDS[code]
    if kind.jumps:
        return np.where(t < 0, kind.low, kind.high)
    if kind.repeats:
        return table(code)[(t + 128) % 256].astype(np.int64)
    t = np.clip(t, kind.low, kind.high)
    return table(code)[t + 128].astype(np.int64) if kind.domain else t


def fine_values(code: int, t: NDArray[np.integer]) -> NDArray[np.integer]:
    """The fine values of one kind for fine indices ``t``, of which 256 make one step of its table."""
    kind = KINDS[code]
    if kind.jumps:
        return FINE * values(code, t)
    if not kind.domain:
        return np.clip(t, kind.low * FINE, kind.high * FINE)
    t = (t + 128 * FINE) % (256 * FINE) if kind.repeats else np.clip(t, -128 * FINE, 128 * FINE - 1) + 128 * FINE
    step, part = t >> 8, t & 255
    knots = fine_table(code).astype(np.int64)
    return knots[step] + (((knots[step + 1] - knots[step]) * part + 128) >> 8)
