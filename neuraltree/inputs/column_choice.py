"""Which encoder a column gets, and its constants: from the cells of training rows alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.encoders import Category, Column, Flag, Number, Ordinal, Part, Time
from neuraltree.inputs.encoding import repeated_name
from neuraltree.inputs.frames import Columns, holes_of
from neuraltree.inputs.texts import PADDED, PAIRS, is_number, level_text
from neuraltree.inputs.times import ISO, PERIODS, fault_of, form_of, week_of

Filling = Literal["mean", "median"]
MOST_LEVELS = 30  # features of a category; rarer levels are "other"
LEAST_ROWS, LEAST_SHARE = 2, 0.01  # a level needs so many rows, and this share of them or MANY
MANY = 10


def choose(
    name: str, cells: NDArray, asked: str | Sequence[str] | None, missing: Filling | None, *, indicator: bool
) -> Column:
    """The encoder of a column with these cells (rows,).

    ``asked``: None if the cells decide; a key of ``ASKED``, for times with parts as in "time hour weekday"; or the
    levels of an ordinal column in their order. ``missing``: what fills a hole, also one that comes later; None: holes
    are refused. ``ValueError`` if the cells do not fit, or if they are all holes.
    """
    if not _there(cells):
        raise ValueError(f"column {name!r} has no cell that is not missing; leave it out")
    if asked is None:
        asked = kind_of(cells)
    if not isinstance(asked, str):
        return _ordinal(name, cells, asked, missing)
    kind, *parts = asked.split() or [""]
    if kind not in ASKED or not set(parts) <= set(PERIODS if kind == "time" else ()):
        raise ValueError(
            f"column {name!r}: {asked!r}; allowed: {', '.join(ASKED)}, "
            f"time with {', '.join(PERIODS)}, or the levels of an ordinal column in a list"
        )
    return ASKED[kind](name, cells, missing, indicator, parts)


def choose_all(
    columns: Columns, asked: Mapping[str, Any], missing: Filling | None = "mean", *, indicator: bool = False
) -> tuple[Column, ...]:
    """The encoders of all columns; see ``choose``. ``ValueError`` too if two features would have one name."""
    made = tuple(choose(name, cells, asked.get(name), missing, indicator=indicator) for name, cells in columns.items())
    if name := repeated_name(made):
        raise ValueError(f"two columns would make a feature {name!r}; rename one of them")
    return made


def kind_of(cells: NDArray) -> str:
    """The kind that the cells of a column look like."""
    if cells.dtype.kind in "iuf":
        return "number"
    if cells.dtype.kind in "bM":
        return {"b": "boolean", "M": "time"}[cells.dtype.kind]
    there = _there(cells)
    texts = {level_text(cell) for cell in there}
    if all(isinstance(cell, bool) for cell in there) or {text.lower() for text in texts} in PAIRS:
        return "boolean"
    if texts and all(is_number(text) and not PADDED.fullmatch(text) for text in texts):
        return "number"
    return "time" if form_of(list(texts)) else "category"


def _there(cells: NDArray) -> list[Any]:
    return cells[~holes_of(cells)].tolist()


def _fill(numbers: NDArray[np.float64], missing: Filling | None) -> float | None:
    """What stands in for a hole."""
    if missing is None:
        return None
    there = numbers[~np.isnan(numbers)]
    return float(np.mean(there) if missing == "mean" else np.median(there))


def _number(name: str, cells: NDArray, missing: Filling | None, indicator: bool, parts: list[str]) -> Column:
    numbers = Number(name).numbers(cells)
    seen = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    return Number(name, _fill(numbers, missing), indicator and bool(np.isnan(numbers).any()), *seen)


def _flag(name: str, cells: NDArray, missing: Filling | None, indicator: bool, parts: list[str]) -> Column:
    return Flag(name, _fill(Flag(name).numbers(cells), missing))


def _category(name: str, cells: NDArray, missing: Filling | None, indicator: bool, parts: list[str]) -> Column:
    counts = Counter(map(level_text, _there(cells)))
    least = max(LEAST_ROWS, min(MANY, int(LEAST_SHARE * len(cells))))
    kept = [level for level, count in counts.most_common(MOST_LEVELS) if count >= least]
    if not kept:
        raise ValueError(
            f"column {name!r} has {len(counts)} different texts, none of them in {least} rows or more; it may be a "
            "name or a number of the row: leave it out"
        )
    holes = len(cells) - counts.total()
    return Category(name, tuple(sorted(kept)), complete=len(kept) == len(counts), missing=holes >= least)


def _ordinal(name: str, cells: NDArray, levels: Sequence[str], missing: Filling | None) -> Column:
    if len(set(levels)) < len(levels) or len(levels) < 2:
        raise ValueError(f"column {name!r}: the levels of an ordinal column must be two or more, and differ")
    column = Ordinal(name, tuple(map(level_text, levels)))
    return Ordinal(name, column.levels, _fill(column.numbers(cells), missing))


def _time(name: str, cells: NDArray, missing: Filling | None, indicator: bool, parts: list[Any]) -> Column:
    texts = {cell.strip() for cell in _there(cells) if isinstance(cell, str)} if cells.dtype == object else ()
    form = form_of(list(texts)) if texts else ISO
    if not form:
        fault = fault_of(texts) or f"{min(texts)!r} is no time, as 2026-11-30 08:15 is"
        raise ValueError(f"column {name!r}: {fault}")
    column = Time(name, 0.0, form)
    numbers = column.numbers(cells)
    start = week_of(float(np.nanmin(numbers)))
    seen = float(np.nanmin(numbers) - start), float(np.nanmax(numbers) - start)
    wanted: tuple[Part, ...] = tuple(parts)
    return Time(name, start, form, wanted, _fill(numbers - start, missing), *seen)


ASKED: dict[str, Callable[..., Column]] = {"number": _number, "boolean": _flag, "category": _category, "time": _time}
