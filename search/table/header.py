"""Whether the first line of a text file names the columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from search.errors import InputError
from search.strict import shown
from search.table.raw import is_missing, is_number

_DEPTH = 50  # rows below the first that say whether a column holds numbers
_DIGITS = re.compile(r"\d{1,18}", re.ASCII)


def has_header(rows: Sequence[Sequence[str]], source: str) -> bool:
    """Whether the first row has texts on top of numbers; a label column, text all the way down, says nothing.

    ``InputError`` if it has both numbers and texts on top of numbers, or numbers that may be names.
    """
    top = {i: is_number(cell) for i, cell in enumerate(rows[0]) if not is_missing(cell)}
    below = rows[1 : 1 + _DEPTH]
    votes = {is_top for i, is_top in top.items() if any(is_number(row[i]) for row in below)}
    if len(votes) == 2:
        _refuse(source, "has numbers and texts on top of numbers")
    if below and _may_be_names(rows[0], below):
        _refuse(source, f"has the numbers {shown(', '.join(cell for cell in rows[0] if cell))}, which may be names")
    return not votes.pop() if votes else not any(top.values())


def _refuse(source: str, what: str) -> None:
    raise InputError(f"{source}: the first line {what}; say data.header = true if it names the columns, false if not")


def _may_be_names(top: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether a row is of different digits, which count up evenly or are all unlike the numbers below them."""
    named = [i for i, cell in enumerate(top) if cell]
    if len({top[i] for i in named}) < max(2, len(named)) or not all(_DIGITS.fullmatch(top[i]) for i in named):
        return False
    steps = {int(top[j]) - int(top[i]) for i, j in pairwise(named)}
    counting = len(named) > 2 and len(steps) == 1 and min(steps) > 0
    return counting or all(_is_unlike(int(top[i]), [row[i] for row in below if is_number(row[i])]) for i in named)


def _is_unlike(name: int, cells: Sequence[str]) -> bool:
    """Whether all numbers below have a decimal point, or are farther from the name than from each other."""
    if not any(_DIGITS.fullmatch(cell.lstrip("+-")) for cell in cells):
        return True
    numbers = [float(cell) for cell in cells]
    low, high = min(numbers), max(numbers)
    return max(low - name, name - high) > high - low
