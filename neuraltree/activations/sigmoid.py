"""The logistic sigmoid, 1 / (1 + exp(-s))."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neuraltree.activations.kind import Activation, Exponential, Functions, Integers, Look


def value(s: Any, xp: Any = np) -> Any:
    # exp of a non-positive number never overflows.
    decay = xp.exp(-xp.abs(s))
    return xp.where(s < 0, decay, 1.0) / (1.0 + decay)


def alone(functions: Functions) -> Callable[[float], float]:
    exp = functions.exp

    def sigmoid(s: float) -> float:
        if s < 0:
            decay = exp(s)
            return decay / (1.0 + decay)
        return 1.0 / (1.0 + exp(-s))

    return sigmoid


SIGMOID = Activation(
    name="sigmoid",
    # The sources define the Fermi function as the logistic sigmoid (Ojha & Nicosia), so it is an alias.
    aliases=("fermi",),
    value=value,
    derivative=lambda s, h, xp=np: h * (1 - h),
    bounds=(0, 1),
    steepest=0.25,
    rises=True,
    alone=alone,
    exponential=Exponential(lambda s: -s),
    c_text="1.0f / (1.0f + expf(-s))",
    c_function="""NT_CALL float nt_sigmoid(float s)
{
    return 1.0f / (1.0f + nt_exp(-s));
}
""",
    c_slope="value * (1.0f - value)",
    flops=8 + 1 + 4,
    shared=("addition", "subtraction", "exponential", "division", "rounding", "comparison", "look_up"),
    integers=Integers(domain=8.0),
    python="sigmoid({})",
    python_function="""def sigmoid(s):
    decay = np.exp(-np.abs(s))  # never overflows
    return np.where(s < 0, decay, 1.0) / (1.0 + decay)
""",
    plain="_sigmoid({})",
    plain_function="""def _sigmoid(s):
    decay = exp(-abs(s))  # never overflows
    return (1.0 if s > 0 else decay) / (1.0 + decay)
""",
    rust="sigmoid({})",
    rust_function="""fn sigmoid(s: f32) -> f32 {
    1.0 / (1.0 + exp(-s))
}
""",
    onnx=lambda graph, s: graph.add("Sigmoid", s),
    formula="sigmoid",
    sympy=lambda s, sp: 1 / (1 + sp.exp(-s)),
    text="sigmoid(s) = 1 / (1 + exp(-s))",
    latex=r"\operatorname{sigmoid}(s) &= \frac{1}{1 + e^{-s}}",
    look=Look("#56B4E9", "o"),
    letter="σ",
)
