"""Picking and replacing subtrees: a subtree is a slice of the node record."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import Nodes, subtree_end

FUNCTION_SHARE = 0.9  # the probability that a point is a function node (Koza 1992, section 6.3)


def hidden(tree: Nodes) -> list[int]:
    """The function nodes below the outputs."""
    return ((tree["op"] < 0) & (tree["depth"] > 0)).nonzero()[0].tolist()


def leaves(tree: Nodes) -> list[int]:
    return (tree["op"] >= 0).nonzero()[0].tolist()


def pick(rng: np.random.Generator, items: Sequence[int]) -> int:
    # Takes a quarter of the time of rng.choice or rng.integers.
    return items[int(rng.random() * len(items))]


def point(rng: np.random.Generator, hidden: list[int], leaves: list[int]) -> int:
    """A random node from two lists, of which one may be empty; most often a function node."""
    functions = bool(hidden) and (not leaves or rng.random() < FUNCTION_SHARE)
    return pick(rng, hidden if functions else leaves)


def extents(depth: list[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For every node, the number of nodes of its subtree, itself included, and the number of levels below it."""
    sizes, heights = [0] * len(depth), [0] * len(depth)
    below_size, below_height = [0] * (max(depth) + 2), [0] * (max(depth) + 2)
    # In a backward pass over prefix order, the children of a node are the nodes one level down that were passed since
    # the last node at its own level or above.
    for i in range(len(depth) - 1, -1, -1):
        level = depth[i]
        size, height = 1 + below_size[level + 1], below_height[level + 1]
        below_size[level + 1] = below_height[level + 1] = 0
        below_size[level] += size
        below_height[level] = max(below_height[level], height + 1)
        sizes[i], heights[i] = size, height
    return np.array(sizes), np.array(heights)


def replaced(tree: Nodes, start: int, piece: Nodes) -> Nodes:
    """A copy of ``tree`` with ``piece`` in place of the subtree at ``start``."""
    depth = tree["depth"]
    return spliced(tree, start, subtree_end(depth, start), piece, int(depth[start]))


def spliced(tree: Nodes, start: int, end: int, piece: Nodes, depth: int) -> Nodes:
    """A copy of ``tree`` with ``piece``, moved to ``depth``, in place of the nodes from ``start`` to ``end``."""
    # Twice as fast as np.concatenate on structured arrays.
    child = np.empty(len(tree) - (end - start) + len(piece), tree.dtype)
    stop = start + len(piece)
    child[:start], child[start:stop], child[stop:] = tree[:start], piece, tree[end:]
    child["depth"][start:stop] += depth - int(piece["depth"][0])
    return child
