"""The positions of a tree's nodes and the paths of its edges in a drawing, as numbers for any drawing library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes, parents

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


BETWEEN_OUTPUTS = 1.0  # free columns between the trees of two outputs


def positions(tree: Tree | Nodes) -> FloatArray:
    """(nodes, 2): x and y of every node; the unit is the smallest distance between two nodes of a row.

    Inputs stand side by side in the row y = 0, each in its own column, in prefix order from x = 0.
    A function node stands midway between its first and its last child; its row is below the row of the
    outputs by its depth. The function makes one pass over the nodes.
    """
    nodes = tree if isinstance(tree, np.ndarray) else tree.nodes
    depth, leaf = nodes["depth"].tolist(), (nodes["op"] >= 0).tolist()
    at = np.zeros((len(nodes), 2))
    top = max(depth, default=0)
    # Backwards in prefix order all children of a node, and no other nodes of their depth, come just before it.
    first: dict[int, float] = {}
    last: dict[int, float] = {}
    column = 0.0
    for i in range(len(nodes) - 1, -1, -1):
        level = depth[i]
        if level + 1 in first:
            x = (first.pop(level + 1) + last.pop(level + 1)) / 2
        else:
            x, column = column, column - 1.0
        if level == 0:
            column -= BETWEEN_OUTPUTS
        first[level] = x
        last.setdefault(level, x)
        at[i] = x, 0 if leaf[i] else top - level
    at[:, 0] -= at[:, 0].min(initial=0.0)
    return at


def edge_paths(tree: Tree | Nodes, at: FloatArray | None = None) -> FloatArray:
    """(nodes, 3, 2): the edge of every node as a line from its parent over a bend to the node; NaN for outputs.

    An edge reaches its child's column one row below the parent and runs straight down from there, so no two
    edges cross. ``at`` is the result of ``positions``, if it is known already.
    """
    nodes = tree if isinstance(tree, np.ndarray) else tree.nodes
    at = positions(nodes) if at is None else at
    parent = parents(nodes["depth"])
    paths = np.full((len(nodes), 3, 2), np.nan)
    child = parent >= 0
    above = at[parent[child]]
    paths[child, 0] = above
    paths[child, 1] = np.column_stack([at[child, 0], above[:, 1] - 1])
    paths[child, 2] = at[child]
    return paths
