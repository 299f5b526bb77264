"""Bytes as 8-bit code reads them if all inputs have one range, as pixels do: q = x - 128, without any conversion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations.kind import HIGHEST as UNIT
from neuraltree.compress.input_types import Source
from neuraltree.tree.nodes import IntArray

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

ZERO = 128  # the byte that becomes 0
LEAST, MOST = -ZERO, UNIT  # of q
# With fewer inputs their conversions are short, and devices have figures for them.
LEAST_INPUTS = 100
# Ranges that differ by less, as shares of the largest, are one range. One that is smaller than a quarter of all bytes
# keeps a conversion: its steps would be too coarse for the sums of hidden nodes.
ALIKE, LEAST_REACH = 0.01, UNIT / 2


@dataclass(frozen=True, eq=False)
class ByteStage:
    """Converts raw bytes to int8: q = x - 128, exactly. ``features`` (used,): the inputs that are read."""

    features: IntArray

    @property
    def low(self) -> IntArray:
        return np.zeros(len(self.features), dtype=np.int64)

    @property
    def high(self) -> IntArray:
        return self.low + ZERO + MOST

    def __call__(self, X: ArrayLike) -> NDArray[np.int8]:
        """(rows, used) for raw bytes (rows, features)."""
        return (np.asarray(X)[:, self.features].astype(np.int64) - ZERO).astype(np.int8)


def takes_bytes(sources: Sequence[Source], reach: NDArray[np.float64]) -> bool:
    """Whether inputs from these sources, whose 8-bit ranges are ``reach`` (features,) in their units, need no
    conversion: they are many bytes of one range."""
    if len(sources) < LEAST_INPUTS or {(source.low, source.high) for source in sources} != {(0, ZERO + MOST)}:
        return False
    return bool(np.ptp(reach) <= ALIKE * reach.max() and reach.min() >= LEAST_REACH)


def as_bytes(tree: Tree) -> Tree:
    """The same function, of inputs whose 8-bit range is all bytes; the tree has a scaler in their units."""
    scaler = tree.scaler
    assert scaler is not None
    return replace(tree, input_middle=(ZERO - scaler.mean) / scaler.scale, input_range=UNIT / scaler.scale)
