"""How table code stores the weights of single-float trees: whole, or as floats of two bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neuraltree.compress.weights.half_floats import bf16, fp16
from neuraltree.export.c.parts import literal


class Stored(NamedTuple):
    """``text``: a weight in the C table. ``read``: the C expression of the next weight. ``function``: the C function
    that it calls. ``apart``: whether the subtrahends of inputs, which need all digits, stand beside the biases."""

    c_type: str
    text: Callable[[float], str]
    read: str
    function: str = ""
    apart: bool = True


def _fp16_bits(weight: float) -> str:
    return str(int(fp16([weight]).astype(np.float16).view(np.uint16)[0]))


def _bf16_bits(weight: float) -> str:
    return str(int(bf16([weight]).astype(np.float32).view(np.uint32)[0] >> 16))


HALF = "nt_half(NT_READ(word, uint16_t, weight++))"
# Subnormal numbers are multiplied as single floats: no core flushes what is not subnormal there.
FP16 = """/* A float of 16 bits, 5 of them exponent. */
NT_CALL float nt_half(uint16_t bits)
{
    union { uint32_t bits; float value; } wide;
    const uint16_t size = bits & 0x7FFFu;
    if (size < 0x400u) {
        const float value = (float)size * 5.9604645e-8f;
        return (bits & 0x8000u) != 0 ? -value : value;
    }
    wide.bits = (uint32_t)(bits & 0x8000u) << 16 | (((uint32_t)size << 13) + 0x38000000u);
    return wide.value;
}
"""
BF16 = """/* The upper half of a single float. */
NT_CALL float nt_half(uint16_t bits)
{
    union { uint32_t bits; float value; } wide;
    wide.bits = (uint32_t)bits << 16;
    return wide.value;
}
"""
STORED = {
    "float32": Stored("float", literal, "NT_READ(float, float, weight++)", apart=False),
    "fp16": Stored("uint16_t", _fp16_bits, HALF, FP16),
    "bf16": Stored("uint16_t", _bf16_bits, HALF, BF16),
}
