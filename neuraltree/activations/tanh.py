"""The hyperbolic tangent."""

from __future__ import annotations

import numpy as np

from neuraltree.activations.kind import Activation, Exponential, Integers, Look

TANH = Activation(
    name="tanh",
    value=lambda s, xp=np: xp.tanh(s),
    derivative=lambda s, h, xp=np: 1 - h * h,
    bounds=(-1, 1),
    steepest=1.0,
    rises=True,
    alone=lambda functions: functions.tanh,
    exponential=Exponential(lambda s: -2 * s, scale=2.0, shift=1.0),
    c_text="tanhf(s)",
    # A rational function (Eigen's ptanh); the error is a few units in the last place.
    c_function="""NT_CALL float nt_tanh(float s)
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
""",
    c_slope="1.0f - value * value",
    flops=1 + 8 + 2 + 4,
    shared=("addition", "division", "comparison", "look_up"),
    integers=Integers(domain=4.0),
    python="np.tanh({})",
    plain="tanh({})",
    rust="tanh({})",
    rust_function="""fn tanh(s: f32) -> f32 {
    let x = if s > 7.9 { 7.9 } else if s > -7.9 { s } else { -7.9 };
    let z = x * x;
    let p = x * (4.89352455891786e-3 + z * (6.37261928875436e-4 + z * (1.48572235717979e-5
        + z * (5.12229709037114e-8 + z * (-8.60467152213735e-11 + z * (2.00018790482477e-13
        + z * -2.76076847742355e-16))))));
    let q = 4.89352518554385e-3 + z * (2.26843463243900e-3 + z * (1.18534705686654e-4 + z * 1.19825839466702e-6));
    p / q
}
""",
    onnx=lambda graph, s: graph.add("Tanh", s),
    formula="tanh",
    sympy=lambda s, sp: sp.tanh(s),
    look=Look("#009E73", "s", "//"),
    letter="t",
)
