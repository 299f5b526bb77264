"""The times of samples in s, from the cells of a column, whatever their unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.inputs.times import ISO, array_seconds, fault_of, form_of, seconds
from neuraltree.signals.recordings.reading_options import TIME_UNITS

LOOKED = 100  # cells that say how times are written
# Times since 1970 are known by their size; others by their median step: rates are taken to be above 1 Hz, and below
# 1 kHz if they can be.
SINCE_1970 = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"))
SECONDS_SINCE_1970 = (1e9, 1e10)
STEPS = ((1.0, "s"), (1000.0, "ms"), (1e6, "us"), (np.inf, "ns"))


def numbered_seconds(values: FloatArray, unit: str) -> tuple[FloatArray, str]:
    """Times (samples,) in s, and their unit, which is found if it is ""."""
    found = unit or _unit(values)
    return values * TIME_UNITS[found], found


def _unit(values: FloatArray) -> str:
    steps = np.abs(np.diff(values[np.isfinite(values)]))
    step = float(np.median(steps)) if len(steps) else 0.0
    largest = float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values)))
    if SECONDS_SINCE_1970[0] <= largest < SECONDS_SINCE_1970[1] and step < 100:
        return "s"
    by_size = next((unit for least, unit in SINCE_1970 if largest >= least), "")
    return by_size or next(unit for most, unit in STEPS if step < most)


def dated_seconds(cells: Sequence[str]) -> FloatArray:
    """Times (samples,) in s since 1970 of texts of one form. ``ValueError`` for other texts."""
    texts = [cell.strip() for cell in cells]
    form = form_of(texts[:LOOKED])
    if not form:
        fault = fault_of(texts[:LOOKED]) or f"{next(filter(None, texts), '')[:40]!r} is neither a number nor a time"
        raise ValueError(f"in the column of times {fault}; times are numbers, or are like 2026-11-30T08:15:00.25")
    if form == ISO and not {"+", "-"} & {*texts[0][10:]}:  # of an offset from UTC, which NumPy does not read
        try:
            return array_seconds(np.array([text.removesuffix("Z") for text in texts], dtype="datetime64[us]"))
        except ValueError:
            pass  # one of them has another form, which the slower way names
    try:
        return np.array([seconds(text, form) for text in texts])
    except ValueError as error:
        raise ValueError(f"a time is {str(error)[:40]!r}, and others are like {texts[0]!r}") from None
