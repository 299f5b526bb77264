"""The trees that 8-bit code really computes: without the edges that are dead after rounding to integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.int8.integers import DEFAULT_RANGE, quantize
from neuraltree.tree.nodes import IntArray, Nodes


def effective_trees(
    nodes: Nodes, starts: IntArray, input_range: NDArray[np.float64] | None = None
) -> tuple[Nodes, IntArray]:
    """Trees laid end to end without their dead edges; an output may end up without children.

    ``input_range`` (features,): see ``integers.quantize``; by default 4 standard deviations for every input.
    """
    if input_range is None:
        input_range = np.full(int(nodes["op"].max(initial=0)) + 1, DEFAULT_RANGE)
    keep = quantize(nodes, input_range).keep
    kept = np.concatenate([[0], np.cumsum(keep)])
    return nodes[keep], kept[starts]
