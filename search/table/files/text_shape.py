"""The shape of a text file: its encoding, its separator, its width and its header, from a first reading."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import one_line
from search.table.files.byte_text import encoding_of, opened_text
from search.table.files.cell_numbers import forms_of, has_decimal_comma
from search.table.files.header import DEPTH, has_header

SEPARATORS = "\t;|,"  # on a tie the comma loses: in a file with another one it may be a decimal comma
_SAID = re.compile(r"sep=(.)", re.IGNORECASE)  # a first line as Excel writes and reads it
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Shape:
    """``names`` are those of the header line, "" where it has none; without a header line, all are "".

    ``rows`` counts the rows that are not blank, without the header.
    """

    path: Path
    encoding: str
    separator: str
    header: bool
    names: tuple[str, ...]
    rows: int


def shape_of(path: Path, data: DataConfig) -> Shape:
    """``InputError`` for a file that is no table, or whose rows have different lengths."""
    encoding = encoding_of(path)
    with opened_text(path, encoding) as text:
        first = next(line for line in text if line.strip())
    separator = separator_of(first)
    top: list[list[str]] = []
    lengths: dict[int, tuple[int, int]] = {}  # the first line of each length, and how many there are
    width, widest, rows = 0, 0, 0
    for row, line in rows_of(path, encoding, separator):
        used = len(row)
        while used > width and not row[used - 1].strip():
            used -= 1
        if used > width:
            width, widest = used, line
        if len(row) not in lengths:
            lengths[len(row)] = (line, 0)
        lengths[len(row)] = (lengths[len(row)][0], lengths[len(row)][1] + 1)
        if rows <= DEPTH:
            top.append([cell.strip() for cell in row])
        rows += 1
    if not rows:
        raise InputError(f"{path}: every cell is blank")
    if short := {length: places for length, places in lengths.items() if length < width}:
        _refuse_short(path, short, widest, width)
    top = [row[:width] for row in top]
    header = _has_header(top, separator, data, path) if data.header == "auto" else data.header
    if header and rows == 1:
        raise InputError(f"{path}: a header line and no rows below it")
    return Shape(path, encoding, separator, header, tuple(top[0] if header else [""] * width), rows - header)


def separator_of(line: str) -> str:
    """That which the line says; else the most frequent one, but no comma if commas are in decimal numbers only."""
    if said := _SAID.fullmatch(line.strip("\r\n").replace('"', "")):
        return said[1]
    bare = _QUOTED.sub("", line)
    other = max(SEPARATORS.replace(",", ""), key=bare.count)
    cells = bare.split(other)
    if len(cells) > 1 and all("," not in cell or has_decimal_comma(cell.strip()) for cell in cells):
        return other
    return max(SEPARATORS, key=bare.count)


def _has_header(top: list[list[str]], separator: str, data: DataConfig, path: Path) -> bool:
    forms = forms_of(data, separator)
    return has_header([[forms.pointed(cell) for cell in row] for row in top], data.drop, str(path))


def _refuse_short(path: Path, short: dict[int, tuple[int, int]], widest: int, width: int) -> None:
    length = min(short, key=lambda length: short[length])
    others = sum(count for _, count in short.values()) - 1
    more = f" ({others} more lines are shorter too)" if others else ""
    raise InputError(
        f"{path}: line {short[length][0]} has {length} cells, but line {widest} has {width}{more}; "
        "cells that hold the separator, or line ends, must be in double quotes"
    )


def rows_of(path: Path, encoding: str, separator: str) -> Iterator[tuple[list[str], int]]:
    """The cells of every row that is not blank, and the number of the line on which the row ends."""
    with opened_text(path, encoding) as text:
        reader = csv.reader(text, delimiter=separator, skipinitialspace=True, strict=True)
        try:
            for row in reader:
                if reader.line_num == 1 and _SAID.fullmatch(separator.join(row)):
                    continue
                if row and (row[0] or any(map(str.strip, row))):
                    yield row, reader.line_num
        except csv.Error as error:
            raise InputError(f"{path}: line {reader.line_num} is not CSV: {one_line(error)}") from None
