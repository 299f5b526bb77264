"""The part of an exported Python module that turns columns into the features that the tree reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from neuraltree.export.names import comment
from neuraltree.export.needed import Read
from neuraltree.inputs.encoders import Category, Column, Flag, Number, Ordinal, Time
from neuraltree.inputs.features import RULES
from neuraltree.inputs.texts import TRUTH
from neuraltree.inputs.times import ISO, moment


def described(column: Column) -> str:
    """What the numbers of a column are."""
    return NUMBERS[type(column)](column)


NUMBERS: dict[type[Column], Callable[[Any], str]] = {
    Number: lambda column: "a number",
    Flag: lambda column: "0 or 1",
    Category: lambda column: f"the place of a level, {len(column.levels)} for any other",
    Ordinal: lambda column: "the place of a level",
    Time: lambda column: f"seconds since {moment(column.start)}",
}


def imports(columns: Sequence[Column]) -> list[str]:
    times = any(isinstance(each, Time) for each in columns)
    return [
        *(["import re", "import unicodedata"] if columns else []),
        *(["from datetime import date, datetime, timezone"] if times else []),
        *([""] if columns else []),
    ]


def encoding(columns: Sequence[Column], reads: Sequence[Read]) -> list[str]:
    """The definitions up to ``features``, from columns to the features that are read; none without columns."""
    if not reads:
        return []
    kinds = {type(column) for column in columns}
    return [
        CELLS,
        *(text for needing, text in FUNCTIONS.items() if kinds & set(needing)),
        _table(columns),
        NUMBERS_OF.format(width=len(columns)),
        *filter(None, dict.fromkeys(RULES[read.feature.rule].python_function for read in reads)),
        _features(reads),
    ]


def _table(columns: Sequence[Column]) -> str:
    head = "# By column: its name, its number from a cell, and whether a cell may be missing."
    rows = [f"    ({column.name!a}, {CALLS[type(column)](column)}, {column.takes_holes}),\n" for column in columns]
    return f"{head}\nCOLUMNS = (\n{''.join(rows)})\n"


def _levels(column: Any) -> str:
    return f"({', '.join(f'{level!a}' for level in column.levels)},)"


# By encoder: the function of a cell that is not a hole.
CALLS: dict[type[Column], Callable[[Any], str]] = {
    Number: lambda column: "to_float",
    Flag: lambda column: "truth",
    Category: lambda column: f"levels({_levels(column)}, {float(len(column.levels))!r})",
    Ordinal: lambda column: f"levels({_levels(column)}, None)",
    Time: lambda column: f"since({float(column.start)!r}, {None if column.form == ISO else column.form!r})",
}


def _features(reads: Sequence[Read]) -> str:
    lines = []
    for read in reads:
        numbers = [repr(float(number)) for number in read.feature.numbers]
        text = RULES[read.feature.rule].python.format(*numbers, x=f"X[:, {read.column}]")
        lines.append(f"        {text},  # {comment(read.feature.name)}".rstrip())
    body = "\n".join(lines)
    return FEATURES.format(count=len(reads), body=body)


CELLS = '''def cells(values):
    """A list of the cells of a column, None for a missing one."""
    array = np.asarray(values, dtype=None if hasattr(values, "__array__") else object)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[us]")
    if array.dtype.kind == "m":
        array = array / np.timedelta64(1, "s")
    return [None if is_missing(cell) else cell for cell in array.tolist()]


def is_missing(cell):
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or (isinstance(cell, float) and cell != cell)


def text(cell):
    """The text of a level: the same for 3, 3.0 and "3"."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return unicodedata.normalize("NFC", str(cell).strip())


NUMBER = re.compile(r"[+-]?((\\d+\\.?\\d*|\\.\\d+)(e[+-]?\\d+)?|inf|infinity)", re.IGNORECASE | re.ASCII)


def to_float(cell):
    if isinstance(cell, str) and not NUMBER.fullmatch(cell.strip()):
        raise ValueError
    return float(cell)


def level(cell, known):
    """The text of a level; a number is the same in any form, unless the form is a known level."""
    found = text(cell)
    return found if found in known or not NUMBER.fullmatch(found) else text(float(found))
'''
TRUTH_TEXT = f"""TRUTH = {{
{"".join(f"    {word!r}: {number!r},{chr(10)}" for word, number in TRUTH.items())}}}


def truth(cell):
    return TRUTH[level(text(cell).lower(), TRUTH)]
"""
LEVELS = '''def levels(known, other):
    """From a level to its place; ``other`` is that of all other levels, None if there may be none."""
    place = {level: float(i) for i, level in enumerate(known)}
    return lambda cell: place[level(cell, place)] if other is None else place.get(level(cell, place), other)
'''
SINCE = '''def since(start, form):
    """From a time to its seconds after ``start``, both since 1970; ``form``: that of texts, None for ISO 8601."""

    def seconds(cell):
        if isinstance(cell, str):
            cell = datetime.fromisoformat(cell.strip()) if form is None else datetime.strptime(cell.strip(), form)
        elif not isinstance(cell, datetime):
            cell = datetime(cell.year, cell.month, cell.day) if isinstance(cell, date) else None
        if cell is None:
            raise ValueError
        if cell.tzinfo is not None:
            cell = cell.astimezone(timezone.utc).replace(tzinfo=None)
        return (cell - datetime(1970, 1, 1)).total_seconds() - start

    return seconds
'''
# By the encoders that need it: text of a module.
FUNCTIONS: dict[tuple[type[Column], ...], str] = {(Flag,): TRUTH_TEXT, (Category, Ordinal): LEVELS, (Time,): SINCE}
NUMBERS_OF = '''def column_numbers(name, values, number):
    found = []
    for row, cell in enumerate(cells(values)):
        try:
            found.append(np.nan if cell is None else number(cell))
        except (ValueError, KeyError, TypeError, OverflowError):
            raise ValueError(f"column {{name!r}}, row {{row}} from 0: {{cell!r}} cannot be read") from None
    return np.array(found, dtype=np.float64)


def numbers(X):
    """(rows, {width}) the number of each cell of X: such an array, or cells by the names of their columns."""
    if hasattr(X, "keys") or hasattr(X, "columns"):
        there = X.keys() if hasattr(X, "keys") else X.columns
        if lacking := [name for name, *_ in COLUMNS if name not in there]:
            raise ValueError(f"there is no column {{', '.join(map(repr, lacking))}}")
        X = np.column_stack([column_numbers(name, X[name], number) for name, number, _ in COLUMNS])
    X = np.asarray(X, dtype=np.float64)
    if X.ndim != 2 or X.shape[1] != {width}:
        raise ValueError(f"X has shape {{X.shape}}; the tree needs (rows, {width})")
    for place, (name, _, may_be_missing) in enumerate(COLUMNS):
        wrong = ~np.isfinite(X[:, place]) & ~(may_be_missing & np.isnan(X[:, place]))
        if wrong.any():
            raise ValueError(f"column {{name!r}}, row {{wrong.argmax()}} from 0: the cell is missing or infinite")
    return X
'''
FEATURES = '''def features(X):
    """(rows, {count}) the features that the tree reads, for columns X as in ``numbers``."""
    X = numbers(X)
    return np.stack([
{body}
    ], axis=1)
'''
