"""Where samples are missing: a recording is cut there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray

SHORTEST = 2  # samples of a stretch that is kept


class Cut(NamedTuple):
    """``stretches``: the first sample of each and the one after its last. ``missing``: samples that were never taken or
    are not finite. ``dropped``: samples of stretches that are too short."""

    stretches: tuple[tuple[int, int], ...]
    missing: int
    dropped: int


def cut_of(samples: FloatArray, times: FloatArray | None, rate_hz: float, longest_gap: float) -> Cut:
    """Cuts ``samples`` (samples, channels) where a value is not finite, and where ``times`` (samples,) in s step by
    more than ``longest_gap`` intervals."""
    there = np.flatnonzero(np.isfinite(samples).all(axis=1))
    missing = len(samples) - len(there)
    is_break = np.diff(there) > 1
    if times is not None and len(there):
        gaps = np.diff(times) * rate_hz
        gaps = gaps[gaps > longest_gap]
        missing += int(np.sum(np.round(gaps) - 1))
        is_break |= np.diff(times[there]) * rate_hz > longest_gap
    runs = np.split(there, np.flatnonzero(is_break) + 1)
    kept = tuple((int(run[0]), int(run[-1]) + 1) for run in runs if len(run) >= SHORTEST)
    return Cut(kept, missing, sum(len(run) for run in runs if len(run) < SHORTEST))
