"""The sine."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from neuraltree.activations.kind import Activation, Functions, Integers, Look


def alone(functions: Functions) -> Callable[[float], float]:
    sin = functions.sin
    return lambda s: sin(s) if math.isfinite(s) else math.nan


def image(low: Any, high: Any) -> tuple[Any, Any]:
    def has(first: float) -> Any:
        """Whether a point at ``first`` and whole turns from it lies between the ends."""
        return np.floor((high - first) / (2 * np.pi)) >= np.ceil((low - first) / (2 * np.pi))

    with np.errstate(invalid="ignore"):  # of infinite ends, between which it takes all values
        ends = np.sin(low), np.sin(high)
    return np.where(has(-np.pi / 2), -1.0, np.minimum(*ends)), np.where(has(np.pi / 2), 1.0, np.maximum(*ends))


# Reduction to half a period, then a series; the error is a few units in the last place.
C_FUNCTION = """/* Beyond a million, single floats lie too far apart to have a sine: 0. */
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
# cos s = -(-1)^n sin(s - (n + 1/2) pi): this needs no second series, and s + pi/2 is not rounded.
C_COSINE = """/* As nt_sine, from the middle of half a period. */
NT_CALL float nt_cosine(float s)
{
    float whole, rest, z;
    int32_t n;
    if (!(s < 1e6f && s > -1e6f)) {
        return 0.0f;
    }
    n = (int32_t)(s * 3.18309886e-1f + (s < 0.0f ? -1.0f : 0.0f));
    whole = (float)n + 0.5f;
    rest = ((s - whole * 3.140625f) - whole * 9.67502593994140625e-4f) - whole * 1.509957990978376e-7f;
    z = rest * rest;
    rest = rest + rest * z * (-1.66666667e-1f + z * (8.33333333e-3f + z * (-1.98412698e-4f + z * (2.75573192e-6f
        + z * -2.50521084e-8f))));
    return (n & 1) != 0 ? rest : -rest;
}
"""

SINE = Activation(
    name="sine",
    value=lambda s, xp=np: xp.sin(s),
    derivative=lambda s, h, xp=np: xp.cos(s),
    bounds=(-1, 1),
    steepest=1.0,
    image=image,
    alone=alone,
    c_text="sinf(s)",
    c_function=C_FUNCTION,
    c_slope="nt_cosine(kept)",
    c_slope_function=C_COSINE,
    flops=8,
    shared=("addition", "subtraction", "rounding", "comparison", "look_up"),
    integers=Integers(domain=math.pi, turns=((64, 1), (-64, -1)), repeats=True),
    python="np.sin({})",
    plain="_sine({})",
    plain_function="""def _sine(s):
    return sin(s) if -1e6 < s < 1e6 else 0.0
""",
    rust="sine({})",
    rust_function="""fn sine(s: f32) -> f32 {
    if s < 1e6 && s > -1e6 {
        let n = (s * 3.18309886e-1 + if s < 0.0 { -0.5 } else { 0.5 }) as i32;
        let whole = n as f32;
        let rest = ((s - whole * 3.140625) - whole * 9.67502593994140625e-4) - whole * 1.509957990978376e-7;
        let z = rest * rest;
        let sine = rest + rest * z * (-1.66666667e-1 + z * (8.33333333e-3 + z * (-1.98412698e-4 + z * (2.75573192e-6
            + z * -2.50521084e-8))));
        if n & 1 != 0 { -sine } else { sine }
    } else {
        0.0 // beyond a million, single floats lie too far apart to have a sine
    }
}
""",
    onnx=lambda graph, s: graph.add("Sin", s),
    formula="sin",
    sympy=lambda s, sp: sp.sin(s),
    look=Look("#F0E442", "v", "xx"),
    letter="s",
)
