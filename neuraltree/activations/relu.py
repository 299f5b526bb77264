"""The rectified linear unit, max(0, s)."""

from __future__ import annotations

import numpy as np

from neuraltree.activations.kind import INF, Activation, Integers, Look, Piece

RELU = Activation(
    name="relu",
    value=lambda s, xp=np: xp.maximum(s, 0),
    derivative=lambda s, h, xp=np: xp.where(s > 0, 1.0, 0.0),
    bounds=(0, INF),
    steepest=1.0,
    rises=True,
    pieces=(Piece(-INF, 0, 0), Piece(0, INF, 1)),
    alone=lambda functions: lambda s: 0.0 if s <= 0 else s,
    c_text="s < 0 ? 0 : s",
    c_function="""NT_INLINE float nt_relu(float s)
{
    return s > 0.0f ? s : 0.0f;
}
""",
    c_slope="value > 0.0f ? 1.0f : 0.0f",
    flops=1,
    shared=("comparison",),
    integers=Integers(low=0),
    python="relu({})",
    python_function="""def relu(s):
    return np.maximum(s, 0)
""",
    plain="_relu({})",
    plain_function="""def _relu(s):
    return s if s > 0 else 0.0
""",
    rust="relu({})",
    rust_function="""fn relu(s: f32) -> f32 {
    if s > 0.0 { s } else { 0.0 }
}
""",
    onnx=lambda graph, s: graph.add("Relu", s),
    formula="relu",
    sympy=lambda s, sp: sp.Max(0, s),
    text="relu(s) = max(0, s)",
    latex=r"\operatorname{relu}(s) &= \max(0, s)",
    look=Look("#E69F00", "^", "\\\\"),
    letter="r",
)
