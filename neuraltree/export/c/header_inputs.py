"""What the header of exported C says of the inputs, and of the function that checks them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from neuraltree.export.c.columns.column_header import column_constants
from neuraltree.export.names import comment, constants
from neuraltree.inputs.encoders import Column

if TYPE_CHECKING:
    from neuraltree.export.c.argument import Argument


def input_positions(columns: Sequence[Column] | None, argument: Argument, classes: Sequence[object] | None) -> str:
    """The positions of the features, or of the columns if there are any; and what else their types need."""
    upper = argument.name.upper()
    if columns is not None:
        return column_constants(columns, argument, constants(f"{upper}_CLASS", classes or ()))
    declared = argument.declared()
    if argument.is_struct:
        return declared
    scales = f"\n{declared}" if declared else ""
    return f"/* The positions of the inputs in x. */\n{enum_text('FEATURE', upper, argument.labels)}{scales}"


def enum_text(what: str, upper: str, names: tuple) -> str:
    """A constant for each name: ``what`` is FEATURE, CLASS or CHANNEL."""
    rows = [
        f"    {constant} = {place}, /* {comment(name)} */"
        for place, (constant, name) in enumerate(zip(constants(f"{upper}_{what}", names), names, strict=True))
    ]
    plural = {"FEATURE": "FEATURES", "CLASS": "CLASSES", "CHANNEL": "CHANNELS"}[what]
    return "\n".join(["enum {", *rows, f"    {upper}_{plural} = {len(names)}", "};\n"])


def check_declaration(columns: Sequence[Column] | None, argument: Argument) -> list[tuple[str, str]]:
    """Comment and prototype of ``NAME_check``, if the code takes columns."""
    if columns is None:
        return []
    has_floats = argument.is_float or argument.is_struct
    text = CHECKED if has_floats else CHECKED.replace("NAN where", "a missing cell where")
    return [(text, f"int {argument.name}_check({argument.parameter})")]


CHECKED = """/* The position of the first column whose number is unlike those learned from, or -1: NAN where nothing
   stands in for it, beyond the smallest or the largest number, an unknown level. Only this function checks. */"""
