"""How much there is of each class."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.signals.recordings.recording import UNLABELLED, Recordings


class ClassRow(NamedTuple):
    """``label``: "" for samples without one. ``recordings``: those that hold the class, before they were cut.
    ``subjects``: 0 if they are unknown. ``groups``: see ``Recording.group``. ``share``: of all samples, 0 to 1."""

    label: str
    recordings: int
    subjects: int
    groups: int
    seconds: float
    share: float


def describe(recordings: Recordings) -> list[ClassRow]:
    """A row a class in the order of the classes, and one for samples without a label if there are any."""
    width = len(recordings.classes) + 1
    counts = np.array([np.bincount(one.labels + 1, minlength=width) for one in recordings.recordings])
    total = int(counts.sum())
    rows = []
    for place in [*range(len(recordings.classes)), UNLABELLED]:
        own = counts[:, place + 1]
        holding = [one for one, count in zip(recordings.recordings, own.tolist(), strict=True) if count]
        if not holding and place == UNLABELLED:
            continue
        rows.append(
            ClassRow(
                recordings.classes[place] if place != UNLABELLED else "",
                len({one.source or one.name for one in holding}),
                len({one.subject for one in holding} - {""}),
                len({one.group for one in holding}),
                float(own.sum() / recordings.rate_hz),
                float(own.sum() / total),
            )
        )
    return rows
