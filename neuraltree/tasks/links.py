"""Links, from a classifier's outputs to probabilities and classes: for arrays, and for one row of plain numbers.

Arrays have the outputs along axis 1: (rows, outputs), or (trees, outputs, rows). A single logit z stands for the pair
(0, z).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Link(NamedTuple):
    """Probabilities from one output per class: ``rows`` for arrays, along axis 1; ``row`` for one row of numbers."""

    rows: Callable[[FloatArray], FloatArray]
    row: Callable[[Sequence[float]], tuple[float, ...]]


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _softmax_row(logits: Sequence[float]) -> tuple[float, ...]:
    largest = max(logits)
    powers = [math.exp(logit - largest) for logit in logits]
    total = sum(powers)
    return tuple(power / total for power in powers)


def _normalise(shares: FloatArray) -> FloatArray:
    total = shares.sum(axis=1, keepdims=True)
    even = np.full_like(shares, 1 / shares.shape[1])
    return np.divide(shares, total, out=even, where=total > 0)


def _normalise_row(shares: Sequence[float]) -> tuple[float, ...]:
    total = sum(shares)
    return tuple(share / total if total > 0 else 1 / len(shares) for share in shares)


# By name of the output activation.
LINKS: dict[str, Link] = {
    "identity": Link(_softmax, _softmax_row),
    "sigmoid": Link(_normalise, _normalise_row),
}


def class_outputs(outputs: FloatArray) -> FloatArray:
    """One output per class along axis 1."""
    return outputs if outputs.shape[1] > 1 else np.concatenate([np.zeros_like(outputs), outputs], axis=1)


def probabilities(output_activation: str, outputs: FloatArray) -> FloatArray:
    """One probability per class along axis 1."""
    with np.errstate(invalid="ignore", under="ignore"):  # infinite logits: their probabilities are NaN
        return LINKS[output_activation].rows(class_outputs(outputs))


def logit_threshold(threshold: float) -> float:
    """The logit of a probability, as a single float: 0 for 0.5.

    A binary model predicts its second class if its logit is above this number. It is rounded to a single float because
    exported code has no other numbers, and must make the same decisions.
    """
    return float(np.float32(math.log(threshold / (1 - threshold))))


def class_codes(outputs: NDArray, threshold: float = 0.0) -> NDArray[np.intp]:
    """The positions of the largest outputs along axis 1: the first of equal ones, and NaN counts as the largest.

    A single output is the second class if it is above ``threshold``, which is in the unit of the output.
    """
    if outputs.shape[1] > 1:
        return outputs.argmax(axis=1)
    return (~(outputs[:, 0] <= threshold)).astype(np.intp)


def largest(values: Sequence[float]) -> int:
    """The position of the first largest value, or of the first NaN, as ``np.argmax`` finds it, for plain numbers."""
    best = 0
    for i, value in enumerate(values):
        if value != value:
            return i
        if value > values[best]:
            best = i
    return best
