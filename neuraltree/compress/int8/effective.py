"""The trees that 8-bit code really computes: without the edges that are dead after rounding to integers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.int8.integers import DEFAULT_RANGE, quantize
from neuraltree.compress.weights.weight_formats import code_snaps
from neuraltree.tree.nodes import IntArray, Nodes


class Effective(NamedTuple):
    """Trees laid end to end without their dead edges, and the integer ``weight`` of each node's edge to its parent."""

    nodes: Nodes
    starts: IntArray
    weight: IntArray


def effective_trees(
    nodes: Nodes, starts: IntArray, input_range: NDArray[np.float64] | None = None
) -> tuple[Nodes, IntArray]:
    """Trees laid end to end without their dead edges; an output may end up without children.

    ``input_range`` (features,): see ``integers.quantize``; by default 4 standard deviations for every input.
    """
    return effective_integers(nodes, starts, input_range)[:2]


def effective_integers(
    nodes: Nodes, starts: IntArray, input_range: NDArray[np.float64] | None = None, weights: str = "int8"
) -> Effective:
    """``effective_trees`` and their integers; ``weights``: the format of the weights, see ``quantize_tree``."""
    if input_range is None:
        input_range = np.full(int(nodes["op"].max(initial=0)) + 1, DEFAULT_RANGE)
    numbers = quantize(nodes, input_range, snaps=code_snaps(weights))
    keep = numbers.keep
    kept = np.concatenate([[0], np.cumsum(keep)])
    return Effective(nodes[keep], kept[starts], numbers.weight[keep])
