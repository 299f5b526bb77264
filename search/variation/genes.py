"""Genes: numbers of a tree that are not in its nodes. Children inherit them, and checkpoints keep them as columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray

# The rates at which a tree's edge weights shrink in training, if they do: see ``KernelLowering.train``.
SHRINKING = ("l1", "group_l1")
FORMAT = "format"  # the place of a tree's number format among those of the run
HOP = "hop"  # the place of how often a model decides among the hops of the run
CHOICES = (FORMAT, HOP)
NAMES = (*SHRINKING, *CHOICES)
Genes = Mapping[str, FloatArray]  # (trees,) by name
NO_GENES: Genes = MappingProxyType({})


class Gene(NamedTuple):
    """``stream``: what is added to those of a generation for its random numbers.

    ``first``: (trees,) the values of so many new trees. ``children``: (children,) those of children of trees with the
    values given, by the places of their parents (children, 2); a child of one parent names it twice.
    """

    name: str
    stream: tuple[int, ...]
    first: Callable[[np.random.Generator, int], FloatArray]
    children: Callable[[np.random.Generator, FloatArray, NDArray[np.int64]], FloatArray]


def first_genes(genes: Sequence[Gene], seed: int, count: int) -> Genes:
    """The genes of the trees of the first population."""
    return {gene.name: gene.first(np.random.default_rng((seed, 0, *gene.stream)), count) for gene in genes}


def child_genes(genes: Sequence[Gene], seed: int, generation: int, columns: Genes, parents: NDArray[np.int64]) -> Genes:
    """The genes of the children of a generation; ``columns``: those of the population."""
    return {
        gene.name: gene.children(np.random.default_rng((seed, generation, *gene.stream)), columns[gene.name], parents)
        for gene in genes
    }


def genes_of(columns: Mapping[str, FloatArray]) -> Genes:
    """The genes among columns of members."""
    return {name: columns[name] for name in NAMES if name in columns}


def rates_of(genes: Genes) -> Genes:
    """The rates of ``SHRINKING`` that there are."""
    return {name: genes[name] for name in SHRINKING if name in genes}


def joined(first: Genes, second: Genes) -> Genes:
    """The genes of trees and of others after them."""
    return {name: np.concatenate([values, second[name]]) for name, values in first.items()}
