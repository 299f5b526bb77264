"""Perceptrons in 8-bit integers as TensorFlow Lite has them: one scale for each layer's weights and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.devices.device_tasks import Task
from benchmarks.devices.models.scaled_models import Layers

LOW, HIGH = -128, 127


@dataclass(frozen=True)
class Quantity:
    """value = scale × (q - zero), for q from -128 to 127."""

    scale: float
    zero: int

    @classmethod
    def over(cls, values: NDArray[np.float64]) -> Quantity:
        """Of the range of the values and 0, which is a number of it."""
        low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
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


class Entry(NamedTuple):
    """q = floor((x × ``factor`` + ``offset``) / 2^``shift``), clipped; floats are rounded, and have the shift 0."""

    factor: NDArray
    offset: NDArray
    shift: int

    def apply(self, given: NDArray) -> NDArray[np.int64]:
        if given.dtype == np.float32:
            values = np.clip(given * self.factor + self.offset, LOW, HIGH)
            return np.floor(values + np.float32(128.5)).astype(np.int64) - 128
        return np.clip((given.astype(np.int64) * self.factor + self.offset) >> self.shift, LOW, HIGH)


def integers(model: Layers, X: NDArray[np.float64]) -> list[IntegerLayer]:
    """Both layers, with the ranges of values from the rows."""
    scaled = model.scaler.transform(X)
    hidden = np.maximum(scaled @ model.weights[0] + model.biases[0], 0)
    first, middle, last = map(Quantity.over, (scaled, hidden, hidden @ model.weights[1] + model.biases[1]))
    return [
        _layer(model.weights[0], model.biases[0], first, middle, middle.zero),
        _layer(model.weights[1], model.biases[1], middle, last, LOW),
    ]


def _layer(weights: NDArray, bias: NDArray, before: Quantity, after: Quantity, least: int) -> IntegerLayer:
    scale = float(np.abs(weights).max()) / HIGH
    q = np.rint(weights.T / scale).astype(np.int8)
    mantissa, exponent = np.frexp(before.scale * scale / after.scale)
    multiplier = min(round(float(mantissa) * 2**31), 2**31 - 1)
    offsets = np.rint(bias / (before.scale * scale)).astype(np.int32)
    return IntegerLayer(q, offsets, multiplier, int(exponent), before, after, least)


def of_floats(model: Layers, inputs: Quantity) -> Entry:
    factor = 1 / (model.scaler.scale_ * inputs.scale)
    offset = inputs.zero - model.scaler.mean_ * factor
    return Entry(factor.astype(np.float32), offset.astype(np.float32), 0)


def of_counts(model: Layers, inputs: Quantity, task: Task) -> Entry:
    """16-bit factors and 32-bit products."""
    factor = 1 / (model.scaler.scale_ * inputs.scale)
    offset, factor = inputs.zero - model.scaler.mean_ * factor + 0.5, factor / task.scale
    most = min(32767 / np.abs(factor).max(), 2.0**30 / max(np.abs(offset).max(), 1e-30))
    shift = int(np.clip(np.floor(np.log2(most)), 0, 30))
    unit = 2.0**shift
    return Entry(np.rint(factor * unit).astype(np.int64), np.rint(offset * unit).astype(np.int64), shift)
