"""How good the decisions of played recordings are: by window, by subject, by event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from neuraltree.signals.event_scores import EventScores, event_scores, joined
from neuraltree.signals.signal_model import SignalModel
from neuraltree.signals.windows import samples_since
from neuraltree.tree.nodes import IntArray
from search.playback.played import Played


class Scores(NamedTuple):
    """``confusion`` (classes, classes): decisions by label and by the class of their window alone. ``subjects``: by
    name, the windows that are right and all of them. ``recordings``: those of one label whose most frequent class is
    that label, and all of one label. ``events``: of the whole rule, see ``EventScores``."""

    confusion: IntArray
    subjects: dict[str, tuple[int, int]]
    recordings: tuple[int, int]
    events: EventScores

    @property
    def accuracy(self) -> float:
        """The share of windows that are right; NaN without labels."""
        total = int(self.confusion.sum())
        return float(np.trace(self.confusion)) / total if total else float("nan")

    @property
    def worst_first(self) -> list[tuple[str, int, int]]:
        """(name, right, all) of the subjects that have windows with a label, the lowest share first."""
        there = [(name, right, of) for name, (right, of) in self.subjects.items() if of]
        return sorted(there, key=lambda row: row[1] / row[2])


def scores_of(model: SignalModel, plays: Sequence[Played]) -> Scores:
    classes = len(model.tree.classes or ())
    confusion = np.zeros((classes, classes), dtype=np.int64)
    subjects: dict[str, tuple[int, int]] = {}
    right, whole = 0, 0
    for one in plays:
        known = one.labels >= 0
        labels, found = one.labels[known], one.decisions.classes[known]
        np.add.at(confusion, (labels, found), 1)
        before = subjects.get(one.recording.group, (0, 0))
        subjects[one.recording.group] = (before[0] + int((labels == found).sum()), before[1] + len(labels))
        if len(labels) and (labels == labels[0]).all():
            whole += 1
            right += int(np.bincount(found, minlength=classes).argmax() == labels[0])
    return Scores(confusion, subjects, (right, whole), joined([_event_scores(model, one) for one in plays]))


def _event_scores(model: SignalModel, one: Played) -> EventScores:
    front = model.front_end
    return event_scores(
        one.course,
        one.labels,
        background=model.events.background,
        hop_s=front.hop / front.rate_hz,
        tolerance=front.longest // front.hop,
        since_s=samples_since(one.recording.labels, one.decisions.ends, one.labels) / front.rate_hz,
    )
