"""Second-order filters (biquads) in integers, and their design.

Coefficients are 2^22 times their values, the state is 2^12 times the output, and each step rounds once, to the
nearest. The output of a Butterworth filter of the second order is at most three times its greatest input, so that the
state stays below 2^29.
"""

from __future__ import annotations

import math

from neuraltree.tree.nodes import IntArray

ONE = 1 << 22  # a coefficient of 1
STATE = 1 << 12  # an output of 1, in the state
# Cut-offs, of the sampling rate: at the least one a rounding of the state is worth up to 3 counts of the output.
LEAST, MOST = 1e-3, 0.45


def poles(millihertz: int, rate_hz: float) -> tuple[float, int, int]:
    """The first coefficient of Butterworth's high-pass filter of the second order; the two of its recursion, and of the
    low-pass filter's, as integers.

    The bilinear transform of s² / (s² + √2 s + 1) with the cut-off at s = 1: what ``scipy.signal.butter`` gives, which
    takes seconds to import."""
    k = math.tan(math.pi * millihertz / 1000 / rate_hz)
    whole = 1 + math.sqrt(2) * k + k * k
    return 1 / whole, round(2 * (k * k - 1) / whole * ONE), round((1 - math.sqrt(2) * k + k * k) / whole * ONE)


def allowed_cutoffs(rate_hz: float) -> tuple[int, int]:
    """The least and the greatest cut-off, in mHz."""
    return max(1, round(LEAST * rate_hz * 1000)), int(MOST * rate_hz * 1000)


def tried_cutoffs(rate_hz: float) -> tuple[int, ...]:
    """A hundredth and a twentieth of the sampling rate, in mHz, where they are allowed."""
    least, most = allowed_cutoffs(rate_hz)
    return tuple(cut for cut in (round(rate_hz * 10), round(rate_hz * 50)) if least <= cut <= most)


def recursion(inputs: IntArray, constants: tuple[int, ...], start: int) -> list[int]:
    """The states for inputs that are weighted with the filter's zeros; ``start``: the state before them."""
    gain, a1, a2 = constants
    found = []
    y = before = start
    for v in (inputs * (gain * STATE) + ONE // 2).tolist():  # plain integers: the fastest in Python, and exact
        y, before = (v - a1 * y - a2 * before) >> 22, y
        found.append(y)
    return found
