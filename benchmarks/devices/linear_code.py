"""Linear models as the plain C that one would write by hand: a loop over weights, or a sum in one expression."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from benchmarks.devices.candidates import Candidate, array, entry, first_largest, number
from benchmarks.devices.device_tasks import Task, promised
from benchmarks.devices.scaled_models import answering, linear

FAMILY = "linear (plain C)"
PENALTIES = (0.2, 0.05, 0.01, 0.001)


def linear_models(task: Task) -> Iterator[Candidate]:
    """Of growing numbers of inputs; each as a loop and as sums."""
    for penalty in PENALTIES:
        fit = linear(penalty, task.classes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model, hope = fit(task.X, task.y), promised(task, answering(fit))
        weights, bias = model.raw()
        used = np.flatnonzero(weights.any(axis=1))
        if len(used) == 0:
            continue
        for style, code in (("sum", _sums), ("loop", _loop)):
            name = f"{len(used)} inputs, {style}"
            text = code(weights, bias, used, task.classes)
            yield Candidate(FAMILY, name, hope, model.answer(task.test_X), {"linear.c": text})


def _sums(weights: NDArray, bias: NDArray, used: NDArray, classes: int) -> str:
    def sum_of(k: int) -> str:
        terms = (f" + {number(weights[i, k])} * x[{i}]" for i in used if weights[i, k])
        return number(bias[k]) + "".join(terms)

    if not classes:
        return entry(f"    return {sum_of(0)};\n", classes)
    values = ",\n        ".join(map(sum_of, range(len(bias))))
    return entry(f"    const float y[] = {{\n        {values}}};\n" + first_largest("y", classes), classes)


def _loop(weights: NDArray, bias: NDArray, used: NDArray, classes: int) -> str:
    count, outputs = len(used), len(bias)
    whole = count == len(weights)
    at = "" if whole else f"static const unsigned char at[{count}] = {array(used)};\n"
    head = at + (
        f"static const float w[{outputs * count}] = {array(weights[used].T)};\n"
        f"static const float b[{outputs}] = {array(bias)};\n\n"
    )
    body = (
        f"    float y[{outputs}];\n    const float *v = w;\n    for (int k = 0; k < {outputs}; ++k) {{\n"
        f"        float sum = b[k];\n        for (int i = 0; i < {count}; ++i) {{\n"
        f"            sum += *v++ * x[{'i' if whole else 'at[i]'}];\n        }}\n        y[k] = sum;\n    }}\n"
    )
    return head + entry(body + (first_largest("y", classes) if classes else "    return y[0];\n"), classes)
