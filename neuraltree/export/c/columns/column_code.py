"""From the numbers of columns to the features that a tree reads, and the check of such numbers, in C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from neuraltree.activations import ACTIVATIONS, code_of
from neuraltree.compress.formats import Input
from neuraltree.export.c.columns.column_integers import integer_limits, integer_numbers
from neuraltree.export.c.parts import literal
from neuraltree.export.names import comment
from neuraltree.inputs.encoders import Column
from neuraltree.inputs.features import RULES

if TYPE_CHECKING:
    from neuraltree.export.c.argument import Argument
    from neuraltree.export.needed import Read

SINE = code_of("sine")
NO_FAST_MATH = """#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error a missing cell is NaN, which -ffast-math and -ffinite-math-only do not know
#endif
"""


def uses_sine(reads: Sequence[Read]) -> bool:
    """Whether ``encode`` calls the C function of the activation sine."""
    return any("nt_sine(" in RULES[read.feature.rule].c_function for read in reads)


def functions(reads: Sequence[Read], argument: Argument) -> list[str]:
    """What the expressions of the features call, and a guard if a missing cell can be NaN."""
    reads = [read for read in reads if not argument.inputs[read.column].row.is_integer]
    called = dict.fromkeys(RULES[read.feature.rule].c_function for read in reads)
    return [NO_FAST_MATH] * bool(reads) + [*filter(None, called)]


def encode(reads: Sequence[Read], argument: Argument) -> str:
    """``nt_encode``, which fills ``f`` with the features that are read, in their order, from the columns ``x``."""
    lines = [
        f"    f[{place}] = {_float(read, argument)}; /* {comment(read.feature.name)} */"
        for place, read in enumerate(reads)
    ]
    body = "\n".join(lines)
    text = f"NT_CALL void nt_encode({argument.parameter}, float *f)\n{{\n{body}\n}}\n"
    return "\n".join([*functions(reads, argument), text])


def float_sine() -> str:
    """The C function of the activation sine."""
    return ACTIVATIONS[SINE].c_function


def encoded(reads: Sequence[Read]) -> tuple[str, str]:
    """The lines of a function of the columns ``x`` that make its features, and the name of these features."""
    return (f"    float f[{len(reads)}];\n    nt_encode(x, f);\n", "f") if reads else ("", "x")


def expression(read: Read, argument: Argument) -> str:
    """The C expression of a feature: a float, or an integer if its column is one."""
    rule, one, x = RULES[read.feature.rule], argument.inputs[read.column], argument.places[read.column]
    if not one.row.is_integer:
        return rule.c.format(*map(literal, read.feature.numbers), x=x)
    numbers = integer_numbers(rule, read.feature.numbers, one)
    return rule.c_integer.format(*map(int, numbers), x=x, hole=one.row.hole)


def _float(read: Read, argument: Argument) -> str:
    text = expression(read, argument)
    return f"(float){text}" if argument.inputs[read.column].row.is_integer else text


USABLE = """/* Whether a column takes v: a hole if it may have one, or a number of the range seen; a place is whole. */
NT_CALL int nt_usable(float v, float low, float high, int whole, int hole)
{
    if (v != v) {
        return hole;
    }
    return v >= low && v <= high && (!whole || v == (float)(int32_t)v);
}
"""


def _limits(column: Column) -> str:
    """The arguments of ``nt_usable`` for a column."""
    largest = float(np.finfo(np.float32).max)
    low, high = (literal(min(max(bound, -largest), largest)) for bound in column.seen[:2])
    return f"{low}, {high}, {int(column.seen.whole)}, {int(column.takes_holes)}"


def check(columns: Sequence[Column], argument: Argument) -> str:
    """``NAME_check``, the position of the first column whose number it does not take, or -1."""
    rows = enumerate(zip(columns, argument.inputs, argument.places, strict=True))
    tests = [
        f"    if (!{_usable(column, one, x)}) {{\n        return {place};\n    }}\n" for place, (column, one, x) in rows
    ]
    floats = [one for one in argument.inputs if not one.row.is_integer]
    text = f"NT_PUBLIC int {argument.name}_check({argument.parameter})\n{{\n{''.join(tests)}    return -1;\n}}\n"
    return f"{USABLE}\n{text}" if floats or not argument.inputs else text


def _usable(column: Column, one: Input, x: str) -> str:
    """The C expression of whether a column takes its number ``x``."""
    if not one.row.is_integer:
        return f"nt_usable({x}, {_limits(column)})"
    low, high = integer_limits(column, one)
    tests = [f"{x} >= {low}"] * (low > one.row.low) + [f"{x} <= {high}"] * (high < one.row.high)
    within = " && ".join(tests) or "1"
    return f"(({within}) || {x} == {one.row.hole})" if column.takes_holes else f"({within})"
