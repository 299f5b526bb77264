"""The number format of the weights of each tree as a gene.

A child has the format of one of its parents, or now and then any of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from search.variation.genes import FORMAT, Gene

STREAM = (2**31 + 6,)
CHANGED = 0.1  # the share of the children whose format is drawn anew


def format_gene(count: int) -> Gene:
    """Of a run with so many formats; their places are its values."""

    def first(rng: np.random.Generator, trees: int) -> FloatArray:
        return rng.integers(count, size=trees).astype(np.float64)

    def children(rng: np.random.Generator, own: FloatArray, parents: NDArray[np.int64]) -> FloatArray:
        heir = rng.integers(2, size=len(parents))
        inherited = own[parents[np.arange(len(parents)), heir]]
        return np.where(rng.random(len(parents)) < CHANGED, first(rng, len(parents)), inherited)

    return Gene(FORMAT, STREAM, first, children)
