"""The Gaussian bell, exp(-s²)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neuraltree.activations.kind import Activation, Exponential, Functions, Integers, Look


def alone(functions: Functions) -> Callable[[float], float]:
    exp = functions.exp
    return lambda s: exp(-s * s)


def image(low: Any, high: Any) -> tuple[Any, Any]:
    ends = np.exp(-low * low), np.exp(-high * high)
    return np.minimum(*ends), np.where((low <= 0) & (high >= 0), 1.0, np.maximum(*ends))


GAUSSIAN = Activation(
    name="gaussian",
    value=lambda s, xp=np: xp.exp(-s * s),
    derivative=lambda s, h, xp=np: -2 * s * h,
    bounds=(0, 1),
    steepest=0.86,
    image=image,
    alone=alone,
    exponential=Exponential(lambda s: s * s, one=0.0),
    c_text="expf(-s * s)",
    c_function="""NT_CALL float nt_gaussian(float s)
{
    return nt_exp(-(s * s));
}
""",
    c_slope="-2.0f * kept * value",
    flops=1 + 8,
    shared=("addition", "subtraction", "exponential", "rounding", "comparison", "look_up"),
    integers=Integers(domain=3.0, turns=((0, 1),)),
    python="gaussian({})",
    python_function="""def gaussian(s):
    return np.exp(-s * s)
""",
    plain="_gaussian({})",
    plain_function="""def _gaussian(s):
    return exp(-s * s)
""",
    rust="gaussian({})",
    rust_function="""fn gaussian(s: f32) -> f32 {
    exp(-(s * s))
}
""",
    onnx=lambda graph, s: graph.add("Exp", graph.add("Neg", graph.add("Mul", s, s))),
    formula="gaussian",
    sympy=lambda s, sp: sp.exp(-(s**2)),
    text="gaussian(s) = exp(-s*s)",
    latex=r"\operatorname{gaussian}(s) &= e^{-s^2}",
    look=Look("#CC79A7", "D", ".."),
    letter="g",
)
