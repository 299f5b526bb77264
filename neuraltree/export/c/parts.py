"""Pieces of C that both precisions share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

# Single floats, no library: e^x by Cody and Waite's reduction and a polynomial (Cephes expf, Moshier), tanh by a
# rational function (Eigen's ptanh), sine by reduction to half a period and its series. A few units in the last place.
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
SIGMOID = """NT_CALL float nt_sigmoid(float s)
{
    return 1.0f / (1.0f + nt_exp(-s));
}
"""
TANH = """NT_CALL float nt_tanh(float s)
{
    const float x = s > 7.9f ? 7.9f : s > -7.9f ? s : -7.9f;
    const float z = x * x;
    const float p = x * (4.89352455891786e-3f + z * (6.37261928875436e-4f + z * (1.48572235717979e-5f
        + z * (5.12229709037114e-8f + z * (-8.60467152213735e-11f + z * (2.00018790482477e-13f
        + z * -2.76076847742355e-16f))))));
    const float q = 4.89352518554385e-3f + z * (2.26843463243900e-3f + z * (1.18534705686654e-4f
        + z * 1.19825839466702e-6f));
    return p / q;
}
"""
GAUSSIAN = """NT_CALL float nt_gaussian(float s)
{
    return nt_exp(-(s * s));
}
"""
SINE = """/* Beyond a million, single floats lie too far apart to have a sine: 0. */
NT_CALL float nt_sine(float s)
{
    float whole, rest, z;
    int32_t n;
    if (!(s < 1e6f && s > -1e6f)) {
        return 0.0f;
    }
    n = (int32_t)(s * 3.18309886e-1f + (s < 0.0f ? -0.5f : 0.5f));
    whole = (float)n;
    rest = ((s - whole * 3.140625f) - whole * 9.67502593994140625e-4f) - whole * 1.509957990978376e-7f;
    z = rest * rest;
    rest = rest + rest * z * (-1.66666667e-1f + z * (8.33333333e-3f + z * (-1.98412698e-4f + z * (2.75573192e-6f
        + z * -2.50521084e-8f))));
    return (n & 1) != 0 ? -rest : rest;
}
"""
RELU = """NT_INLINE float nt_relu(float s)
{
    return s > 0.0f ? s : 0.0f;
}
"""
# By activation code: the text of the function and whether it needs nt_exp. Identity has none.
FLOAT_KINDS: dict[int, tuple[str, bool]] = {
    0: (SIGMOID, True),
    1: (TANH, False),
    2: (GAUSSIAN, True),
    3: (RELU, False),
    4: (SINE, False),
}

MACROS = """/* Functions are called, not copied, and loops stay loops: small code, its size and time as the tree's. */
#if defined(__GNUC__)
#define NT_ALONE __attribute__((noinline))
#define NT_CALL static __attribute__((noinline, unused))
#define NT_INLINE static inline __attribute__((always_inline, unused))
#else
#define NT_ALONE
#define NT_CALL static
#define NT_INLINE static
#endif
#if defined(__clang__)
#define NT_LOOP _Pragma("clang loop unroll(disable) vectorize(disable)")
#elif defined(__GNUC__)
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
    """The functions of these kinds; ``exp``: e^x is needed besides."""
    rows = [FLOAT_KINDS[code] for code in sorted(set(codes)) if code in FLOAT_KINDS]
    texts = [EXP] if exp or any(uses for _, uses in rows) else []
    return "\n".join([*texts, *(text for text, _ in rows)])


def literal(value: float) -> str:
    """A single float in C: the shortest text that reads back as it. ``ValueError`` beyond the largest one."""
    with np.errstate(over="ignore"):
        single = np.float32(value)
    if not np.isfinite(single):
        raise ValueError(
            f"a weight of {value:g} is beyond single floats (3.4e38); scale the inputs or the target of the model"
        )
    text = str(single)
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


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
