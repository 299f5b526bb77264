"""Exact simplification: the same function with fewer nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import Nodes, join, parents, subtree_end
from neuraltree.tree.prediction import PLAIN


def simplify(nodes: Nodes) -> Nodes:
    """The same function with fewer nodes: repeated inputs merged, edges of weight zero and constants dropped.

    Exact in every fold: an edge is dropped only if its weight is zero in all folds. A node that has
    lost all its children is a constant, which is added to its parent's bias.
    """
    nodes = nodes.copy()
    depth, op = nodes["depth"], nodes["op"]
    parent = parents(depth)
    keep = np.ones(len(nodes), dtype=bool)
    first: dict[tuple[int, int], int] = {}
    for i in np.flatnonzero(op >= 0).tolist():
        twin = first.setdefault((int(parent[i]), int(op[i])), i)
        if twin != i:
            nodes["weight"][twin] += nodes["weight"][i]
            keep[i] = False
    children = np.bincount(parent[keep & (parent >= 0)], minlength=len(nodes))
    dead = keep & (depth > 0) & ~nodes["weight"].any(axis=1)
    if not dead.any() and not (children[op < 0] == 0).any():
        return nodes[keep]
    # Children come after their parent, so in reverse order a node is seen after all its children are done.
    for i in range(len(nodes) - 1, -1, -1):
        if not keep[i] or depth[i] == 0:
            continue
        up = parent[i]
        constant = op[i] < 0 and children[i] == 0
        if dead[i] or constant:
            if constant and not dead[i]:
                nodes["bias"][up] += nodes["weight"][i] * np.array([*map(PLAIN[~op[i]], nodes["bias"][i].tolist())])
            if depth[up] == 0 and children[up] == 1:
                _last_leaf(nodes, keep, i)
                continue
            keep[i : subtree_end(depth, i)] = False
            children[up] -= 1
    return nodes[keep]


def _last_leaf(nodes: Nodes, keep: NDArray[np.bool_], i: int) -> None:
    """An output must keep a child: turn node ``i`` into a leaf of weight zero that reads the first input below it."""
    below = slice(i, subtree_end(nodes["depth"], i))
    ops = nodes["op"][below]
    nodes["op"][i] = ops[ops >= 0][0] if (ops >= 0).any() else 0
    nodes["weight"][i] = 0.0
    nodes["bias"][i] = 0.0
    keep[below] = False
    keep[i] = True


def simplify_all(trees: list[Nodes]) -> list[Nodes]:
    """``simplify`` each tree. Trees with nothing to simplify, found for all at once, are returned unchanged."""
    nodes, starts = join(trees)
    depth, op = nodes["depth"], nodes["op"].astype(np.int64)
    parent = parents(depth)
    leaves = np.flatnonzero(op >= 0)
    reads = parent[leaves] * (op.max(initial=0) + 1) + op[leaves]
    order = np.argsort(reads, kind="stable")
    repeated = leaves[order[1:][np.diff(reads[order]) == 0]]
    idle = np.flatnonzero((depth > 0) & ~nodes["weight"].any(axis=1))
    childless = np.flatnonzero((op < 0) & (np.bincount(parent[parent >= 0], minlength=len(nodes)) == 0))
    found = np.concatenate([repeated, idle, childless])
    marked = set((np.searchsorted(starts, found, side="right") - 1).tolist())
    return [simplify(tree) if i in marked else tree for i, tree in enumerate(trees)]
