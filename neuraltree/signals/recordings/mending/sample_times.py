"""The rate of samples and how steady it is, found from their times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray

LEAST_HZ, MOST_HZ = 1e-3, 1e8
RESOLUTIONS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)  # s that times may be rounded to
BETWEEN = 0.01  # of an interval between two multiples of what times are rounded to
SAME_CLOCK = 1e-6
MOSTLY = 0.95  # of the steps that jitter is judged by


class Pace(NamedTuple):
    """``jitter``: the share of an interval by which 95 % of the steps differ from it at most, beyond the rounding of
    the times. ``longest``: s between two samples beyond which samples are missing."""

    rate_hz: float
    jitter: float
    longest: float


def pace_of(times: FloatArray, longest_gap: float) -> Pace:
    """The pace of samples at ``times`` (samples,) in s; steps of more than ``longest_gap`` intervals do not count.

    ``ValueError`` if times go back or most of them repeat.
    """
    if len(times) < 2:
        raise ValueError("one sample has no rate; give rate_hz")
    steps = np.diff(times)
    back = np.flatnonzero(~(steps >= 0))
    if len(back):
        first, then = times[back[0]], times[back[0] + 1]
        raise ValueError(f"times go back or are missing at sample {back[0] + 2}: {then:.6f} s after {first:.6f} s")
    middle = float(np.median(steps))
    if middle <= 0:
        raise ValueError(
            "most times repeat, as if samples came in packets or the column held no times; leave it out, "
            'columns={"time": ""}, and give rate_hz'
        )
    usual = steps[steps <= longest_gap * middle]  # the median is no interval if times are rounded: 9.6 ms to 9 and 10
    interval = float(np.mean(usual))
    jitter = float(np.quantile(np.abs(usual - interval), MOSTLY))
    rounding = _resolution(times)
    is_rounded = rounding and abs(interval / rounding - round(interval / rounding)) > BETWEEN
    longest = longest_gap * interval + (rounding if is_rounded else 0.0)  # each time may be off by a half
    return Pace(plain_rate(1 / interval), max(jitter - rounding, 0.0) / interval, longest)


def _resolution(times: FloatArray) -> float:
    """What all times are multiples of, in s; 0 if it is nothing that times are rounded to."""
    near = np.spacing(np.abs(times).max(initial=1.0)) * 4
    for each in RESOLUTIONS:
        if (np.abs(times - np.round(times / each) * each) <= near).all():
            return each
    return 0.0


def plain_rate(rate_hz: float) -> float:
    """The shortest decimal number within a millionth of the rate, as no clock is better: 1000 / 9.615385 is 104.

    ``ValueError`` for a rate that no sensor has.
    """
    if not LEAST_HZ <= rate_hz <= MOST_HZ:
        raise ValueError(f"the rate is {rate_hz:.6g} Hz; rates are {LEAST_HZ:g} to {MOST_HZ:g} Hz")
    found = (float(f"{rate_hz:.{digits}g}") for digits in range(1, 17))
    return next(each for each in found if abs(each - rate_hz) <= SAME_CLOCK * rate_hz)
