"""Hidden nodes replaced by straight lines: their children move up, and inputs that are then read twice are merged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.edge_slopes import Passed
from neuraltree.compress.reduction.splicing import splice
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.simplify import simplify

ROUNDING = 1e-12  # of the size of a sum: a spread below is no change


def line_loss(found: Passed) -> FloatArray:
    """(nodes,) what the loss rises by if a hidden node is the line ``lines_of`` of its sum; infinite for others."""
    slope, intercept = lines_of(found)
    scores = np.full(len(found.nodes), np.inf)
    for i in np.flatnonzero((found.nodes["op"] < 0) & (found.nodes["depth"] > 0)).tolist():
        scores[i] = found.rise_with(i, slope[i] * found.sums[i] + intercept[i])
    return scores


def lines_of(found: Passed) -> FloatArray:
    """(2, nodes) slopes and intercepts of the lines with the least squared distance to a node's value over the rows,
    as functions of its sum; 0 and the mean value for a sum that never changes, but by rounding, as that of a leaf."""
    share = found.lesson.weight / found.lesson.weight.sum()
    middle = found.sums @ share
    apart = found.sums - middle[:, None]
    spread, size = np.square(apart) @ share, np.square(found.sums) @ share
    changes = spread > ROUNDING**2 * size
    slope = np.divide((apart * found.values) @ share, spread, out=np.zeros_like(spread), where=changes)
    return np.stack([slope, found.means - slope * middle])


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
