"""Cutting: a tree without its edges of the lowest scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes, arities, parents, subtree_end


def cut_to(tree: Nodes, scores: FloatArray, size: int, means: FloatArray | None = None, unit: str = "edge") -> Nodes:
    """The tree without its edges of the lowest ``scores`` (nodes,), until at most ``size`` nodes are left.

    Edges of infinite score stay, and so does the last child of an output. A hidden node that loses its last child goes
    too. ``means`` (nodes, folds): the mean value of each node, which goes into the bias of the parent when the node
    goes. If the ``unit`` is "input", all leaves of an input go together.
    """
    depth, op = tree["depth"], tree["op"]
    parent, children = parents(depth), arities(depth)
    keep: NDArray[np.bool_] = np.ones(len(tree), dtype=bool)
    cut = tree.copy()
    left = len(tree)
    order = np.argsort(scores, kind="stable")
    for i in order[np.isfinite(scores[order])].tolist():
        if left <= size:
            break
        # The other leaves of the input are next in this order, or have gone with it.
        for node in np.flatnonzero(op == op[i]).tolist() if unit == "input" else [i]:
            top = _top(node, depth, parent, children)
            if not keep[node] or top is None:
                continue
            below = slice(top, subtree_end(depth, top))
            left -= int(np.count_nonzero(keep[below]))
            keep[below] = False
            children[parent[top]] -= 1
            if means is not None:
                cut["bias"][parent[top]] += tree["weight"][top] * means[top]
    return cut[keep]


def _top(i: int, depth: NDArray, parent: NDArray, children: NDArray) -> int | None:
    """The node whose edge goes with the edge above ``i``: itself, or the highest that would have no child left.

    None if an output would lose its last child.
    """
    while depth[i] > 0 and depth[parent[i]] > 0 and children[parent[i]] == 1:
        i = int(parent[i])
    return None if depth[i] == 0 or children[parent[i]] == 1 else i
