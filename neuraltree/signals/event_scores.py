"""How good the course of a recording is: time right, spans found, delays, false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.event_rule import Course
from neuraltree.tree.nodes import IntArray


class EventScores(NamedTuple):
    """Of one recording or of several. ``labelled``: decisions with a label; ``right``: of these, at which what is
    reported is the label. ``spans``: stretches of one label that is not the background; ``found``: of these, in which
    it was reported. ``delays_s``: from the start of each found span, see ``event_scores``, in s. ``false_alarms``:
    events of a class that is not the label within ``tolerance``; events in stretches without labels do not count.
    ``hours``: of decisions with a label."""

    labelled: int
    right: int
    spans: int
    found: int
    false_alarms: int
    hours: float
    delays_s: FloatArray

    @property
    def accuracy(self) -> float:
        """The share of the labelled time at which the label is reported."""
        return self.right / max(self.labelled, 1)

    @property
    def false_alarms_per_hour(self) -> float:
        return self.false_alarms / self.hours if self.hours else 0.0


def event_scores(
    course: Course,
    labels: IntArray,
    *,
    background: int,
    hop_s: float,
    tolerance: int,
    since_s: FloatArray | None = None,
) -> EventScores:
    """Of one recording. ``labels`` (decisions,): positions of classes, -1 for none; ``tolerance``: decisions by which
    an event may be early or late. ``since_s`` (decisions,): at each decision, for how long the samples have had its
    label; by default delays begin at the first decision that has the label, half a window late."""
    known = labels >= 0
    delays, spans = [], 0
    for first, last in _spans(labels):
        if labels[first] == background:
            continue
        spans += 1
        there = np.flatnonzero(course.reported[first:last] == labels[first])
        begun = 0.0 if since_s is None else float(since_s[first])
        delays += [begun + there[0] * hop_s] if len(there) else []
    alarms = np.flatnonzero((course.events >= 0) & known)
    false = sum(course.events[i] not in labels[max(i - tolerance, 0) : i + tolerance + 1] for i in alarms.tolist())
    counted = int(known.sum())
    right = int((course.reported[known] == labels[known]).sum())
    return EventScores(counted, right, spans, len(delays), false, counted * hop_s / 3600, np.array(delays))


def joined(scores: Sequence[EventScores]) -> EventScores:
    """Of several recordings together."""
    delays = np.concatenate([one.delays_s for one in scores])
    counts = {name: sum(getattr(one, name) for one in scores) for name in EventScores._fields if name != "delays_s"}
    return EventScores(**counts, delays_s=delays)


def _spans(labels: IntArray) -> list[tuple[int, int]]:
    """First and last (exclusive) of each stretch of one label."""
    if not len(labels):
        return []
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    return [(first, last) for first, last in pairwise(edges) if labels[first] >= 0]
