"""The number formats of weights, one row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray
from neuraltree.compress.weights.clusters import clusters
from neuraltree.compress.weights.half_floats import bf16, fp16
from neuraltree.compress.weights.snapping import NO_SNAPS, Snap, Snaps, binary, least_error, ternary


class WeightFormat(NamedTuple):
    """``bits``: of one weight. One of three ways to round, the others None: ``snap`` to integers times a scale per
    parent node, ``cast`` to another float, or all weights of a tree ``shared`` among this many values of 32 bits."""

    bits: int
    snap: Snap | None = None
    cast: Callable[[ArrayLike], FloatArray] | None = None
    shared: int = 0


def _integers(bits: int) -> WeightFormat:
    """Integers of both signs and 0, as many to either side."""
    shares = {"shares": np.ones(1)} if bits == 8 else {}  # 8 bits lose nothing worth a search, and equal int8 code
    return WeightFormat(bits, least_error(np.arange(2 ** (bits - 1)), **shares))


POWERS = np.concatenate([[0], 2 ** np.arange(6)])  # 0 and 1..32: sums of a hundred of the largest fit into 8-bit code

WEIGHT_FORMATS: dict[str, WeightFormat] = {
    "fp16": WeightFormat(16, cast=fp16),
    "bf16": WeightFormat(16, cast=bf16),
    "int8": _integers(8),
    "int6": _integers(6),
    "int4": _integers(4),
    "int3": _integers(3),
    "ternary": WeightFormat(2, ternary),
    "binary": WeightFormat(1, binary),
    "power_of_two": WeightFormat(4, least_error(POWERS)),
    **{f"shared{bits}": WeightFormat(bits, shared=2**bits) for bits in (2, 3, 4, 5)},
}


def weight_format(name: str) -> WeightFormat:
    """The row of this name; ``ValueError`` names the formats that there are."""
    if name not in WEIGHT_FORMATS:
        raise ValueError(f"unknown format of weights {name!r}; allowed: {', '.join(WEIGHT_FORMATS)}")
    return WEIGHT_FORMATS[name]


def quantized_weights(weights: ArrayLike, name: str) -> FloatArray:
    """The values (edges,) that stand for the ``weights`` of the edges into one node in the format of this name.

    ``ValueError`` for an unknown format, for weights that are no finite numbers, or too large for the format.
    """
    row, weights = weight_format(name), np.asarray(weights, dtype=np.float64)
    if weights.ndim != 1 or not np.isfinite(weights).all():
        raise ValueError(f"weights must be a row of finite numbers; got the shape {weights.shape}")
    if not len(weights):
        return weights
    if row.cast is not None:
        return row.cast(weights)
    if row.snap is not None:
        integers, scale = row.snap(weights, np.zeros(1, dtype=np.int64))
        return integers * scale[0]
    values, places = clusters(weights, row.shared)
    return values[places]


def code_snaps(name: str) -> Snaps:
    """What 8-bit code makes of weights in the format of this name: edges into outputs, which are few and matter most,
    keep 8 bits. ``ValueError`` for a format that is none of integers."""
    row = weight_format(name)
    if row.snap is None:
        allowed = ", ".join(other for other, found in WEIGHT_FORMATS.items() if found.snap)
        raise ValueError(f"weights in {name} are no integers; allowed: {allowed}")
    return NO_SNAPS if name == "int8" else Snaps(row.snap, WEIGHT_FORMATS["int8"].snap)
