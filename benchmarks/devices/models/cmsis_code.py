"""Perceptrons on CMSIS-NN's ``arm_fully_connected_s8``, from the sources in the package bakenn."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import numpy as np

from benchmarks.devices.device_tasks import Task
from benchmarks.devices.models.candidates import COUNTS, Candidate, array, entry, first_largest, number
from benchmarks.devices.models.cmsis_numbers import HIGH, Entry, IntegerLayer, integers, of_counts, of_floats
from benchmarks.devices.models.scaled_models import Layers, answered

FAMILY = "MLP, int8 (CMSIS-NN)"
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
ENTRIES = {
    np.float32: """        float v = x[i] * factor[i] + offset[i];
        v = v > 127.0f ? 127.0f : v < -128.0f ? -128.0f : v;
        q0[i] = (int8_t)((int)(v + 128.5f) - 128);
""",
    np.int16: """        int32_t v = (x[i] * factor[i] + offset[i]) >> @SHIFT@;
        q0[i] = (int8_t)(v > 127 ? 127 : v < -128 ? -128 : v);
""",
}


@cache
def kernels() -> dict[str, str]:
    """The texts by file name, without the line that asks for <math.h>, of which these kernels use nothing."""
    vendor = files("bakenn.backend.cmsis_nn.vendor")
    texts = {name.rsplit("/", 1)[1]: vendor.joinpath(name).read_text() for name in (*HEADERS, *SOURCES)}
    return {name: BUILT_IN + text.replace("#include <math.h>", "") for name, text in texts.items()}


def network(task: Task, name: str, model: Layers, hope: float) -> Iterator[Candidate]:
    """For inputs that are floats, then for counts."""
    layers = integers(model, task.X)
    first, last = layers[0].before, layers[-1].after
    for dtype, enter in ((np.float32, of_floats(model, first)), (np.int16, of_counts(model, first, task))):
        q = enter.apply(task.given(task.test_X, dtype))
        for layer in layers:
            q = layer.apply(q)
        answers = answered((q - last.zero) * last.scale, task.classes)
        yield Candidate(FAMILY, name, hope, answers, {**kernels(), "net.c": _code(enter, layers, task.classes)}, dtype)


def _code(enter: Entry, layers: list[IntegerLayer], classes: int) -> str:
    first, last = layers
    features = len(enter.factor)
    kinds = ("float", "float") if enter.factor.dtype == np.float32 else ("int16_t", "int32_t")
    head = (
        f'{BUILT_IN}#include "arm_nnfunctions.h"\nstatic const {kinds[0]} factor[] = {array(enter.factor)};\n'
        f"static const {kinds[1]} offset[] = {array(enter.offset)};\n{_data(0, first)}{_data(1, last)}\n"
    )
    entering = ENTRIES[np.float32 if kinds[0] == "float" else np.int16].replace("@SHIFT@", str(enter.shift))
    body = (
        f"    int8_t q0[{features}], q1[{len(first.bias)}], q2[{len(last.bias)}];\n"
        f"    for (int i = 0; i < {features}; ++i) {{\n{entering}    }}\n{_call(0, first)}{_call(1, last)}"
    )
    end = f"    return (float)(q2[0] - ({last.after.zero})) * {number(last.after.scale)};\n"
    if classes:
        end = f"    return q2[0] > {last.after.zero};\n" if classes == 2 else first_largest("q2", classes)
    return head + entry(body + end, classes, "const float *x" if kinds[0] == "float" else COUNTS)


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
