"""Second-order filters (biquads) in integers, and their design.

Coefficients are 2^22 times those of SciPy, the state is 2^12 times the output, and each step rounds once, to the
nearest. The output of a Butterworth filter of the second order is at most three times its greatest input, so that the
state stays below 2^29.
"""

from __future__ import annotations

from functools import cache

from neuraltree.tree.nodes import IntArray

ONE = 1 << 22  # a coefficient of 1
STATE = 1 << 12  # an output of 1, in the state
# Cut-offs, of the sampling rate: at the least one a rounding of the state is worth up to 3 counts of the output.
LEAST, MOST = 1e-3, 0.45


@cache
def poles(millihertz: int, rate_hz: float, kind: str) -> tuple[float, int, int]:
    """The first coefficient of a Butterworth filter of the second order; the two of its recursion, as integers."""
    from scipy.signal import butter  # takes a while to import

    b, a = butter(2, millihertz / 1000, btype=kind, fs=rate_hz)
    return float(b[0]), round(a[1] * ONE), round(a[2] * ONE)


def allowed_cutoffs(rate_hz: float) -> tuple[int, int]:
    """The least and the greatest cut-off, in mHz."""
    return max(1, round(LEAST * rate_hz * 1000)), int(MOST * rate_hz * 1000)


def recursion(inputs: IntArray, constants: tuple[int, ...], start: int) -> list[int]:
    """The states for inputs that are weighted with the filter's zeros; ``start``: the state before them."""
    gain, a1, a2 = constants
    found = []
    y = before = start
    for v in (inputs * (gain * STATE) + ONE // 2).tolist():  # plain integers: the fastest in Python, and exact
        y, before = (v - a1 * y - a2 * before) >> 22, y
        found.append(y)
    return found
