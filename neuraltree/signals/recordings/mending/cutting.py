"""Where samples are missing: a recording is cut there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.recordings.mending.sample_times import Pace

SHORTEST = 2  # samples of a stretch that is kept


class Cut(NamedTuple):
    """``stretches``: the first sample of each and the one after its last. ``missing``: samples that were never taken or
    are not finite. ``dropped``: samples of stretches that are too short."""

    stretches: tuple[tuple[int, int], ...]
    missing: int
    dropped: int


def cut_of(samples: FloatArray, times: FloatArray | None, pace: Pace) -> Cut:
    """Cuts ``samples`` (samples, channels) where a value is not finite, and where ``times`` (samples,) in s step by
    more than the longest step of their pace."""
    there = np.flatnonzero(np.isfinite(samples).all(axis=1))
    missing = len(samples) - len(there)
    is_break = np.diff(there) > 1
    if times is not None:
        steps = np.diff(times)
        missing += int(np.sum(np.round(steps[steps > pace.longest] * pace.rate_hz) - 1))
        is_break |= np.diff(times[there]) > pace.longest
    runs = np.split(there, np.flatnonzero(is_break) + 1)
    kept = tuple((int(run[0]), int(run[-1]) + 1) for run in runs if len(run) >= SHORTEST)
    return Cut(kept, missing, sum(len(run) for run in runs if len(run) < SHORTEST))
