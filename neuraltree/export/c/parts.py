"""Pieces of C that code of both number formats shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from neuraltree.activations import ACTIVATIONS

# In single floats, without a library: e^x by Cody and Waite's reduction and a polynomial (Cephes expf, Moshier).
EXP = """/* e^x, within 2 units in the last place; 1e-38 or less below -87. */
NT_CALL float nt_exp(float x)
{
    union { float value; uint32_t bits; } power;
    float whole, rest;
    int32_t n;
    x = x > 88.0f ? 88.0f : x > -87.0f ? x : -87.0f;
    n = (int32_t)(x * 1.44269504f + (x < 0.0f ? -0.5f : 0.5f));
    whole = (float)n;
    rest = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    power.bits = (uint32_t)(n + 127) << 23;
    return power.value * (1.0f + (rest + rest * rest * (0.5f + rest * (1.66666655e-1f + rest * (4.16657959e-2f
        + rest * (8.33345193e-3f + rest * (1.39819995e-3f + rest * 1.98756915e-4f)))))));
}
"""

# Functions without a section of their own stand in one piece, of which a linker keeps all or nothing. A section has the
# line as its name, because a macro cannot know the function's.
# Without the fence a compiler reads inputs early and keeps them for later nodes: the stack grows with the number of
# inputs, and by how much differs from tree to tree. With it straight code takes 1 % more cycles and 15 % less RAM.
MACROS = """/* Each function has a section of its own: with -Wl,--gc-sections those that no one calls are not linked. */
#if defined(__GNUC__) && defined(__ELF__)
#define NT_SECTION_OF(line) __attribute__((section(".text.nt_" #line)))
#define NT_SECTION_AT(line) NT_SECTION_OF(line)
#define NT_PUBLIC NT_SECTION_AT(__LINE__)
#else
#define NT_PUBLIC
#endif
/* A product and a sum are rounded one after the other with every -std, also where a core could fuse them. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && defined(__FP_FAST_FMAF)
#pragma GCC optimize ("fp-contract=off")
#endif
/* Functions are called, not inlined, and loops are not unrolled: code is small and grows with the tree.
   NT_FENCE: inputs are read where they are used, so that few wait on the stack. */
#if defined(__GNUC__)
#define NT_FENCE __asm__ volatile("" ::: "memory")
#define NT_ALONE NT_PUBLIC __attribute__((noinline))
#define NT_CALL static NT_ALONE __attribute__((unused))
#define NT_INLINE static inline __attribute__((always_inline, unused))
#else
#define NT_FENCE ((void)0)
#define NT_ALONE
#define NT_CALL static
#define NT_INLINE static
#endif
#if defined(__clang__)
#define NT_LOOP _Pragma("clang loop unroll(disable) vectorize(disable)")
#elif defined(__GNUC__) && __GNUC__ >= 8
#define NT_LOOP _Pragma("GCC unroll 1")
#else
#define NT_LOOP
#endif
"""
# Constant tables stay in flash on AVR only if they are read by its own instructions.
FLASH = """#if defined(__AVR__)
#include <avr/pgmspace.h>
#define NT_FLASH PROGMEM
#define NT_READ(width, type, place) ((type)pgm_read_##width(place))
#else
#define NT_FLASH
#define NT_READ(width, type, place) (*(place))
#endif
"""


def float_functions(codes: Iterable[int], exp: bool = False) -> str:
    """The C functions of these activations; ``exp``: include e^x in any case."""
    found = [ACTIVATIONS[code].c_function for code in sorted(set(codes))]
    texts = [EXP] if exp or any("nt_exp(" in text for text in found) else []
    return "\n".join([*texts, *filter(None, found)])


def literal(value: float) -> str:
    """A single float in C, as the shortest text that reads back as the same float. ``ValueError`` beyond the largest
    one."""
    with np.errstate(over="ignore"):
        single = np.float32(value)
    if not np.isfinite(single):
        raise ValueError(
            f"a weight of {value:g} is beyond single floats (3.4e38); scale the inputs or the target of the model"
        )
    text = str(single)
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def number(value: float) -> str:
    """``literal`` for languages whose numbers have no suffix."""
    return literal(value).removesuffix("f")


def array(kind: str, name: str, values: Sequence[object], *, attribute: str = "NT_FLASH ") -> str:
    """A constant table in lines of at most about 110 letters."""
    lines, line = [], "   "
    for text in map(str, values):
        if len(line) + len(text) + 2 > 110:
            lines.append(line)
            line = "   "
        line += f" {text},"
    body = "\n".join([*lines, line]).rstrip(",")
    return f"static const {kind} {name}[{len(values)}] {attribute}= {{\n{body}\n}};\n"
