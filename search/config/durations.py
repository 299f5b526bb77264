"""Lengths of time as text, such as "90s", "5m" or "1.5h"."""

from __future__ import annotations

import math

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """The seconds that a text stands for; ``ValueError`` if it stands for none, or for none above 0."""
    number, unit = text[:-1], UNITS.get(text[-1:], 0.0)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise ValueError(f'{text!r} is not a time; write a number above 0 and s, m or h, as in "90s", "5m" or "1.5h"')
    return seconds
