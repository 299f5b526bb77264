"""The rule that makes events of scores, chosen on windows that the model was not fitted to.

One number of the rule after another is chosen, from the rule that changes nothing on: the smoothing, the margin, the
quiet time. All combinations would take seven times as long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from neuraltree.signals.event_rule import SMOOTHING_UNIT, EventRule, events
from neuraltree.signals.event_scores import EventScores, event_scores, joined
from neuraltree.tree.nodes import IntArray

# The values that are tried, the simplest first. The share of the newest window, in 256ths; 77: .3, as in published
# firmware. The lead of the best class, in 256ths of a logit. Windows after an event.
TRIED: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "smoothing": (SMOOTHING_UNIT, 128, 77, 38),
        "margin": (0, 128, 256, 512, 1024),
        "refractory": (0, 1, 3, 7),
    }
)


class Scored(NamedTuple):
    """The windows of one recording in their order: ``scores`` (windows, classes), ``labels`` (windows,)."""

    scores: IntArray
    labels: IntArray


def chosen_rule(
    recordings: Sequence[Scored], *, background: int, hop_s: float, tolerance: int, most_alarms_per_hour: float
) -> tuple[EventRule, EventScores]:
    """Of the rules with no more false alarms than ``most_alarms_per_hour`` the one that is right for most of the time;
    of equally good ones the simplest. If all have more, the one with the fewest."""
    about: dict[str, Any] = {"background": background, "hop_s": hop_s, "tolerance": tolerance}

    def scored(rule: EventRule) -> EventScores:
        courses = [events(rule, one.scores, one.scores.argmax(axis=1)) for one in recordings]
        return joined(
            [event_scores(course, one.labels, **about) for course, one in zip(courses, recordings, strict=True)]
        )

    rule = EventRule(background=background)
    best = scored(rule)
    for name, values in TRIED.items():
        others = [replace(rule, **{name: value}) for value in values[1:]]
        tried = [(rule, best), *((other, scored(other)) for other in others)]
        rule, best = min(
            tried, key=lambda each: (max(each[1].false_alarms_per_hour - most_alarms_per_hour, 0.0), -each[1].right)
        )
    return rule, best
