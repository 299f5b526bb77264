"""Samples as the int16 counts that a device is fed: one scale for channels that belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.signals.recordings.recording import Recordings
from neuraltree.signals.sample_integers import LARGEST

_AXIS = re.compile(r"[ _.-]?([xyzw]|\d+)$", re.IGNORECASE)


def unit_groups(channels: Sequence[str], units: Sequence[str]) -> list[list[int]]:
    """The places of channels that share a scale: of one unit, and of one name but for an axis or number at its end.

    accx, accy, accz are such a group.
    """
    found: dict[tuple[str, str], list[int]] = {}
    for i, (channel, unit) in enumerate(zip(channels, units, strict=True)):
        found.setdefault((unit, _AXIS.sub("", channel).lower()), []).append(i)
    return list(found.values())


def counts_per_unit(recordings: Recordings, headroom: float = 2.0) -> tuple[float, ...]:
    """For each channel what one unit is in counts, a float32.

    The largest sample of a group of channels is then ``LARGEST`` / ``headroom``. A group whose samples are whole
    numbers of 16 bits already gets 1. ``ValueError`` for a headroom below 1.
    """
    if not headroom >= 1:
        raise ValueError(
            f"headroom={headroom!r}; it must be 1 or more: how often the largest sample fits into the range"
        )
    found = np.ones(len(recordings.channels))
    for group in unit_groups(recordings.channels, recordings.units):
        parts = [one.samples[:, group] for one in recordings.recordings]
        largest = max(float(np.abs(part).max(initial=0.0)) for part in parts)
        is_counts = largest <= LARGEST + 1 and all(bool((part == np.rint(part)).all()) for part in parts)
        if largest and not is_counts:
            found[group] = np.nextafter(np.float32(LARGEST / (headroom * largest)), np.float32(0))
    return tuple(found.tolist())


def to_counts(samples: ArrayLike, counts_per_unit: Sequence[float]) -> NDArray[np.int16]:
    """Samples (samples, channels) as int16, as C makes them in float: ``lrintf(sample * counts_per_unit)``, to even at
    halves, then held within ±``LARGEST``; -32768 is a missing value elsewhere, and never made.

    ``ValueError`` for samples that are not finite.
    """
    with np.errstate(over="ignore"):
        values = np.asarray(samples, dtype=np.float32)
        scaled = np.rint(values * np.asarray(counts_per_unit, dtype=np.float32))
    if not np.isfinite(values).all():
        raise ValueError("samples must be finite; cut recordings where samples are missing")
    return np.clip(scaled, -LARGEST, LARGEST).astype(np.int16)
