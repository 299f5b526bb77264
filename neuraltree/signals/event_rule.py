"""From the scores of single windows to events."""

from __future__ import annotations

from dataclasses import dataclass

SCORE_UNIT = 256  # a score in integers is 256 times a logit, held within ±32767
SMOOTHING_UNIT = 256


@dataclass(frozen=True)
class EventRule:
    """``smoothing``: the share of the newest window in the exponential mean of the scores, in 256ths; 256: none.
    ``margin``: the least lead of the best class over the second, in ``SCORE_UNIT``; a window with less is unknown.
    ``refractory``: windows after an event in which no other is reported. ``background``: the class that is no event,
    -1 if all are."""

    smoothing: int = SMOOTHING_UNIT
    margin: int = 0
    refractory: int = 0
    background: int = -1
