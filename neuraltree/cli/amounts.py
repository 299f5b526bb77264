"""Amounts as people write them: 512, 512B, 4k, 1.5M, 200us."""

from __future__ import annotations

import math
from collections.abc import Mapping

BYTES = {"": 1.0, "k": 1024.0, "m": 1024.0**2}


def amount(text: str, units: Mapping[str, float]) -> float | None:
    """The number in the base unit; None if the text is no amount above 0. ``units``: by name in small letters."""
    plain = text.strip().lower()
    if units is BYTES:
        plain = plain.removesuffix("b").removesuffix("i")
    number = plain.rstrip("abcdefghijklmnopqrstuvwxyzµ")
    try:
        value = float(number) * units[plain[len(number) :]]
    except (ValueError, KeyError):
        return None
    return value if 0 < value < math.inf else None
