"""Which leaf edges a tree has: a random start, the weakest dropped, absent ones with the largest gain inserted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.growth.skeleton import Mask

Array = NDArray[np.floating]


def random_mask(possible: Mask, count: int, rng: np.random.Generator) -> Mask:
    """``count`` of the possible leaves, as equally over the rows that may have any as can be."""
    rows = np.flatnonzero(possible.any(axis=1))
    share = np.full(len(rows), count // len(rows))
    share[: count % len(rows)] += 1
    mask = np.zeros_like(possible)
    for row, leaves in zip(rows, share, strict=True):
        columns = np.flatnonzero(possible[row])
        mask[row, rng.choice(columns, min(leaves, len(columns)), replace=False)] = True
    return insert(mask, possible, rng.random(possible.shape), count - int(mask.sum()))


def drop(mask: Mask, strength: Array, count: int) -> Mask:
    """The mask without the ``count`` weakest leaves; the strongest leaf of a row stays, as a node needs a child."""
    safe = np.where(mask, strength, -np.inf)
    rows = np.flatnonzero(mask.any(axis=1))
    safe[rows, safe[rows].argmax(axis=1)] = np.inf
    return mask & ~_first(np.where(mask, -safe, -np.inf), count)


def insert(mask: Mask, possible: Mask, gain: Array, count: int) -> Mask:
    """The mask plus the ``count`` absent possible leaves with the largest ``gain``."""
    return mask | _first(np.where(possible & ~mask, gain, -np.inf), count)


def _first(values: Array, count: int) -> Mask:
    """A mask of the ``count`` largest values."""
    chosen = np.zeros(values.size, bool)
    if count > 0:
        chosen[np.argpartition(values.ravel(), values.size - count)[values.size - count :]] = True
    return chosen.reshape(values.shape)
