"""What is doubtful about recordings: clipped stretches, channels that never change, classes that are rare or alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.recordings.recording import UNLABELLED, Recordings
from neuraltree.signals.recordings.summary.describing import describe
from neuraltree.tree.nodes import IntArray

CLIPPED = 3  # equal samples in a row at a channel's extreme value
FEW_VALUES = 16  # a channel of fewer, such as a switch, is at its extremes by nature
RARE = 10  # times less than the most frequent class


def notes_on(recordings: Recordings) -> Iterator[str]:
    """A line each."""
    for i, name in enumerate(recordings.channels):
        yield from _channel_notes(name, [one.samples[:, i] for one in recordings.recordings])
    bare = sum(bool((one.labels == UNLABELLED).all()) for one in recordings.recordings)
    if bare and recordings.classes:
        yield f"{bare} of {len(recordings.recordings)} recordings have no label"
    yield from _class_notes(recordings)


def _channel_notes(name: str, parts: list[FloatArray]) -> Iterator[str]:
    ends = min(part.min() for part in parts), max(part.max() for part in parts)
    if ends[0] == ends[1]:
        yield f"channel {name!r} never changes: it is always {ends[0]:g}"
        return
    runs = [[run for part in parts for run in _long_runs(part == end)] for end in ends]
    if not any(runs) or len(np.unique(np.concatenate(parts))) < FEW_VALUES:
        return
    total = sum(map(len, parts))
    clipped = [(sum(own), end) for own, end in zip(runs, ends, strict=True) if own]
    told = " and ".join(f"{count} samples ({100 * count / total:.2g} %) at {end:g}" for count, end in clipped)
    yield f"channel {name!r} may be clipped: runs of {CLIPPED} or more equal samples at an end of its range, {told}"


def _long_runs(is_end: IntArray) -> list[int]:
    """The lengths of runs of at least ``CLIPPED`` samples."""
    steps = np.flatnonzero(np.diff(np.r_[False, is_end, False]))
    lengths = steps[1::2] - steps[::2]
    return lengths[lengths >= CLIPPED].tolist()


def _class_notes(recordings: Recordings) -> Iterator[str]:
    rows = [row for row in describe(recordings) if row.label]
    if len(rows) < 2:
        return
    most = max(rows, key=lambda row: row.seconds)
    rare = [row for row in rows if row.seconds * RARE < most.seconds]
    if rare:
        told = ", ".join(f"{row.label} {row.seconds:.4g} s" for row in rare)
        yield f"unbalanced classes: there are {most.seconds:.4g} s of {most.label}, but {told}"
    alone = [row.label for row in rows if row.groups < 2]
    if alone:
        yield (
            f"one recording or subject holds all of a class, for {', '.join(alone)}: it cannot be in both training and "
            "validation"
        )
