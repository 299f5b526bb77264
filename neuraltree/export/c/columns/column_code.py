"""From the numbers of columns to the features that a tree reads, and the check of such numbers, in C."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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


def check(columns: Sequence[Column], name: str) -> str:
    """``NAME_check``, the position of the first column whose number it does not take, or -1."""
    tests = [
        f"    if (!nt_usable(x[{place}], {_limits(column)})) {{\n        return {place};\n    }}\n"
        for place, column in enumerate(columns)
    ]
    return f"{USABLE}\nNT_PUBLIC int {name}_check(const float *x)\n{{\n{''.join(tests)}    return -1;\n}}\n"
