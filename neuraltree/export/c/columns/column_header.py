"""The positions of columns, of their levels and the starts of their times, in the header of exported C."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from neuraltree.export.names import comment, constants
from neuraltree.inputs.encoders import Category, Column, Ordinal, Time
from neuraltree.inputs.times import moment

HEAD = """/* The positions of the columns in x, one number for each. A missing cell is NAN (of math.h), if the column
   takes it. */
"""
LARGEST_WHOLE = 2.0**53  # doubles beyond it are no counts of seconds


def column_constants(columns: Sequence[Column], name: str, classes: Sequence[str]) -> str:
    """The enum of the columns, and an enum or a macro for each that has levels or a start.

    ``classes``: the constants of the classes, which no level may repeat.
    """
    upper = name.upper()
    places = constants(f"{upper}_COLUMN", [column.name for column in columns])
    taken = {*places, *classes, f"{upper}_COLUMNS", f"{upper}_CLASSES", f"{upper}_INTEGERS"}
    rows, texts = [], []
    for i, (column, place) in enumerate(zip(columns, places, strict=True)):
        prefix = upper + place.removeprefix(f"{upper}_COLUMN")
        meaning, text, made = DESCRIBED.get(type(column), _plain)(column, prefix, taken)
        taken.update(made)
        hole = ", or NAN" if column.takes_holes else ""
        rows.append(f"    {place} = {i}, /* {comment(column.name)}: {meaning}{hole} */")
        texts.append(text)
    whole = "\n".join(["enum {", *rows, f"    {upper}_COLUMNS = {len(columns)}", "};\n"])
    return "\n".join([HEAD + whole, *filter(None, texts)])


Described = tuple[str, str, list[str]]  # what its numbers are, its own text, and the constants made in it


def _plain(column: Column, prefix: str, taken: set[str]) -> Described:
    return ("a number" if column.__struct_config__.tag == "number" else "0 or 1"), "", []


def _levels(column: Any, prefix: str, taken: set[str]) -> Described:
    others = ["OTHER"] * isinstance(column, Category)
    made = constants(prefix, [*column.levels, *others], taken)
    shown = [*map(comment, column.levels), *["any other level"] * len(others)]
    rows = [f"    {made[i]} = {i}{',' * (i + 1 < len(made))} /* {text} */" for i, text in enumerate(shown)]
    text = "\n".join([f"/* The levels of {comment(column.name)}. */\nenum {{", *rows, "};\n"])
    return "a level", text, made


def _start(column: Any, prefix: str, taken: set[str]) -> Described:
    (made,) = constants(prefix, ["start"], taken)
    number = f"INT64_C({int(column.start)})" if _is_whole(column.start) else repr(column.start)
    remark = (
        f"/* {comment(column.name)} is in seconds from {moment(column.start)}, which is this number of seconds since"
    )
    text = f"{remark}\n   1970: (float)(seconds since 1970 - {made}). */\n#define {made} {number}\n"
    return f"seconds since {made}", text, [made]


def _is_whole(second: float) -> bool:
    return second.is_integer() and abs(second) < LARGEST_WHOLE


DESCRIBED: dict[type[Column], Callable[[Any, str, set[str]], Described]] = {
    Category: _levels,
    Ordinal: _levels,
    Time: _start,
}
