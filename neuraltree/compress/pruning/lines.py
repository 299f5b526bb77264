"""Hidden nodes replaced by straight lines: their children move up, and inputs that are then read twice are merged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.edge_slopes import Passed
from neuraltree.compress.reduction.splicing import splice
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.simplify import simplify


def line_loss(found: Passed) -> FloatArray:
    """(nodes,) what the loss rises by if a hidden node is its line; infinite for others."""
    slope, intercept = found.lines
    scores = np.full(len(found.nodes), np.inf)
    for i in np.flatnonzero((found.nodes["op"] < 0) & (found.nodes["depth"] > 0)).tolist():
        scores[i] = found.rise_with(i, slope[i] * found.sums[i] + intercept[i])
    return scores


def straightened(nodes: Nodes, chosen: NDArray[np.bool_], lines: FloatArray) -> Nodes:
    """The tree with the ``chosen`` hidden nodes (nodes,) as ``lines`` (2, nodes, folds), simplified."""
    return simplify(splice(nodes, chosen, *lines))


def straightened_to(nodes: Nodes, scores: FloatArray, size: int, lines: FloatArray) -> Nodes:
    """The tree with as few hidden nodes of the lowest ``scores`` (nodes,) as lines as leave at most ``size`` nodes; if
    there are not enough, with all of finite score."""
    found, chosen = nodes, np.zeros(len(nodes), dtype=bool)
    order = np.argsort(scores, kind="stable")
    for i in order[np.isfinite(scores[order])].tolist():
        if len(found) <= size:
            break
        chosen[i] = True
        found = straightened(nodes, chosen, lines)
    return found
