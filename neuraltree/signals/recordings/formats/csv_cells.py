"""The cells of a CSV file as columns of numbers and of texts; a million rows take a few seconds."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.inputs.texts import is_missing, is_number
from neuraltree.inputs.times import ISO, parse
from neuraltree.signals.recordings.formats.sample_groups import Coded
from neuraltree.signals.recordings.raw_recording import numbered_channels

SEPARATORS = ";\t|,"
_RAGGED = re.compile(r"invalid column index \d+ at row (\d+) with (\d+) columns.*", re.DOTALL)  # of NumPy
_ANY = re.compile(r"\S")


@dataclass(frozen=True)
class CsvCells:
    """``names``: of the columns, ch1, ch2, ... if the file has no header. ``first``: the cells of the first row.
    ``skipped``: lines before it."""

    content: bytes
    encoding: str
    separator: str
    names: tuple[str, ...]
    has_header: bool
    first: tuple[str, ...]
    skipped: int

    def numbers(self, places: Sequence[int]) -> FloatArray:
        """(rows, places): NaN for a missing cell. ``ValueError`` for a text."""
        try:
            found: FloatArray = self._loaded(np.float64, places)
        except ValueError:  # a cell is missing, or no number, or has a decimal comma
            texts = self.texts(places)
            return np.column_stack([self._column(i, column) for i, column in zip(places, texts, strict=True)])
        return found

    def texts(self, places: Sequence[int]) -> list[list[str]]:
        """The cells of each of the columns."""
        return self._loaded(object, places).T.tolist()

    def coded(self, places: Sequence[int]) -> list[Coded]:
        """Each column as places in its texts; missing cells and codes below 0 are none."""
        return [coded(cells) for cells in self.texts(places)] if places else []

    def has_number(self, place: int) -> bool:
        """Whether the first cell of a column is one."""
        return is_number(self._pointed(self.first[place]))

    def _pointed(self, cell: str) -> str:
        """With a decimal point, if the file may have commas."""
        return cell if self.separator == "," else cell.replace(",", ".")

    def _loaded(self, kind: type, places: Sequence[int]) -> Any:
        text = io.TextIOWrapper(io.BytesIO(self.content), self.encoding)
        how: dict[str, Any] = {"delimiter": self.separator, "skiprows": self.skipped, "comments": None}
        try:
            return np.loadtxt(text, kind, usecols=places, ndmin=2, quotechar='"', **how)
        except ValueError as error:
            if ragged := _RAGGED.fullmatch(f"{error}"):
                cells = f"row {ragged[1]} has {ragged[2]} cells"
                raise ValueError(f"{cells}, and the first line has {len(self.names)}") from None
            raise

    def _column(self, place: int, cells: Sequence[str]) -> FloatArray:
        try:
            return np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            return np.array([self._number(place, i, cell.strip()) for i, cell in enumerate(cells)])

    def _number(self, place: int, row: int, cell: str) -> float:
        pointed = self._pointed(cell)
        if is_number(pointed):
            return float(pointed)
        if is_missing(cell):
            return np.nan
        name = self.names[place]
        raise ValueError(
            f"row {row + 1} of column {name!r} holds {cell[:40]!r}, which is no number; if it is not a channel, say "
            f'what it is, such as columns={{"label": {name!r}}}, or name the others as channels'
        )


def coded(cells: Sequence[str]) -> Coded:
    """Texts without blanks around them; missing ones and numbers below 0 are none."""
    known: dict[str, int] = {}
    texts: dict[str, int] = {}
    for cell in dict.fromkeys(cells):
        text = cell.strip()
        is_none = is_missing(text) or (is_number(text) and float(text) < 0)
        known[cell] = -1 if is_none else texts.setdefault(text, len(texts))
    return Coded(np.fromiter(map(known.__getitem__, cells), np.int64, len(cells)), tuple(texts))


def cells_of(content: bytes) -> CsvCells:
    """``ValueError`` for a file without rows, and for what is no text. Lines above the cells may begin with ``#``."""
    encoding = _encoding(content)
    lines = _lines(content, encoding)
    if not lines:
        raise ValueError("the file is empty")
    skipped, head = lines[0]
    separator = max(SEPARATORS, key=head.count)
    rows = [tuple(cell.strip() for cell in row) for row in csv.reader([line for _, line in lines], delimiter=separator)]
    has_header = any(rows[0]) and not any(is_number(cell) or _is_time(cell) for cell in rows[0])
    if has_header and len(rows) < 2:
        raise ValueError("it has a header and no rows")
    names = rows[0] if has_header else numbered_channels(len(rows[0]))
    return CsvCells(content, encoding, separator, names, has_header, rows[has_header], skipped + has_header)


def _lines(content: bytes, encoding: str) -> list[tuple[int, str]]:
    """The first two lines that are neither blank nor notes, each with the number of lines above it."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(io.TextIOWrapper(io.BytesIO(content), encoding)):
        if _ANY.search(line) and not (not found and line.startswith("#")):
            found.append((number, line))
        if len(found) == 2:
            break
    return found


def _is_time(cell: str) -> bool:
    return any(letter.isdecimal() for letter in cell) and parse(cell, ISO) is not None


def _encoding(content: bytes) -> str:
    """That of the file's mark, else UTF-8, else Latin-1."""
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in content and not is_utf16:
        raise ValueError("it is not a text file")
    found = "utf-16" if is_utf16 else "utf-8-sig"
    try:
        content.decode(found)
    except UnicodeDecodeError as error:
        if is_utf16:
            raise ValueError(f"its mark says UTF-16, which it is not: {error.reason}") from None
        return "latin-1"
    return found
