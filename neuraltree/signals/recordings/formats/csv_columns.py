"""What the columns of a CSV file are: time, label, recording, subject, part, or a channel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from neuraltree.signals.recordings.reading_options import ReadingOptions

_UNIT = re.compile(r"(.*?)\s*[\[(]\s*([^\])]*?)\s*[\])]\s*")
# Names that people give to columns, in lower case and with "_" between words; for times also the unit that they tell.
USUAL = {
    "time": re.compile(r"(time|timestamp|t|date_?time|date|elapsed|seconds|seconds_elapsed|milli\w*|micro\w*|[mun]s)"),
    "label": re.compile(r"(label|labels|class|activity|gesture|target)"),
    "recording": re.compile(r"(recording|record|session|trial|experiment|file|filename)(_(id|name|no))?"),
    "subject": re.compile(r"(subject|user|person|participant)(_(id|name|no))?"),
    "part": re.compile(r"(part|split|category)"),
}
UNIT_WORDS = (
    ("s", re.compile(r"(s|sec|secs|seconds?|seconds_elapsed)")),
    ("ms", re.compile(r"(ms|msec|milli\w*)")),
    ("us", re.compile(r"(us|usec|µs|μs|micro\w*)")),
    ("ns", re.compile(r"(ns|nano\w*)")),
)
_SUFFIX = re.compile(r"(.+)_(s|sec|ms|msec|us|usec|µs|μs|ns)")


class CsvColumns(NamedTuple):
    """Places of columns: ``roles`` by role, and the ``channels`` with their names and units. ``time_unit``: as the
    header tells it, or ""."""

    roles: dict[str, int]
    channels: tuple[int, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    time_unit: str = ""


def columns_of(header: Sequence[str], options: ReadingOptions) -> CsvColumns:
    """``ValueError`` for a column that is asked for and not there, or if no channel is left."""
    split = [_split(cell.strip()) for cell in header]
    names = [name for name, _ in split]
    roles = {role: _place(role, names, options) for role in USUAL}
    kept = {role: place for role, place in roles.items() if place is not None}
    others = [i for i, name in enumerate(names) if name and i not in kept.values()]
    if options.channels and set(options.channels) <= set(names):
        others = [names.index(name) for name in options.channels]
    elif options.channels:
        lacking = next(name for name in options.channels if name not in names)
        raise ValueError(f"no column is named {lacking!r}; there are {', '.join(filter(None, names))}")
    if not others:
        raise ValueError(f"no channels; its columns are {', '.join(filter(None, names)) or 'without names'}")
    time = kept.get("time")
    unit = "" if time is None else _time_unit(split[time][1]) or _time_unit(names[time])
    return CsvColumns(kept, tuple(others), tuple(names[i] for i in others), tuple(split[i][1] for i in others), unit)


def _split(cell: str) -> tuple[str, str]:
    """The name and the unit of "accx [g]" or "accx (g)"."""
    found = _UNIT.fullmatch(cell)
    return (found[1], found[2]) if found and found[1] else (cell, "")


def _place(role: str, names: Sequence[str], options: ReadingOptions) -> int | None:
    if role in options.columns:
        name = options.columns[role]
        if name and name not in names:
            raise ValueError(f"columns={{{role!r}: {name!r}}}: no such column; there are {', '.join(names)}")
        return names.index(name) if name else None
    for i, name in enumerate(names):
        plain = re.sub(r"[\s.-]+", "_", name.lower())
        if role == "time" and (found := _SUFFIX.fullmatch(plain)):
            plain = found[1]
        if USUAL[role].fullmatch(plain) and name not in options.columns.values() and name not in options.channels:
            return i
    return None


def _time_unit(text: str) -> str:
    plain = re.sub(r"[\s.-]+", "_", text.lower())
    plain = found[2] if (found := _SUFFIX.fullmatch(plain)) else plain
    return next((unit for unit, words in UNIT_WORDS if words.fullmatch(plain)), "")
