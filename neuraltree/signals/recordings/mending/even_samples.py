"""Samples on an even grid of another rate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import IntArray

ORDER = 8  # of the low-pass, which runs forwards and back, so that nothing is delayed
PASSED = 0.8  # its cut-off, as a share of the highest frequency that the new rate can hold


class Samples(NamedTuple):
    """``values`` (samples, channels), ``labels`` (samples,), and ``times`` (samples,) in s from any moment on."""

    values: FloatArray
    labels: IntArray
    times: FloatArray


def at_rate(old: Samples, old_hz: float, new_hz: float) -> Samples:
    """By lines between samples; before samples get fewer, what the new rate cannot hold is filtered out.

    The grid begins with the first sample. A label is that of the nearest old sample.
    """
    even = _on_grid(old, old_hz)
    if new_hz == old_hz:
        return even
    if new_hz < old_hz:
        even = even._replace(values=_low_pass(even.values, new_hz / old_hz))
    return _on_grid(even, new_hz)


def _on_grid(old: Samples, rate_hz: float) -> Samples:
    since = old.times - old.times[0]
    times = np.arange(int(since[-1] * rate_hz + 1e-6) + 1) / rate_hz
    values = np.column_stack([np.interp(times, since, channel) for channel in old.values.T])
    nearest = np.searchsorted((since[1:] + since[:-1]) / 2, times)
    return Samples(values, old.labels[nearest], times)


def _low_pass(values: FloatArray, share: float) -> FloatArray:
    """``share``: the new rate by the old one."""
    from scipy.signal import butter, sosfiltfilt

    sections = butter(ORDER, PASSED * share, output="sos")
    filtered: FloatArray = sosfiltfilt(sections, values, axis=0, padlen=min(len(values) - 1, int(10 * ORDER / share)))
    return filtered
