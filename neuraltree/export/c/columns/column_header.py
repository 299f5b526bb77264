"""The positions of columns, of their levels and the starts of their times, in the header of exported C."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from neuraltree.compress.formats import Input
from neuraltree.export.names import comment, constants
from neuraltree.inputs.encoders import Category, Column, Ordinal, Time
from neuraltree.inputs.times import moment

if TYPE_CHECKING:
    from neuraltree.export.c.argument import Argument

HEAD_OF_INTEGERS = """/* The positions of the columns, and the number of a missing cell where one may be missing. */
"""
HEAD = """/* The positions of the columns in x, one number for each. A missing cell is NAN (of math.h), if the column
   takes it. */
"""
LARGEST_WHOLE = 2.0**53  # doubles beyond it are no counts of seconds


def column_constants(columns: Sequence[Column], argument: Argument, classes: Sequence[str]) -> str:
    """The enum of the columns, an enum or a macro for each that has levels or a start, the scales of integers, and the
    struct if ``argument`` is one.

    ``classes``: the constants of the classes, which no level may repeat; nor may it be a macro of a scale.
    """
    upper = argument.name.upper()
    places = constants(f"{upper}_COLUMN", [column.name for column in columns])
    words = ("COLUMNS", "CLASSES", "INTEGERS", "TARGET_SCALE")
    taken = {*places, *classes, *(f"{upper}_{word}" for word in words), *argument.scales}
    rows, texts = [], []
    for i, (column, place, one) in enumerate(zip(columns, places, argument.inputs, strict=True)):
        prefix = upper + place.removeprefix(f"{upper}_COLUMN")
        meaning, text, made = DESCRIBED.get(type(column), _plain)(column, prefix, taken)
        taken.update(made)
        hole = f", or {_hole(one)}" if column.takes_holes else ""
        times = f" times {one.scale:g}" if one.scale != 1 else ""
        rows.append(f"    {place} = {i}, /* {comment(column.name)}: {meaning}{times}{hole} */")
        texts.append(text)
    whole = "\n".join(["enum {", *rows, f"    {upper}_COLUMNS = {len(columns)}", "};\n"])
    head = HEAD if argument.is_float else HEAD_OF_INTEGERS
    return "\n".join([head + whole, *filter(None, (*texts, argument.declared()))])


def _hole(one: Input) -> str:
    """A missing cell."""
    return f"{one.row.hole} if missing" if one.row.is_integer else "NAN"


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
