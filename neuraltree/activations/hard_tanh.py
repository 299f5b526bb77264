"""The hard tanh, max(-1, min(1, s)): the saturation of a tanh for two comparisons."""

from __future__ import annotations

import numpy as np

from neuraltree.activations.kind import HIGHEST, INF, Activation, Integers, Look, Piece

HARD_TANH = Activation(
    name="hard_tanh",
    value=lambda s, xp=np: xp.minimum(xp.maximum(s, -1.0), 1.0),
    derivative=lambda s, h, xp=np: xp.where(xp.abs(s) < 1, 1.0, 0.0),
    bounds=(-1, 1),
    steepest=1.0,
    rises=True,
    pieces=(Piece(-INF, -1, 0, -1), Piece(-1, 1, 1), Piece(1, INF, 0, 1)),
    alone=lambda functions: lambda s: 1.0 if s > 1 else -1.0 if s < -1 else s,
    c_text="s > 1 ? 1 : s < -1 ? -1 : s",
    # By the bits of the sum, which without floating point take a tenth of two comparisons of numbers.
    c_function="""NT_CALL float nt_hard_tanh(float s)
{
    union { float value; uint32_t bits; } sum;
    sum.value = s;
    if ((sum.bits & 0x7fffffffu) > 0x3f800000u) {
        sum.bits = (sum.bits & 0x80000000u) | 0x3f800000u;
    }
    return sum.value;
}
""",
    c_slope="value < 1.0f && value > -1.0f ? 1.0f : 0.0f",
    flops=2,
    shared=(),
    priced_as="relu",
    integers=Integers(low=-HIGHEST),
    python="hard_tanh({})",
    python_function="""def hard_tanh(s):
    return np.minimum(np.maximum(s, -1.0), 1.0)
""",
    plain="_hard_tanh({})",
    plain_function="""def _hard_tanh(s):
    return 1.0 if s > 1 else -1.0 if s < -1 else s
""",
    rust="hard_tanh({})",
    rust_function="""fn hard_tanh(s: f32) -> f32 {
    if s > 1.0 { 1.0 } else if s < -1.0 { -1.0 } else { s }
}
""",
    onnx=lambda graph, s: graph.add("Clip", s, *(graph.constant(np.float32(end)) for end in (-1, 1))),
    formula="hard_tanh",
    sympy=lambda s, sp: sp.Max(-1, sp.Min(1, s)),
    text="hard_tanh(s) = max(-1, min(1, s))",
    latex=r"\operatorname{hard}_{tanh}(s) &= \max(-1, \min(1, s))",
    look=Look("#B5895A", "P", "++"),
    letter="h",
)
