"""Single floats to 8-bit integers, in C: a table of the conversions, and the function of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuraltree.export.c.parts import array
from neuraltree.tree.nodes import IntArray

if TYPE_CHECKING:
    from neuraltree.compress.int8.stages import InputStage


def packed(multiplier: IntArray, shift: IntArray) -> list[int]:
    """Each multiplier and its shift in 16 bits together."""
    return [int((s << 11) | (m - 2048)) for m, s in zip(multiplier.tolist(), shift.tolist(), strict=True)]


class Places(NamedTuple):
    """The positions of inputs as a table has them: ``values`` in a ``field`` of ``unit`` bits, and the C expression
    that reads the input ``*input`` of ``x`` in a loop over all."""

    values: list[int]
    field: str
    unit: int
    read: str


def places_of(features: Sequence[int]) -> Places:
    """Positions in rising order in 8 bits; if they are too large, as the gap to the one before, with 16 bits if need
    be: they would widen a row from 8 bytes to 12."""
    if max(features) < 256:
        return Places(list(features), "place", 8, "x[NT_READ(byte, uint8_t, &input->place)]")
    gaps = np.diff(features, prepend=0).tolist()
    if max(gaps) < 256:
        return Places(gaps, "gap", 8, "*(x += NT_READ(byte, uint8_t, &input->gap))")
    return Places(list(features), "place", 16, "x[NT_READ(word, uint16_t, &input->place)]")


def table_of_floats(stage: InputStage, places: Places) -> list[str]:
    """The table of the conversions of floats, and their function."""
    scales = packed(stage.multiplier, stage.shift)
    columns = (stage.zero.tolist(), scales, stage.power.tolist(), places.values)
    rows = [f"{{{zero}, {scale}, {power}, {place}}}" for zero, scale, power, place in zip(*columns, strict=True)]
    return [
        "/* Each integer: its zero, its scale, the power of 2 that multiplies its input, the input's "
        f"{TOLD[places.field]}. */",
        STRUCT.replace("@UNIT@", str(places.unit)).replace("@FIELD@", places.field),
        array("struct nt_input", "nt_inputs", rows),
        INTEGER,
    ]


STRUCT = """struct nt_input {
    int32_t zero;
    uint16_t scale;
    int8_t power;
    uint@UNIT@_t @FIELD@;
};
"""
TOLD = {"place": "position", "gap": "distance from the one before"}
# It uses no float operation: on a core without floating point one product would cost more than all of this.
INTEGER = """/* An input to -127..127: its bits are shifted to an integer, minus its zero, rescaled; NaN gives 0. */
NT_INLINE int8_t nt_integer(float value, const struct nt_input *input)
{
    union { float value; uint32_t bits; } word;
    int32_t whole, shift;
    word.value = value;
    shift = 158 - NT_READ(byte, int8_t, &input->power) - (int32_t)((word.bits >> 23) & 255u);
    if (shift > 1) {
        whole = shift < 32 ? (int32_t)(((word.bits << 8) | 0x80000000u) >> shift) : 0;
    } else if ((word.bits & 0x7fffffffu) > 0x7f800000u) {
        return 0;
    } else {
        whole = 0x40000000;
    }
    whole = ((word.bits >> 31) != 0u ? -whole : whole) - (int32_t)NT_READ(dword, int32_t, &input->zero);
    whole = nt_clamp(whole, -65535, 65535);
    return (int8_t)nt_clamp(nt_scaled(whole, NT_READ(word, uint16_t, &input->scale)), -127, 127);
}
"""
