"""From the scores of single windows to events, in integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import IntArray

SCORE_UNIT = 256  # a score in integers is 256 times a logit, held within ±32767
SMOOTHING_UNIT = 256
NONE, UNKNOWN = -1, -2  # beside the positions of classes
MOST_REFRACTORY = 65_535


@dataclass(frozen=True)
class EventRule:
    """``smoothing``: the share of the newest window in the exponential mean of the scores, in 256ths; 256: none.
    ``margin``: the least lead of the best class over the second, in ``SCORE_UNIT``; a window with less is unknown,
    unless its best class is what was reported last: it takes a lead to begin, and none to go on.
    ``refractory``: windows after an event in which no other is reported. ``background``: the class that is no event,
    -1 if all are.

    An event is a change of what is reported: a class, or that it is unknown. The background ends an event silently,
    and what is unknown starts no refractory time. ``ValueError`` for numbers that C cannot hold.
    """

    smoothing: int = SMOOTHING_UNIT
    margin: int = 0
    refractory: int = 0
    background: int = -1

    def __post_init__(self) -> None:
        allowed = {
            "smoothing": (1, SMOOTHING_UNIT),
            "margin": (0, 65_535),
            "refractory": (0, MOST_REFRACTORY),
            "background": (-1, 32_767),
        }
        for name, (least, most) in allowed.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} is {getattr(self, name)}; an event rule takes {least} to {most}")


def smoothed(scores: IntArray, smoothing: int) -> IntArray:
    """(windows, classes) the exponential means of the scores of one recording, from its first window on."""
    if smoothing == SMOOTHING_UNIT or not len(scores):
        return scores.astype(np.int64)
    rows = scores.tolist()
    means, found = rows[0], [rows[0]]
    for row in rows[1:]:
        means = [m + (((x - m) * smoothing + SMOOTHING_UNIT // 2) >> 8) for m, x in zip(means, row, strict=True)]
        found.append(means)
    return np.array(found, dtype=np.int64)


class Course(NamedTuple):
    """``events`` (windows,): a class, ``UNKNOWN`` or ``NONE``. ``reported`` (windows,): what holds since the last
    event, the background included."""

    events: IntArray
    reported: IntArray


def events(rule: EventRule, scores: IntArray, classes: IntArray, rejected: NDArray[np.bool_] | None = None) -> Course:
    """The course of one recording, window after window.

    ``scores`` (windows, classes) in ``SCORE_UNIT``; ``classes`` (windows,): of each window alone, which are the best
    ones if nothing is smoothed; ``rejected`` (windows,): those that are unknown whatever their scores.
    """
    means = smoothed(scores, rule.smoothing)
    best = classes.astype(np.int64) if rule.smoothing == SMOOTHING_UNIT else means.argmax(axis=1)
    others = np.where(np.arange(means.shape[1]) == best[:, None], np.iinfo(np.int64).min, means)
    lead = means[np.arange(len(best)), best] - others.max(axis=1, initial=np.iinfo(np.int64).min)
    sure = (lead >= rule.margin) if rule.margin else np.ones(len(best), dtype=bool)
    allowed = np.ones(len(best), dtype=bool) if rejected is None else ~rejected
    found, reported, current, quiet = np.full(len(best), NONE), np.full(len(best), NONE), NONE, 0
    for i, (label, leads, known) in enumerate(zip(best.tolist(), sure.tolist(), allowed.tolist(), strict=True)):
        seen = label if known and (leads or label == current) else UNKNOWN
        if quiet:
            quiet -= 1
        elif seen != current:
            current = seen
            if seen != rule.background:
                found[i] = seen
                quiet = rule.refractory if seen != UNKNOWN else 0
        reported[i] = current
    return Course(found, reported)
