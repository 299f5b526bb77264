"""Tables in text files: cells separated by comma, semicolon or tab, with or without a header line."""

from __future__ import annotations

import csv
import io
import re
import stat
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import check_known, one_line, shown
from search.table.header import has_header
from search.table.raw import Raw, check_unique, drop_line, is_missing, is_number

Cells = list[list[str]]
# The keys of [data] that name a column which is neither feature nor target, and what the column holds.
ROLES = {"weight": "weights", "group": "groups", "time": "times", "split": "parts", "fairness_group": "fairness groups"}
SHARED = {"group", "fairness_group"}  # roles that one column may have together


def read_csv(path: Path, data: DataConfig) -> Raw:
    """The table in a text file, without blanks around cells, blank lines and trailing empty columns."""
    source = str(path)
    rows, lines = _rows(read_text(path), source)
    rows = _rectangle(rows, lines, source)
    header = has_header(rows, data.drop, source) if data.header == "auto" else data.header
    names = [name or f"x{i}" for i, name in enumerate(rows[0])] if header else [f"x{i}" for i in range(len(rows[0]))]
    if header and len(rows) == 1:
        raise InputError(f"{source}: a header line and no rows below it")
    check_unique(names, source)
    target, features, roles = choose_columns(names, data, source)
    if header:
        _check_named(rows[0], [*features, target], source)
        rows, lines = rows[1:], lines[1:]
    columns = list(zip(*rows, strict=True))
    X = _features(columns, features, names, lines, data, source)
    y = text_target(columns[target])
    cells = {role: columns[i] for role, i in roles.items()}
    weights = _weights(cells.pop("weight"), data.weight, lines, source) if data.weight else None
    return Raw(
        source, X, y, tuple(names[i] for i in features), names[target], lines, "line", weight=weights, roles=cells
    )


def check_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is not a file; name the table in it")


def read_text(path: Path) -> str:
    check_file(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file in UTF-8 (byte {error.start}); save it as CSV in UTF-8") from None
    if "\0" in text:
        raise InputError(f"{path}: not a text file; allowed: CSV in UTF-8, or an .npz file of arrays")
    if not text.strip():
        raise InputError(f"{path}: the file is empty")
    return text


def choose_columns(names: Sequence[str], data: DataConfig, source: str) -> tuple[int, list[int], dict[str, int]]:
    """The positions of the columns that ``data`` asks for: target, features, and those with a role by the role."""
    for name in data.drop:
        check_known(name, names, f"{source}: data.drop has no column {shown(name)} to leave out")
    roles = {role: _find(names, name, role, source) for role in ROLES if (name := getattr(data, role))}
    kept = [i for i, name in enumerate(names) if name not in data.drop]
    target = _choose_target(names, data, [i for i in kept if i not in roles.values()], source)
    features = [i for i in kept if i != target and i not in roles.values()]
    if target not in kept:
        raise InputError(f"{source}: the target {shown(names[target])} is among data.drop; name another data.target")
    for role, i in roles.items():
        others = [
            f"the {ROLES[other]}" for other, j in roles.items() if j == i and other != role and {other, role} != SHARED
        ]
        others += ["the target"] * (i == target) + ["among data.drop"] * (i not in kept)
        if others:
            raise InputError(f"{source}: the {ROLES[role]} {shown(names[i])} are {others[0]}; name another data.{role}")
    if not features:
        raise InputError(
            f"{source}: no column is left to predict from; there are {len(names)}, and data.drop leaves out "
            f"{len(data.drop)} (columns are split at comma, semicolon or tab)"
        )
    return target, features, roles


def _find(names: Sequence[str], name: str, role: str, source: str) -> int:
    check_known(name, names, f"{source}: data.{role} has no column {shown(name)} of {ROLES[role]}")
    return names.index(name)


def _choose_target(names: Sequence[str], data: DataConfig, candidates: Sequence[int], source: str) -> int:
    """The position of the target: given by name or number, else the last candidate."""
    if isinstance(data.target, int):
        if not -len(names) <= data.target < len(names):
            raise InputError(f"{source}: data.target = {data.target}; allowed: a column from 0 to {len(names) - 1}")
        return data.target % len(names)
    if data.target:
        check_known(data.target, names, f"{source}: data.target has no column {shown(data.target)} to predict")
        return names.index(data.target)
    return candidates[-1] if candidates else 0


def _rows(text: str, source: str) -> tuple[Cells, list[int]]:
    """The cells of every row that is not blank, and the number of the line on which each row ends."""
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=_delimiter(text), skipinitialspace=True, strict=True)
    rows, lines = [], []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"{source}: line {reader.line_num} is not CSV: {one_line(error)}") from None
    if not rows:
        raise InputError(f"{source}: every cell is blank")
    return rows, lines


def _delimiter(text: str) -> str:
    first = re.sub(r'"[^"]*"', "", next(line for line in re.split(r"[\r\n]+", text) if line.strip()))
    # On a tie the comma loses: in a file with tabs or semicolons it may be a decimal comma.
    return max("\t;,", key=first.count)


def _rectangle(rows: Cells, lines: Sequence[int], source: str) -> Cells:
    widths = [max(i for i, cell in enumerate(row) if cell) + 1 for row in rows]
    width = max(widths)
    for row, line in zip(rows, lines, strict=True):
        if len(row) < width:
            widest = lines[widths.index(width)]
            raise InputError(f"{source}: line {line} has {len(row)} cells, but line {widest} has {width}")
    return [row[:width] for row in rows]


def _check_named(header: Sequence[str], used: Sequence[int], source: str) -> None:
    for i in used:
        if not header[i]:
            raise InputError(
                f"{source}: column {i} (from 0) has no name in the header line; it may be row numbers: "
                f'name it, or leave it out: drop = ["x{i}"]'
            )


def _parse(cells: Sequence[str]) -> tuple[NDArray[np.float64], list[int]]:
    """The numbers, with NaN for other cells, and the positions of cells that are neither a number nor missing."""
    numbers = np.array([float(cell) if is_number(cell) else np.nan for cell in cells])
    return numbers, [i for i in np.flatnonzero(np.isnan(numbers)).tolist() if not is_missing(cells[i])]


def _features(
    columns: Sequence[Sequence[str]],
    features: Sequence[int],
    names: Sequence[str],
    lines: Sequence[int],
    data: DataConfig,
    source: str,
) -> NDArray[np.float64]:
    parsed = {i: _parse(columns[i]) for i in features}
    texts = [i for i, (_, wrong) in parsed.items() if wrong]
    if texts:
        first = texts[0]
        row = parsed[first][1][0]
        line = drop_line(data.drop, [names[i] for i in texts])
        raise InputError(
            f"{source}: line {lines[row]}, column {shown(names[first])}: {shown(columns[first][row])} is not a number; "
            f"write numbers with a decimal point, encode texts as numbers, or leave them out with data.drop: {line}"
        )
    return np.column_stack([numbers for numbers, _ in parsed.values()])


def _weights(cells: Sequence[str], name: str, lines: Sequence[int], source: str) -> NDArray[np.float64]:
    weights, wrong = _parse(cells)
    if wrong:
        raise InputError(
            f"{source}: line {lines[wrong[0]]}, column {shown(name)}: {shown(cells[wrong[0]])} is not a number; "
            "weights are numbers of 0 or more"
        )
    return weights


def text_target(cells: Sequence[str]) -> NDArray[np.object_]:
    """The cells as texts, with "" for a missing one; ``target`` decides later whether they are numbers."""
    return np.array(["" if is_missing(cell) else cell for cell in cells], dtype=object)
