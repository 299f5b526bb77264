"""Choices among a few as genes: the number format of the weights, and how often a model of recordings decides.

A child has the choice of one of its parents, or now and then any.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from search.variation.genes import FORMAT, HOP, Gene

STREAMS = {FORMAT: (2**31 + 6,), HOP: (2**31 + 7,)}
CHANGED = 0.1  # the share of the children whose choice is drawn anew


def choice_gene(name: str, count: int) -> Gene:
    """Of a run with so many choices; their places are its values."""

    def first(rng: np.random.Generator, trees: int) -> FloatArray:
        return rng.integers(count, size=trees).astype(np.float64)

    def children(rng: np.random.Generator, own: FloatArray, parents: NDArray[np.int64]) -> FloatArray:
        heir = rng.integers(2, size=len(parents))
        inherited = own[parents[np.arange(len(parents)), heir]]
        return np.where(rng.random(len(parents)) < CHANGED, first(rng, len(parents)), inherited)

    return Gene(name, STREAMS[name], first, children)
