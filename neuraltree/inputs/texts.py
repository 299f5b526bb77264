"""Cells as texts: holes, numbers, truth values and levels."""

from __future__ import annotations

import math
import re
from typing import Any
from unicodedata import normalize

MISSING = frozenset(("", "?", "na", "n/a", "#n/a", "nan", "null", "nat", "<na>"))  # in lower case
TRUE = ("true", "yes", "y", "t", "ja", "oui", "1")
FALSE = ("false", "no", "n", "f", "nein", "non", "0")  # in the order of TRUE
TRUTH = dict.fromkeys(FALSE, 0.0) | dict.fromkeys(TRUE, 1.0)
PAIRS = [{false, true} for false, true in zip(FALSE, TRUE, strict=True)]
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)
PADDED = re.compile(r"[+-]?0\d.*", re.ASCII)  # numbers that are names, such as 007


def is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def is_missing(text: str) -> bool:
    return text.strip().lower() in MISSING


def is_hole(cell: Any) -> bool:
    """Whether a cell of a frame is None, NaN, pandas' NA or NaT, or a blank text."""
    if isinstance(cell, str):
        return not cell.strip()
    return (
        cell is None or (isinstance(cell, float) and math.isnan(cell)) or type(cell).__name__ in ("NAType", "NaTType")
    )


def level_text(cell: Any) -> str:
    """The text by which a level is known: the same for 3, 3.0 and "3", and for all ways to write an accent."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return normalize("NFC", str(cell).strip())
