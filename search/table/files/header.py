"""The test whether the first line of a text file names the columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from neuraltree.inputs.texts import is_missing, is_number
from search.errors import InputError
from search.strict import shown

DEPTH = 50  # rows below the first that are read to see whether a column holds numbers
_DIGITS = re.compile(r"[+-]?\d+", re.ASCII)

Row = Sequence[str]


def has_header(rows: Sequence[Row], dropped: Sequence[str], source: str) -> bool:
    """Whether the first row has texts above columns of numbers; columns of texts, such as labels, are no evidence.

    ``InputError`` if the first row has both numbers and texts above columns of numbers, or only numbers that may be
    names. Columns ``dropped`` by number, as ``x0``, are left out of the latter check.
    """
    top = {i: is_number(cell) for i, cell in enumerate(rows[0]) if not is_missing(cell)}
    below = rows[1 : 1 + DEPTH]
    votes = {is_top for i, is_top in top.items() if any(is_number(row[i]) for row in below)}
    if len(votes) == 2:
        _refuse("has both numbers and texts above columns of numbers", source)
    named = [i for i, cell in enumerate(rows[0]) if cell and f"x{i}" not in dropped]
    if below and all(top.get(i) for i in named) and _may_be_names(rows[0], below, named):
        _refuse(f"has the numbers {shown(', '.join(rows[0][i] for i in named))}, which may be names", source)
    return not votes.pop() if votes else not any(top.values())


def _refuse(what: str, source: str) -> None:
    raise InputError(f"{source}: the first line {what}; set data.header = true if it names the columns, false if not")


def _may_be_names(top: Row, below: Sequence[Row], named: Sequence[int]) -> bool:
    """Whether the numbers ``top`` may be names: all differ, and they count up evenly or are unlike the cells below."""
    if len({top[i] for i in named}) < max(2, len(named)):
        return False
    steps = [float(top[j]) - float(top[i]) for i, j in pairwise(named)]
    counting = len(steps) > 1 and min(steps) > 0 and max(steps) - min(steps) <= 1e-6 * max(steps)
    return counting or all(_is_unlike(top[i], [row[i] for row in below if is_number(row[i])]) for i in named)


def _is_unlike(name: str, cells: Row) -> bool:
    """Whether a number is whole and no cell below is, or lies outside the range of the cells by more than its width."""
    if not cells or (_DIGITS.fullmatch(name) and not any(map(_DIGITS.fullmatch, cells))):
        return True
    number, numbers = float(name), [float(cell) for cell in cells]
    low, high = min(numbers), max(numbers)
    return max(low - number, number - high) > high - low
