"""Amounts as people write them: 512, 512B, 4k, 1.5M, 200us."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

_K, _M = 1024.0, 1024.0**2
BYTES = {"": 1.0, "b": 1.0, "k": _K, "kb": _K, "kib": _K, "m": _M, "mb": _M, "mib": _M}
_AMOUNT = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)? ?([a-zµ]*)")


def amount(text: str, units: Mapping[str, float]) -> float | None:
    """The number in the base unit; None if the text is no amount above 0. ``units``: by name in small letters."""
    found = _AMOUNT.fullmatch(text.strip().lower())
    if not found or found[3] not in units:
        return None
    value = float(found[1] + (found[2] or "")) * units[found[3]]
    return value if 0 < value < math.inf else None
