"""From the numbers of columns to the features that a tree reads, and the check of such numbers, in C."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from neuraltree.activations import ACTIVATIONS, code_of
from neuraltree.export.c.parts import literal
from neuraltree.export.names import comment
from neuraltree.export.needed import Read
from neuraltree.inputs.encoders import Column
from neuraltree.inputs.features import RULES

SINE = code_of("sine")
NO_FAST_MATH = """#if defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error a missing cell is NaN, which -ffast-math and -ffinite-math-only do not know
#endif
"""


def uses_sine(reads: Sequence[Read]) -> bool:
    """Whether ``encode`` calls the C function of the activation sine."""
    return any("nt_sine(" in RULES[read.feature.rule].c_function for read in reads)


def encode(reads: Sequence[Read]) -> str:
    """``nt_encode``, which fills ``f`` with the features that are read, in their order, from the columns ``x``."""
    functions = dict.fromkeys(RULES[read.feature.rule].c_function for read in reads)
    lines = [
        f"    f[{place}] = {_expression(read)}; /* {comment(read.feature.name)} */" for place, read in enumerate(reads)
    ]
    body = "\n".join(lines)
    text = f"NT_CALL void nt_encode(const float *x, float *f)\n{{\n{body}\n}}\n"
    return "\n".join([NO_FAST_MATH, *filter(None, functions), text])


def float_sine() -> str:
    """The C function of the activation sine."""
    return ACTIVATIONS[SINE].c_function


def encoded(reads: Sequence[Read]) -> tuple[str, str]:
    """The lines of a function of the columns ``x`` that make its features, and the name of these features."""
    return (f"    float f[{len(reads)}];\n    nt_encode(x, f);\n", "f") if reads else ("", "x")


def _expression(read: Read) -> str:
    numbers = map(literal, read.feature.numbers)
    return RULES[read.feature.rule].c.format(*numbers, x=f"x[{read.column}]")


class Usable(NamedTuple):
    """Which numbers a column takes: finite ones, or the places up to ``last``; and whether it takes a hole."""

    last: int
    hole: bool


def usable(column: Column) -> Usable:
    return Usable(LAST.get(column.__struct_config__.tag, lambda _: -1)(column), column.takes_holes)


# By encoder: the last place. A category has one for all other levels; numbers and times have none.
LAST: dict[Any, Callable[[Any], int]] = {
    "boolean": lambda column: 1,
    "category": lambda column: len(column.levels),
    "ordinal": lambda column: len(column.levels) - 1,
}

USABLE = """/* Whether a column takes v: a hole if it may have one, a place up to last, or any number if last is -1. */
NT_CALL int nt_usable(float v, int32_t last, int hole)
{
    if (v != v) {
        return hole;
    }
    if (last < 0) {
        return v - v == 0.0f;
    }
    return v >= 0.0f && v <= (float)last && v == (float)(int32_t)v;
}
"""


def check(columns: Sequence[Column], name: str) -> str:
    """``NAME_check``, the position of the first column whose number it does not take, or -1."""
    tests = [
        f"    if (!nt_usable(x[{place}], {last}, {int(hole)})) {{\n        return {place};\n    }}\n"
        for place, (last, hole) in enumerate(map(usable, columns))
    ]
    return f"{USABLE}\nint {name}_check(const float *x)\n{{\n{''.join(tests)}    return -1;\n}}\n"
