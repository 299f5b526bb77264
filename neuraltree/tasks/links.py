"""From the outputs of a classifier, one per class, to probabilities: for arrays of rows and for one row of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Link(NamedTuple):
    """``rows``: (rows, classes) to (rows, classes). ``row``: the same for one row, without NumPy."""

    rows: Callable[[Array], Array]
    row: Callable[[Sequence[float]], tuple[float, ...]]


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _softmax_row(logits: Sequence[float]) -> tuple[float, ...]:
    largest = max(logits)
    powers = [math.exp(logit - largest) for logit in logits]
    total = sum(powers)
    return tuple(power / total for power in powers)


def _normalise(shares: Array) -> Array:
    total = shares.sum(axis=1, keepdims=True)
    even = np.full_like(shares, 1 / shares.shape[1])
    return np.divide(shares, total, out=even, where=total > 0)


def _normalise_row(shares: Sequence[float]) -> tuple[float, ...]:
    total = sum(shares)
    return tuple(share / total if total > 0 else 1 / len(shares) for share in shares)


# By output activation.
LINKS: dict[str, Link] = {
    "identity": Link(_softmax, _softmax_row),
    "sigmoid": Link(_normalise, _normalise_row),
}


def largest(values: Sequence[float]) -> int:
    """The position of the first of the largest, or of the first NaN: ``np.argmax`` of plain numbers."""
    best = 0
    for i, value in enumerate(values):
        if value != value:
            return i
        if value > values[best]:
            best = i
    return best
