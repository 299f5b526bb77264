"""Whether windows of a length fit into the recordings, before a model is trained on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from neuraltree.option_values import check_whole
from neuraltree.signals.recordings.recording import UNLABELLED, Recordings
from neuraltree.tree.nodes import IntArray

PASS, FIX, LOSES = "PASS", "FIX", "WILL LOSE DATA"
MUCH = 0.1  # the share of a class's samples whose loss is no small matter


class ClassWindows(NamedTuple):
    """``stretches`` of one label; ``too_short``: those that no window fits into; ``windows`` in the others; ``lost``:
    the share of the class's samples that are in stretches that are too short."""

    label: str
    stretches: int
    too_short: int
    windows: int
    lost: float


@dataclass(frozen=True)
class WindowCheck:
    """``verdict``: PASS if no stretch is too short, FIX if every class loses little, WILL LOSE DATA otherwise.
    ``shortest``: samples of the shortest stretch, which is the longest window that loses nothing."""

    window: int
    hop: int
    verdict: str
    shortest: int
    classes: tuple[ClassWindows, ...]


def windows_lost(recordings: Recordings, window: int, hop: int) -> WindowCheck:
    """Of windows of ``window`` samples that begin every ``hop`` samples of a stretch of one label; samples without a
    label count for none. ``ValueError`` for a length below 1, and if no sample has a label."""
    check_whole("window", window)
    check_whole("hop", hop)
    lengths: dict[int, list[int]] = {place: [] for place in range(len(recordings.classes))}
    for one in recordings.recordings:
        for place, length in _runs(one.labels):
            if place != UNLABELLED:
                lengths[place].append(length)
    if not recordings.classes:
        raise ValueError("no sample has a label, so windows have no class")
    named = zip(recordings.classes, lengths.values(), strict=True)
    rows = tuple(_row(label, np.array(own, dtype=np.int64), window, hop) for label, own in named)
    worst = max(row.lost for row in rows)
    verdict = PASS if not worst else FIX if worst <= MUCH else LOSES
    return WindowCheck(window, hop, verdict, min(min(own, default=0) for own in lengths.values()), rows)


def _runs(labels: IntArray) -> list[tuple[int, int]]:
    """The label and the length of each run of equal labels."""
    begins = np.r_[0, np.flatnonzero(np.diff(labels)) + 1]
    return list(zip(labels[begins].tolist(), np.diff(np.r_[begins, len(labels)]).tolist(), strict=True))


def _row(label: str, lengths: IntArray, window: int, hop: int) -> ClassWindows:
    short = lengths < window
    windows = (lengths[~short] - window) // hop + 1
    lost = float(lengths[short].sum() / max(lengths.sum(), 1))
    return ClassWindows(label, len(lengths), int(short.sum()), int(windows.sum()), lost)
