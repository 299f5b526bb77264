"""Some of the recordings: those of a part, or of some subjects."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from neuraltree.signals.recordings.raw_recording import natural
from neuraltree.signals.recordings.recording import Recording, Recordings


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


def subjects_of(recordings: Recordings) -> list[str]:
    """The subjects in a natural order, without ""."""
    return sorted({one.subject for one in recordings.recordings} - {""}, key=natural)
