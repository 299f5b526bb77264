"""Some of what is in recordings: those of a part or of some subjects, some channels, some classes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from neuraltree.signals.recordings.raw_recording import natural
from neuraltree.signals.recordings.recording import UNLABELLED, Recording, Recordings


def of_part(recordings: Recordings, part: str) -> Recordings:
    """Those of one part, "training" or "testing". ``ValueError`` if there are none."""
    return _chosen(recordings, lambda one: one.part == part, f"no recording is of the part {part!r}")


def of_subjects(recordings: Recordings, subjects: Collection[str]) -> Recordings:
    """Those of some subjects. ``ValueError`` for a subject that has none."""
    known = {one.subject for one in recordings.recordings}
    if unknown := set(subjects) - known:
        raise ValueError(f"no recording is of {min(unknown)!r}; subjects are {', '.join(sorted(known, key=natural))}")
    return _chosen(recordings, lambda one: one.subject in subjects, "no subject is named")


def _chosen(recordings: Recordings, is_chosen: Callable[[Recording], bool], lacking: str) -> Recordings:
    chosen = tuple(filter(is_chosen, recordings.recordings))
    if not chosen:
        raise ValueError(f"{lacking}; there are {len(recordings.recordings)} recordings")
    return replace(recordings, recordings=chosen, notes=())


def with_channels(recordings: Recordings, channels: Sequence[str]) -> Recordings:
    """With these of their channels, in this order."""
    places = [recordings.channels.index(name) for name in channels]
    return replace(
        recordings,
        channels=tuple(channels),
        units=tuple(recordings.units[place] for place in places),
        recordings=tuple(replace(one, samples=one.samples[:, places]) for one in recordings.recordings),
    )


def with_classes(recordings: Recordings, classes: Sequence[str]) -> Recordings:
    """With these classes, in this order; samples of others have no label."""
    codes = [classes.index(name) if name in classes else UNLABELLED for name in recordings.classes]
    table = np.array([*codes, UNLABELLED])  # the last one is for no label
    made = tuple(replace(one, labels=table[one.labels]) for one in recordings.recordings)
    return replace(recordings, classes=tuple(classes), recordings=made)


def subjects_of(recordings: Recordings) -> list[str]:
    """The subjects in a natural order, without ""."""
    return sorted({one.subject for one in recordings.recordings} - {""}, key=natural)
