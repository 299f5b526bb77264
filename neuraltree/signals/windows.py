"""Windows of recordings: which label each has."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.recordings.recording import UNLABELLED
from neuraltree.tree.nodes import IntArray

# By name: the label of each window of labels (windows, samples), given the counts of each class (windows, classes).
LABEL_RULES: dict[str, Callable[[IntArray, IntArray], IntArray]] = {
    "majority": lambda labels, counts: counts.argmax(axis=1),
    "start": lambda labels, counts: labels[:, 0],
    "centre": lambda labels, counts: labels[:, labels.shape[1] // 2],
    "end": lambda labels, counts: labels[:, -1],
}


def window_labels(labels: IntArray, ends: IntArray, window: int, rule: str, share: float) -> IntArray:
    """(windows,) the label of the ``window`` samples before each of ``ends``; ``UNLABELLED`` where fewer than ``share``
    of them have the label that ``rule`` gives."""
    if not len(ends):
        return np.zeros(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(labels, window)[ends - window].astype(np.int64)
    classes = max(int(labels.max(initial=0)) + 1, 1)
    counts = np.stack([(windows == code).sum(axis=1) for code in range(classes)], axis=1)
    found = LABEL_RULES[rule](windows, counts)
    shares: FloatArray = np.take_along_axis(counts, np.maximum(found, 0)[:, None], axis=1)[:, 0] / window
    return np.where((found >= 0) & (shares >= share), found, UNLABELLED)


def samples_since(labels: IntArray, ends: IntArray, decided: IntArray) -> IntArray:
    """(decisions,) how many samples before each of ``ends`` the stretch of ``labels`` (samples,) began that has the
    label of the decision, ``decided`` (decisions,), and was there last; 0 for ``UNLABELLED``."""
    found = np.zeros(len(ends), dtype=np.int64)
    places = np.arange(len(labels))
    begun = np.maximum.accumulate(np.where(np.diff(labels, prepend=UNLABELLED - 1) != 0, places, 0))
    for code in np.unique(decided[decided != UNLABELLED]).tolist():
        last = np.maximum.accumulate(np.where(labels == code, places, 0))
        at = decided == code
        found[at] = ends[at] - begun[last[ends[at] - 1]]
    return found
