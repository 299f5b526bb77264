"""The encoders of columns, one class each: from the cells of a column to a number for each row, and its features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from neuraltree.inputs.features import RULES, Feature, FloatArray
from neuraltree.inputs.texts import TRUTH, is_hole, is_number, level_text
from neuraltree.inputs.times import DAY, FORMS, ISO, PERIODS, array_seconds, into_year, seconds

LARGEST = float(np.finfo(np.float64).max)
LATEST = 6e10  # seconds: about 1,900 years
Part = Literal["hour", "weekday", "month"]


class CellError(ValueError):
    """A cell that its column cannot have; ``at(place)`` is the message with another name for its row."""

    def __init__(self, column: str, row: int, problem: str) -> None:
        self.column, self.row, self.problem = column, row, problem
        super().__init__(self.at(f"row {row} from 0"))

    def at(self, place: str) -> str:
        return f"column {self.column!r}, {place}: {self.problem}"


class Seen(NamedTuple):
    """The numbers that the rows to learn from had: from ``low`` to ``high``, and whether they are whole."""

    low: float
    high: float
    whole: bool = False


class Column(Struct, frozen=True, forbid_unknown_fields=True, tag_field="encoder"):
    """A column of a table, by its name.

    Subclasses have ``features``; ``numbers(cells)``, the number of each cell, NaN for a hole; and ``seen``.
    """

    name: str

    @property
    def features(self) -> tuple[Feature, ...]:
        raise NotImplementedError

    @property
    def takes_holes(self) -> bool:
        """Whether a cell may be a hole: whether every feature has a number for it."""
        return all(feature.rule != "value" for feature in self.features)

    @property
    def seen(self) -> Seen:
        raise NotImplementedError

    def usable(self, numbers: FloatArray) -> NDArray[np.bool_]:
        """(rows,) whether numbers (rows,) are like those seen: within their range, a known level, no unknown hole."""
        low, high, whole = self.seen
        there = (numbers >= low) & (numbers <= high) & ((numbers % 1 == 0) if whole else True)
        return there | (np.isnan(numbers) & self.takes_holes)

    def numbers(self, cells: NDArray) -> FloatArray:
        """(rows,) the numbers of cells (rows,); ``CellError`` for the first cell that the column cannot have."""
        raise NotImplementedError

    def encode(self, numbers: FloatArray) -> Iterator[FloatArray]:
        """Each feature (rows,), from the numbers (rows,) of the column."""
        return (RULES[each.rule].value(numbers, *each.numbers) for each in self.features)

    def check(self) -> None:
        """``ValueError`` for constants that the column cannot have."""
        if not abs(getattr(self, "start", 0.0)) <= LATEST:
            raise ValueError(f"column {self.name!r}: its start must be within {LATEST:g} seconds of 1970")
        numbers = [number for feature in self.features for number in feature.numbers]
        if not np.isfinite([*numbers, *self.seen[:2]]).all():
            raise ValueError(f"column {self.name!r}: its numbers must be finite")
        if self.seen.low > self.seen.high:
            raise ValueError(f"column {self.name!r}: its smallest number must not be above its largest")
        levels = getattr(self, "levels", ())
        if len(set(levels)) < len(levels):
            raise ValueError(f"column {self.name!r}: its levels must differ")

    def _value(self, fill: float | None) -> Feature:
        return Feature(self.name, "value") if fill is None else Feature(self.name, "filled", (fill,))

    def _hole(self) -> Feature:
        return Feature(f"{self.name} is missing", "hole")

    def _each(self, cells: NDArray, number: Callable[[Any], float], allowed: str) -> FloatArray:
        """``number(cell)`` of every cell, and NaN for holes; each cell is looked at once."""
        known: dict[Any, float] = {}
        found = [(type(cell), cell) for cell in cells.tolist()]  # 1 and True are one key, but two texts
        for row, (kind, cell) in enumerate(found):
            if (kind, cell) not in known:
                try:
                    known[kind, cell] = np.nan if is_hole(cell) else number(cell)
                except (ValueError, KeyError, TypeError, OverflowError):
                    raise CellError(self.name, row, f"{cell!r}; allowed: {allowed}") from None
        return np.array([known[pair] for pair in found], dtype=np.float64)


class Number(Column, frozen=True, tag="number"):
    """A number. ``fill`` stands in for a hole; without it, no cell may be a hole. ``indicator``: whether the cell is a
    hole is a feature too. ``low``, ``high``: the smallest and the largest number seen, if known."""

    fill: float | None = None
    indicator: bool = False
    low: float | None = None
    high: float | None = None

    @property
    def seen(self) -> Seen:
        return _range(self.low, self.high)

    @property
    def features(self) -> tuple[Feature, ...]:
        return (self._value(self.fill), *[self._hole()] * self.indicator)

    def numbers(self, cells: NDArray) -> FloatArray:
        if cells.dtype.kind in "biuf":
            return cells.astype(np.float64)
        return self._each(cells, _float, "numbers")


class Flag(Column, frozen=True, tag="boolean"):
    """True or false, in any of the usual words; ``fill``, the share of true ones, stands in for a hole."""

    fill: float | None = None

    @property
    def seen(self) -> Seen:
        return Seen(0.0, 1.0, whole=True)

    @property
    def features(self) -> tuple[Feature, ...]:
        return (self._value(self.fill),)

    def numbers(self, cells: NDArray) -> FloatArray:
        allowed = "true, false, yes, no, y, n, t, f, ja, nein, oui, non, 1, 0"
        return self._each(cells, lambda cell: TRUTH[_level(level_text(cell).lower(), TRUTH)], allowed)


class Category(Column, frozen=True, tag="category"):
    """One of several levels, each a feature; other levels, and holes, are none of them.

    ``missing``: whether the cell is a hole is a feature too. ``complete``: there were no other levels to learn from;
    then the first of two levels needs no feature.
    """

    levels: tuple[str, ...]
    complete: bool = False
    missing: bool = False

    @property
    def seen(self) -> Seen:
        return Seen(0.0, float(len(self.levels) - self.complete), whole=True)

    @property
    def features(self) -> tuple[Feature, ...]:
        named = [Feature(f"{self.name}={level}", "level", (float(i),)) for i, level in enumerate(self.levels)]
        one_of_two = self.complete and len(named) == 2 and not self.missing
        return (*named[one_of_two:], *[self._hole()] * self.missing)

    def numbers(self, cells: NDArray) -> FloatArray:
        place = {level: float(i) for i, level in enumerate(self.levels)}
        return self._each(cells, lambda cell: place.get(_level(cell, place), float(len(place))), "any level")


class Ordinal(Column, frozen=True, tag="ordinal"):
    """One of several levels in order, from 0; ``fill`` stands in for a hole."""

    levels: tuple[str, ...]
    fill: float | None = None

    @property
    def seen(self) -> Seen:
        return Seen(0.0, float(len(self.levels) - 1), whole=True)

    @property
    def features(self) -> tuple[Feature, ...]:
        return (self._value(self.fill),)

    def numbers(self, cells: NDArray) -> FloatArray:
        place = {level: float(i) for i, level in enumerate(self.levels)}
        return self._each(cells, lambda cell: place[_level(cell, place)], ", ".join(self.levels))


class Time(Column, frozen=True, tag="time"):
    """A date or time, as seconds since ``start``, which is in seconds since 1970 (UTC).

    ``form``: that of texts, for ``times.parse``. ``parts``: the times of the day, of the week or of the year that are
    features, each as a sine and a cosine. ``fill`` stands in for a hole. ``low``, ``high``: the first and the last
    second seen, from ``start``, if known.
    """

    start: float
    form: str = ISO
    parts: tuple[Part, ...] = ()
    fill: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def seen(self) -> Seen:
        return _range(self.low, self.high)

    @property
    def features(self) -> tuple[Feature, ...]:
        offsets = {"hour": self.start % DAY, "weekday": 0.0, "month": into_year(self.start)}
        cycles = [
            Feature(f"{self.name} {part} {wave}", "cycle", (PERIODS[part], offsets[part], quarter))
            for part in self.parts
            for wave, quarter in (("sin", 0.0), ("cos", 0.25))
        ]
        return (self._value(self.fill), *cycles)

    def check(self) -> None:
        super().check()
        if self.form not in FORMS:
            raise ValueError(f"column {self.name!r}: form {self.form!r}; allowed: {', '.join(FORMS)}")

    def numbers(self, cells: NDArray) -> FloatArray:
        if cells.dtype.kind == "M":
            return array_seconds(cells) - self.start
        return self._each(cells, lambda cell: seconds(cell, self.form), f"times, in texts as {self.form}") - self.start


ENCODERS: dict[str, type[Column]] = {
    kind.__struct_config__.tag: kind  # type: ignore[misc]
    for kind in (Number, Flag, Category, Ordinal, Time)
}


def _range(low: float | None, high: float | None) -> Seen:
    return Seen(-LARGEST if low is None else low, LARGEST if high is None else high)


def _level(cell: Any, known: Mapping[str, float]) -> str:
    """The text of a level. A number is the same in any form, as 3 and 3.0; but if 03 is known, it is a level."""
    text = level_text(cell)
    return text if text in known or not is_number(text) else level_text(float(text))


def _float(cell: Any) -> float:
    if isinstance(cell, str) and not is_number(cell.strip()):
        raise ValueError(cell)
    return float(cell)
