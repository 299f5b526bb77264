"""history.csv: a line for each generation, appended; what a killed run left is put right when it is resumed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from neuraltree.storing import append
from search.errors import DamagedError
from search.folder.records import csv_lines, write_text
from search.reading import GROWN, read_file, read_rows

TABLE = "history.csv"
DIGITS = 19  # a number with more is no generation


def line_of(row: Iterable[Any]) -> str:
    return csv_lines([row])


def add_line(folder: Path, header: Sequence[str], line: str) -> None:
    """Add the line of a generation. It need not wait for the disk: the log of the history holds it too."""
    path = folder / TABLE
    append(path, (line if path.exists() else csv_lines([header]) + line).encode(), lasting=False)


def mend_table(folder: Path, header: Sequence[str], last: int, spare: Iterable[str]) -> int:
    """Keep the lines of generations 0 to ``last``, and take those that are lost from ``spare``, which is read only
    then. Returns the number of lines that are not to be had; ``DamagedError`` for a folder."""
    path = folder / TABLE
    if path.is_dir():
        raise DamagedError(f"{path} is a folder in the place of a file; move it away, and its lines are made again")
    text = read_file(path, GROWN).decode(errors="replace") if path.exists() else ""
    lines = _by_generation(text.splitlines(keepends=True), header)
    if any(generation not in lines for generation in range(last + 1)):
        lines = _by_generation(spare, header) | lines
    kept = [lines[generation] for generation in range(last + 1) if generation in lines]
    if last < 0:
        path.unlink(missing_ok=True)
    elif (mended := csv_lines([header]) + "".join(kept)) != text:
        write_text(path, mended)
    return last + 1 - len(kept)


def _by_generation(lines: Iterable[str], header: Sequence[str]) -> dict[int, str]:
    """Whole lines of numbers and empty cells by the generation in their first cell."""
    found = {}
    for line in lines:
        first, *others = line.split(",")
        whole = len(others) == len(header) - 1 and line.endswith("\n")
        if whole and first.isdecimal() and len(first) < DIGITS and all(map(_is_number, others)):
            found[int(first)] = line
    return found


def _is_number(cell: str) -> bool:
    try:
        float(cell.rstrip("\r\n") or math.nan)
    except ValueError:
        return False
    return True


def table_rows(folder: Path) -> list[dict[str, float]]:
    """NaN for an empty cell; [] if there is no table. Raises ``InputError`` if it cannot be read or is damaged."""
    path = folder / TABLE
    return read_rows(path, numbers, growing=True) if path.is_file() else []


def numbers(row: dict[str, str]) -> dict[str, float]:
    return {name: float(text) if text else math.nan for name, text in row.items()}
