"""Integer inputs worked out the plain way, from the specification alone: 8-bit ranges, and each integer's q."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from neuraltree.tree.scaler import Scaler
from tests.helpers.integer_oracle import DEFAULT_RANGE, UNIT, Bytes, IntegerOracle, Snap

TYPES = {"int16": (-(2**15), 2**15 - 1), "uint8": (0, 255)}


def factor(reach: Fraction) -> tuple[int, int]:
    """The largest multiplier of 8 bits, and its shift, that keep ``reach`` within 127: the ratio is rounded down."""
    for shift in range(30, 0, -1):
        multiplier = math.floor(UNIT * 2**shift / reach + Fraction(1, 10**9))
        if multiplier < 256:
            return multiplier, shift
    return 255, 1  # a range below one integer


class IntegerInputOracle(IntegerOracle):
    """A tree whose inputs are ``types``: for each "float32" or a type and a scale, as ("int16", 100.0)."""

    def __init__(self, tree: Any, types: list[tuple[str, float]], fine: bool = False) -> None:
        self.types, count = types, len(types)
        scaler = tree.scaler or Scaler(np.zeros(count), np.ones(count))
        scales = np.array([scale for _, scale in types])
        scaler = Scaler(scaler.mean * scales, scaler.scale * scales)
        ranges = np.full(count, DEFAULT_RANGE) if tree.input_range is None else tree.input_range.copy()
        for i, (kind, _) in enumerate(types):
            if kind != "float32":
                multiplier, shift = factor(Fraction(float(ranges[i] * scaler.scale[i])))
                ranges[i] = UNIT * 2**shift / multiplier / scaler.scale[i]
        super().__init__(replace(tree, scaler=scaler, input_range=ranges, columns=None), fine)

    def quantize(self, x: Any) -> list[int]:
        floats = super().quantize([float(value) for value in x])
        return [
            floats[place] if self.types[i][0] == "float32" else self._of_integer(i, int(x[i]))
            for place, i in enumerate(self.used)
        ]

    def _of_integer(self, i: int, x: int) -> int:
        scaler = self.tree.scaler
        mean = float(scaler.mean[i]) + self.middle[i] * float(scaler.scale[i])
        multiplier, shift = factor(Fraction(float(self.tree.input_range[i] * scaler.scale[i])))
        offset = round(2 ** (shift - 1) - mean * multiplier)
        for part in (x * multiplier, x * multiplier + offset, offset):
            assert -(2**31) <= part < 2**31, "the conversion needs more than 32 bits"
        return min(max((x * multiplier + offset) >> shift, -UNIT), UNIT)


class ByteOracle(IntegerOracle):
    """A tree that reads bytes as they are: each stands for itself less 128. ``scale``: bytes in a unit of an input."""

    def __init__(
        self, tree: Any, scale: float = 1.0, fine: bool = False, snaps: tuple[Snap, Snap] | None = None
    ) -> None:
        mean, step = tree.scaler.mean * scale, tree.scaler.scale * scale
        adapted = replace(
            tree, scaler=Scaler(mean, step), input_middle=(128 - mean) / step, input_range=127 / step, columns=None
        )
        middle = np.zeros(len(step)) if tree.input_middle is None else tree.input_middle
        super().__init__(adapted, fine, snaps, Bytes(-128, dict(enumerate(middle - (128 - mean) / step))))

    def quantize(self, x: Any) -> list[int]:
        return [int(x[i]) - 128 for i in self.used]
