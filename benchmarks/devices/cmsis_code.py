"""Perceptrons in 8-bit integers on CMSIS-NN's ``arm_fully_connected_s8``, from the sources in the package bakenn.

The numbers are those of TensorFlow Lite: one scale for each layer's weights, ranges of values from the training rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from benchmarks.devices.candidates import Candidate, array, entry, first_largest, number
from benchmarks.devices.device_tasks import Task
from benchmarks.devices.scaled_models import Layers, answered

FAMILY = "MLP, int8 (CMSIS-NN)"
LOW, HIGH = -128, 127
HEADERS = (
    "cmsis_core/Include/cmsis_compiler.h",
    "cmsis_core/Include/cmsis_gcc.h",
    "cmsis_nn/Include/arm_nn_math_types.h",
    "cmsis_nn/Include/arm_nn_types.h",
    "cmsis_nn/Include/arm_nnfunctions.h",
    "cmsis_nn/Include/arm_nnsupportfunctions.h",
)
SOURCES = (
    "cmsis_nn/Source/FullyConnectedFunctions/arm_fully_connected_s8.c",
    "cmsis_nn/Source/NNSupportFunctions/arm_nn_vec_mat_mult_t_s8.c",
)
# The compiler's own memcpy, as in a hosted build: it becomes a single load.
BUILT_IN = "#define BAKENN_CMSIS_NN_BUILTIN_MEMORY\n"


@cache
def kernels() -> dict[str, str]:
    """The texts by file name, without the line that asks for <math.h>, of which these kernels use nothing."""
    vendor = files("bakenn.backend.cmsis_nn.vendor")
    texts = {name.rsplit("/", 1)[1]: vendor.joinpath(name).read_text() for name in (*HEADERS, *SOURCES)}
    return {name: BUILT_IN + text.replace("#include <math.h>", "") for name, text in texts.items()}


@dataclass(frozen=True)
class Quantity:
    """value = scale × (q - zero), for q from -128 to 127."""

    scale: float
    zero: int

    @classmethod
    def over(cls, low: float, high: float) -> Quantity:
        low, high = min(low, 0.0), max(high, 0.0)  # 0 must be a number
        scale = max(high - low, 1e-12) / (HIGH - LOW)
        return cls(scale, int(np.clip(round(LOW - low / scale), LOW, HIGH)))


@dataclass(frozen=True)
class IntegerLayer:
    """``weights`` (outputs, inputs) int8; a sum is times ``multiplier`` × 2^(``shift`` - 31)."""

    weights: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: int
    shift: int
    before: Quantity
    after: Quantity
    least: int

    def apply(self, q: NDArray[np.int64]) -> NDArray[np.int64]:
        """(rows, inputs) to (rows, outputs), with the kernel's two roundings."""
        total = (q - self.before.zero) @ self.weights.T.astype(np.int64) + self.bias
        left, right = max(self.shift, 0), max(-self.shift, 0)
        high = ((total << left) * self.multiplier + (1 << 30)) >> 31
        rest, half = high & ((1 << right) - 1), ((1 << right) - 1) >> 1
        rounded = (high >> right) + (rest > half + (high < 0))
        return np.clip(rounded + self.after.zero, self.least, HIGH)


def network(task: Task, name: str, model: Layers, hope: float) -> Candidate:
    layers = integers(model, task.X)
    q = entered(model, layers[0].before, task.test_X)
    for layer in layers:
        q = layer.apply(q)
    outputs = (q - layer.after.zero) * layer.after.scale
    text = code(model, layers, task.classes)
    return Candidate(FAMILY, name, hope, answered(outputs, task.classes), {**kernels(), "net.c": text})


def integers(model: Layers, X: NDArray[np.float64]) -> list[IntegerLayer]:
    """Both layers, with the ranges of values from the rows."""
    scaled = model.scaler.transform(X)
    hidden = np.maximum(scaled @ model.weights[0] + model.biases[0], 0)
    outputs = hidden @ model.weights[1] + model.biases[1]
    first, middle, last = (Quantity.over(float(each.min()), float(each.max())) for each in (scaled, hidden, outputs))
    return [
        _layer(model.weights[0], model.biases[0], first, middle, middle.zero),
        _layer(model.weights[1], model.biases[1], middle, last, LOW),
    ]


def entered(model: Layers, inputs: Quantity, X: NDArray[np.float64]) -> NDArray[np.int64]:
    """Raw inputs in single floats, quantised."""
    factor, offset = entering(model, inputs)
    values = np.clip(X.astype(np.float32) * factor + offset, LOW, HIGH)
    return np.floor(values + np.float32(128.5)).astype(np.int64) - 128


def entering(model: Layers, inputs: Quantity) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Factor and offset of each raw input."""
    factor = 1 / (model.scaler.scale_ * inputs.scale)
    return factor.astype(np.float32), (inputs.zero - model.scaler.mean_ * factor).astype(np.float32)


def _layer(weights: NDArray, bias: NDArray, before: Quantity, after: Quantity, least: int) -> IntegerLayer:
    scale = float(np.abs(weights).max()) / HIGH
    q = np.rint(weights.T / scale).astype(np.int8)
    mantissa, exponent = np.frexp(before.scale * scale / after.scale)
    multiplier = round(float(mantissa) * 2**31)
    if multiplier == 2**31:
        multiplier, exponent = 2**30, exponent + 1
    offsets = np.rint(bias / (before.scale * scale)).astype(np.int32)
    return IntegerLayer(q, offsets, multiplier, int(exponent), before, after, least)


def code(model: Layers, layers: list[IntegerLayer], classes: int) -> str:
    factor, offset = entering(model, layers[0].before)
    features, last = len(factor), layers[1]
    data = "".join(_data(i, layer) for i, layer in enumerate(layers))
    head = (
        f'{BUILT_IN}#include "arm_nnfunctions.h"\n'
        f"static const float factor[] = {array(factor)};\nstatic const float offset[] = {array(offset)};\n{data}\n"
    )
    body = f"""    int8_t q0[{features}], q1[{len(layers[0].bias)}], q2[{len(last.bias)}];
    for (int i = 0; i < {features}; ++i) {{
        float v = x[i] * factor[i] + offset[i];
        v = v > 127.0f ? 127.0f : v < -128.0f ? -128.0f : v;
        q0[i] = (int8_t)((int)(v + 128.5f) - 128);
    }}
{_call(0, layers[0])}{_call(1, last)}"""
    if not classes:
        return head + entry(f"{body}    return (q2[0] - ({last.after.zero})) * {number(last.after.scale)};\n", classes)
    if classes == 2:
        return head + entry(f"{body}    return q2[0] > {last.after.zero};\n", classes)
    return head + entry(body + first_largest("q2", classes), classes)


def _data(i: int, layer: IntegerLayer) -> str:
    weights, bias = array(layer.weights.astype(np.int64)), array(layer.bias.astype(np.int64))
    return f"static const int8_t w{i}[] = {weights};\nstatic const int32_t b{i}[] = {bias};\n"


def _call(i: int, layer: IntegerLayer) -> str:
    outputs, inputs = layer.weights.shape
    return f"""    {{
        const cmsis_nn_context context = {{0, 0}};
        const cmsis_nn_fc_params options = {{{-layer.before.zero}, 0, {layer.after.zero}, {{{layer.least}, {HIGH}}}}};
        const cmsis_nn_per_tensor_quant_params quant = {{{layer.multiplier}, {layer.shift}}};
        const cmsis_nn_dims in = {{1, 1, 1, {inputs}}}, filter = {{{inputs}, 1, 1, {outputs}}};
        const cmsis_nn_dims out = {{1, 1, 1, {outputs}}};
        arm_fully_connected_s8(&context, &options, &quant, &in, q{i}, &filter, w{i}, &out, b{i}, &out, q{i + 1});
    }}
"""
