"""Dates and times of a column: as texts of one form, as Python's or as NumPy's, to seconds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

ISO = "ISO 8601"
DATES, CLOCKS = ("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y"), ("", " %H:%M", " %H:%M:%S")
FORMS = (ISO, *(day + clock for day in DATES for clock in CLOCKS))
MOSTLY = 0.5  # the share of texts of one form from which a column looks like times
LOOKED = 1000  # about the number of texts that this is judged by
DAY = 86_400.0
PERIODS = {"hour": DAY, "weekday": 7 * DAY, "month": 365.2425 * DAY}  # of a day, of a week, of a year
MONDAY = 4 * DAY  # 1970 began on a Thursday, so this is the first Monday


def parse(text: str, form: str) -> datetime | None:
    """The time without a zone, in UTC if the text has one; None if the text has another form."""
    try:
        found = datetime.fromisoformat(text) if form == ISO else datetime.strptime(text, form)
    except ValueError:
        return None
    return naive(found)


def naive(found: datetime) -> datetime:
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)


def form_of(texts: Sequence[str]) -> str:
    """The only form that all texts have; "" if there is none, or if day and month cannot be told apart.

    Whole numbers are no times, although ISO 8601 allows dates such as 20260102.
    """
    if not texts or any(text.isdecimal() for text in texts):
        return ""
    forms = [form for form in FORMS if all(parse(text, form) is not None for text in texts)]
    return forms[0] if len(forms) == 1 else ""


def fault_of(texts: Collection[str]) -> str:
    """Why texts have no form in common, if most have one; "" if most are no times."""
    ordered = sorted(set(texts))
    some = ordered[:: 1 + len(ordered) // LOOKED]  # a column of names may have a million of them
    fitting = {form: [text for text in some if parse(text, form) is not None] for form in FORMS}
    form = max(fitting, key=lambda form: len(fitting[form]))
    if not some or len(fitting[form]) < MOSTLY * len(some):
        return ""
    wrong = next((text for text in ordered if parse(text, form) is None), None)
    if wrong is not None:
        return f"{wrong!r} is no time like {fitting[form][0]!r}"
    return f"day and month cannot be told apart, as in {ordered[0]!r}; write dates as 2026-11-30"


def seconds(cell: Any, form: str) -> float:
    """Seconds since 1970 of a text, a date or a datetime; ``ValueError`` for anything else."""
    if isinstance(cell, str):
        found = parse(cell.strip(), form)
        if found is None:
            raise ValueError(cell)
    elif isinstance(cell, datetime):
        found = naive(cell)
    elif isinstance(cell, date):
        found = datetime(cell.year, cell.month, cell.day)
    else:
        raise ValueError(cell)
    return (found - datetime(1970, 1, 1)).total_seconds()


def array_seconds(values: NDArray) -> NDArray[np.float64]:
    """Seconds since 1970 of an array of ``datetime64``; NaN for NaT."""
    whole = values.astype("datetime64[us]").astype(np.int64) / 1e6
    return np.where(np.isnat(values), np.nan, whole)


def week_of(second: float) -> float:
    """The last Monday, at midnight, that is not after a second."""
    return float(np.floor((second - MONDAY) / (7 * DAY)) * 7 * DAY + MONDAY)


def into_year(second: float) -> float:
    """The seconds from the beginning of its year to a second."""
    year = np.datetime64(int(second), "s").astype("datetime64[Y]").astype("datetime64[s]")
    return second - float(year.astype(np.int64))


def moment(second: float) -> str:
    """The date and time of a second since 1970, and "UTC"; the seconds as they are if no date has them."""
    try:
        return f"{datetime(1970, 1, 1) + timedelta(seconds=second)} UTC"
    except OverflowError:
        return f"{second:g} s since 1970 UTC"
