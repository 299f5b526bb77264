"""What is doubtful about recordings: clipped stretches, channels that never change, rare classes."""

from __future__ import annotations

from collections.abc import Iterator

from neuraltree.signals.recordings.recording import Recordings


def notes_on(recordings: Recordings) -> Iterator[str]:
    """A line each."""
    del recordings
    return iter(())
