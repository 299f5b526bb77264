"""The rule that makes events of scores, chosen on windows that the model was not fitted to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from neuraltree.signals.event_rule import SMOOTHING_UNIT, EventRule, events
from neuraltree.signals.event_scores import EventScores, event_scores, joined
from neuraltree.tree.nodes import IntArray

SMOOTHINGS = (SMOOTHING_UNIT, 128, 77, 38)  # 77 of 256: the share of .3 of published firmware
MARGINS = (0, 128, 256, 512, 1024)  # in 256ths of a logit
QUIET = (0, 1, 3, 7)  # windows


class Scored(NamedTuple):
    """The windows of one recording in their order: ``scores`` (windows, classes), ``labels`` (windows,)."""

    scores: IntArray
    labels: IntArray


def chosen_rule(
    recordings: Sequence[Scored], *, background: int, hop_s: float, tolerance: int, most_alarms_per_hour: float
) -> tuple[EventRule, EventScores]:
    """Of the rules with no more false alarms than ``most_alarms_per_hour`` the one that is right for most of the time;
    of equally good ones the simplest. If all have more, the one with the fewest."""
    found = []
    for rule in _rules(background):
        scores = joined([_scored(rule, one, hop_s, tolerance) for one in recordings])
        over = max(scores.false_alarms_per_hour - most_alarms_per_hour, 0.0)
        found.append((over, -scores.right, rule, scores))
    best = min(range(len(found)), key=lambda i: (*found[i][:2], i))
    return found[best][2:]


def _rules(background: int) -> Iterable[EventRule]:
    """From the simplest on."""
    return (EventRule(*numbers, background) for numbers in product(SMOOTHINGS, MARGINS, QUIET))


def _scored(rule: EventRule, one: Scored, hop_s: float, tolerance: int) -> EventScores:
    course = events(rule, one.scores, one.scores.argmax(axis=1))
    return event_scores(course, one.labels, background=rule.background, hop_s=hop_s, tolerance=tolerance)
