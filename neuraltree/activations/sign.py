"""The sign, 1 for s >= 0 and -1 below: a value of one bit.

It is 1 at 0, so that two values are enough (Courbariaux et al. 2016, "Binarized Neural Networks", equation 1). Its own
slope is 0 wherever it has one. So training takes the slope of the hard tanh, 1 for |s| <= 1 and 0 beyond: the
straight-through estimator (section 1.3 there, and Hubara et al. 2016).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neuraltree.activations.kind import HIGHEST, INF, Activation, Integers, Look, Piece

BELOW = -math.ulp(0.0)  # the largest number below 0; NumPy would raise where a user asked for errors of underflow


def onnx(graph: Any, s: str) -> str:
    zero, low, high = (graph.constant(np.float32(number)) for number in (0, -1, 1))
    # A clip to 1..1 is 1, and NaN stays NaN.
    return str(graph.add("Where", graph.add("Less", s, zero), low, graph.add("Clip", s, high, high)))


SIGN = Activation(
    name="sign",
    value=lambda s, xp=np: xp.where(s < 0, -1.0, xp.where(s >= 0, 1.0, s)),
    derivative=lambda s, h, xp=np: xp.where(xp.abs(s) <= 1, 1.0, 0.0),
    bounds=(-1, 1),
    steepest=1.0,
    jump=0.0,
    rises=True,
    pieces=(Piece(-INF, BELOW, 0, -1), Piece(0, INF, 0, 1)),
    alone=lambda functions: lambda s: -1.0 if s < 0 else 1.0 if s >= 0 else s,
    c_text="s < 0 ? -1 : s >= 0 ? 1 : s",
    # By the bits of the sum, which without floating point take less than a comparison of numbers. -0 is no negative.
    c_function="""NT_INLINE float nt_sign(float s)
{
    union { float value; uint32_t bits; } sum;
    sum.value = s;
    return sum.bits > 0x80000000u ? -1.0f : 1.0f;
}
""",
    c_slope="kept <= 1.0f && kept >= -1.0f ? 1.0f : 0.0f",
    flops=1,
    shared=(),
    priced_as="relu",
    integers=Integers(low=-HIGHEST, jumps=True),
    python="sign({})",
    python_function="""def sign(s):
    return np.where(s < 0, -1.0, np.where(s >= 0, 1.0, s))
""",
    plain="_sign({})",
    plain_function="""def _sign(s):
    return -1.0 if s < 0 else 1.0 if s >= 0 else s
""",
    rust="sign({})",
    rust_function="""fn sign(s: f32) -> f32 {
    if s < 0.0 { -1.0 } else if s >= 0.0 { 1.0 } else { s }
}
""",
    onnx=onnx,
    formula="sign",
    sympy=lambda s, sp: sp.Piecewise((-1, s < 0), (1, True)),
    text="sign(s) = 1 if s >= 0, else -1",
    latex=r"\operatorname{sign}(s) &= \begin{cases} 1 & \text{if } s \geq 0 \\ -1 & \text{otherwise} \end{cases}",
    look=Look("#A3B86C", "X", "oo"),
    letter="±",
)
