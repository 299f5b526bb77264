"""Linear models as the plain C that one would write by hand: a loop over weights, or a sum in one expression."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from benchmarks.devices.device_tasks import Task, promised
from benchmarks.devices.models.candidates import COUNTS, STDINT, Candidate, array, entry, first_largest, number
from benchmarks.devices.models.scaled_models import Layers, answered, answering, linear

FAMILY = "linear (plain C)"
PENALTIES = (0.1, 0.02, 0.002)
ROOM = 2.0**30  # for a sum of integers


class Sums(NamedTuple):
    """Weights (inputs, outputs) and biases for the inputs as they are given, ``unit`` times those of the model."""

    weights: NDArray
    bias: NDArray
    unit: float
    classes: int
    types: tuple[str, str]  # of inputs and weights, and of sums

    @property
    def used(self) -> NDArray[np.int64]:
        return np.flatnonzero(self.weights.any(axis=1))

    def answer(self, given: NDArray) -> NDArray:
        return answered((given.astype(np.float64) @ self.weights + self.bias) / self.unit, self.classes)


def linear_models(task: Task) -> Iterator[Candidate]:
    """Of growing numbers of inputs, which are floats or counts; each as a loop and as sums."""
    for penalty in PENALTIES:
        fit = linear(penalty, task.classes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model, hope = fit(task.X, task.y), promised(task, answering(fit), "linear", penalty)
        for dtype, sums in ((np.float32, _floats(model)), (np.int16, _integers(model, task))):
            for style, code in (("sum", _written_out), ("loop", _loop)) if len(sums.used) else ():
                answers = sums.answer(task.given(task.test_X, dtype))
                name = f"{len(sums.used)} inputs, {style}"
                yield Candidate(FAMILY, name, hope, answers, {"linear.c": STDINT + code(sums)}, dtype)


def _floats(model: Layers) -> Sums:
    return Sums(*model.raw(), 1.0, model.classes, ("float", "float"))


def _integers(model: Layers, task: Task) -> Sums:
    """16-bit weights, as exact as 32-bit sums and they allow."""
    weights, bias = model.raw()
    weights = weights / task.scale[:, None]
    largest = (np.abs(weights).sum(axis=0) * 2**15 + np.abs(bias)).max()
    unit = 2.0 ** np.floor(np.log2(min(ROOM / max(largest, 1e-30), 32767 / max(np.abs(weights).max(), 1e-30))))
    q = np.rint(weights * unit).astype(np.int64), np.rint(bias * unit).astype(np.int64)
    return Sums(*q, float(unit), model.classes, ("int16_t", "int32_t"))


def _written_out(sums: Sums) -> str:
    def sum_of(k: int) -> str:
        terms = (f" + {_factor(sums.weights[i, k])} * x[{i}]" for i in sums.used if sums.weights[i, k])
        return _factor(sums.bias[k]) + "".join(terms)

    values = ",\n        ".join(map(sum_of, range(len(sums.bias))))
    return _entry(f"    const {sums.types[1]} y[] = {{\n        {values}}};\n", sums)


def _factor(value: float) -> str:
    return f"({number(value)})"


def _loop(sums: Sums) -> str:
    kind, wide = sums.types
    count, outputs = len(sums.used), len(sums.bias)
    whole = count == len(sums.weights)
    head = "" if whole else f"static const uint8_t at[{count}] = {array(sums.used)};\n"
    head += (
        f"static const {kind} w[{outputs * count}] = {array(sums.weights[sums.used].T)};\n"
        f"static const {wide} b[{outputs}] = {array(sums.bias)};\n\n"
    )
    body = (
        f"    {wide} y[{outputs}];\n    const {kind} *v = w;\n    for (int k = 0; k < {outputs}; ++k) {{\n"
        f"        {wide} sum = b[k];\n        for (int i = 0; i < {count}; ++i) {{\n"
        f"            sum += *v++ * x[{'i' if whole else 'at[i]'}];\n        }}\n        y[k] = sum;\n    }}\n"
    )
    return head + _entry(body, sums)


def _entry(body: str, sums: Sums) -> str:
    unit = "" if sums.unit == 1 else f" * {number(1 / sums.unit)}"
    end = first_largest("y", sums.classes) if sums.classes else f"    return (float)y[0]{unit};\n"
    argument = "const float *x" if sums.types[0] == "float" else COUNTS
    return entry(body + end, sums.classes, argument)
