"""Numbers in the cells of a text file, as people write them: with a decimal comma, marks of thousands, or per cent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.texts import is_missing, is_number
from search.config.settings import DataConfig

_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
COMMA, POINT, PERCENT, BARE = "a decimal comma", "a decimal point", "%", "no %"
CLASHES = ((COMMA, POINT), (PERCENT, BARE))  # marks that the numbers of one column cannot have both

Reader = Callable[[str], tuple[float, tuple[str, ...]] | None]


class Forms(NamedTuple):
    """How numbers are written. ``read(cell)`` is the number of a cell without blanks around it, and its marks; None if
    it is no number. ``plain``: the letters of numbers that can have no mark that matters."""

    read: Reader
    plain: re.Pattern[str]

    def pointed(self, cell: str) -> str:
        """A number with a decimal point and no other mark; any other cell as it is."""
        found = self.read(cell)
        if found is None or (is_number(cell) and float(cell) == found[0]):
            return cell
        return repr(found[0]).removesuffix(".0")


def forms_of(data: DataConfig, delimiter: str) -> Forms:
    """A decimal comma is allowed if the config says so, or if cells are separated by semicolon or tab."""
    comma = data.decimal == "," or (data.decimal == "auto" and delimiter in ";\t" and data.thousands != ",")
    point = data.decimal != "," and data.thousands != "."
    grouped = re.compile(rf"([+-]?\d{{1,3}})((?:{re.escape(data.thousands)}\d{{3}})+)(?!\d)", re.ASCII)

    def decimal(cell: str) -> tuple[float, tuple[str, ...]] | None:
        if data.thousands and (found := grouped.match(cell)):
            cell = found[1] + found[2].replace(data.thousands, "") + cell[found.end() :]
        if is_number(cell) and (point or "." not in cell):
            return float(cell), (POINT,) * ("." in cell)
        if comma and _COMMA.fullmatch(cell):
            return float(cell.replace(",", ".")), (COMMA,)
        return None

    def percent(cell: str) -> tuple[float, tuple[str, ...]] | None:
        found = decimal(cell.removesuffix("%").rstrip())
        if found is None or not cell.endswith("%"):
            return None if found is None else (found[0], (*found[1], BARE))
        return found[0] / 100, (*found[1], PERCENT)

    letters = "" if data.percent else "-+0-9eE " if comma or not point else "-+.0-9eE "
    return Forms(percent if data.percent else decimal, re.compile(f"[{letters}]*" if letters else "", re.ASCII))


def has_decimal_comma(cell: str) -> bool:
    return _COMMA.fullmatch(cell) is not None


class NumberColumn:
    """The cells of a column as numbers, added piece by piece: a cell that is no number is NaN.

    ``texts``: the number of cells that are neither numbers nor missing. ``plain``: whether all are numbers of the
    plainest form, or blank. ``examples``: for each mark of a number, and for texts by the key "", the row and the cell
    where it first stands.
    """

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self._parts: list[NDArray[np.float64]] = []
        self._rows = 0
        self.texts = 0
        self.there = 0
        self.plain = True
        self.examples: dict[str, tuple[int, str]] = {}

    def add(self, cells: Sequence[str]) -> None:
        part = self._fast(cells)
        self.plain = self.plain and part is not None
        self._parts.append(self._slow(cells) if part is None else part)
        self._rows += len(cells)

    def _fast(self, cells: Sequence[str]) -> NDArray[np.float64] | None:
        """The numbers if all cells are numbers of the plainest form or blank."""
        if not self._forms.plain.fullmatch("".join(cells)):
            return None
        try:
            found = np.array([float(cell) if cell else np.nan for cell in cells])
        except ValueError:
            return None
        self.there += len(cells) - int(np.count_nonzero(np.isnan(found)))
        return found

    def _slow(self, cells: Sequence[str]) -> NDArray[np.float64]:
        found = np.full(len(cells), np.nan)
        for i, padded in enumerate(cells):
            cell = padded.strip()
            if is_missing(cell):
                continue
            self.there += 1
            read = self._forms.read(cell)
            if read is None:
                self.texts += 1
                self.examples.setdefault("", (self._rows + i, cell))
                continue
            found[i], marks = read
            for mark in marks:
                self.examples.setdefault(mark, (self._rows + i, cell))
        return found

    def clash(self) -> tuple[str, str] | None:
        """Two marks that the numbers of one column cannot have both."""
        return next((pair for pair in CLASHES if set(pair) <= set(self.examples)), None)

    def numbers(self) -> NDArray[np.float64]:
        """(rows,); the pieces are given up."""
        whole = np.concatenate(self._parts)
        self._parts = []
        return whole


class TextColumn:
    """The cells of a column as texts without blanks around them, each kept once; ``missing`` for missing cells."""

    def __init__(self, missing: str | None) -> None:
        self._missing = missing
        self._parts: list[NDArray[np.object_]] = []
        self._known: dict[str, str | None] = {}

    def add(self, cells: Sequence[str]) -> None:
        known, part = self._known, np.empty(len(cells), dtype=object)
        for i, padded in enumerate(cells):
            if padded not in known:
                cell = padded.strip()
                known[padded] = self._missing if is_missing(cell) else cell
            part[i] = known[padded]
        self._parts.append(part)

    def texts(self) -> NDArray[np.object_]:
        return np.concatenate(self._parts)
