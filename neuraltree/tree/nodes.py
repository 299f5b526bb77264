"""The node record: a tree is one flat structured array in prefix order.

``depth`` is 0 for an output node and one more for each edge from it, so prefix
order and depth together determine the shape: no child table is needed and a
subtree is a contiguous slice. ``op`` >= 0 is a leaf that reads feature ``op``;
``op`` < 0 is a function node whose activation code is ``~op``. ``weight`` belongs
to the edge to the parent (unused at depth 0) and ``bias`` to a function node;
both hold one value per fold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALL = 150  # nodes up to which plain Python finds parents faster than NumPy
Nodes = np.ndarray  # structured, dtype node_dtype(folds), shape (nodes,)
IntArray = NDArray[np.integer]


def node_dtype(folds: int = 1) -> np.dtype:
    """The record of one node, with weights and biases for ``folds`` folds."""
    return np.dtype(
        [("depth", np.int16), ("op", np.int32), ("weight", np.float64, (folds,)), ("bias", np.float64, (folds,))]
    )


def is_leaf(nodes: Nodes) -> NDArray[np.bool_]:
    return nodes["op"] >= 0


def count_weights(nodes: Nodes) -> int:
    """Trainable scalars of one fold: an edge weight per node below the outputs, a bias per function node."""
    return int(np.count_nonzero(nodes["depth"] > 0) + np.count_nonzero(nodes["op"] < 0))


def subtree_end(depth: IntArray, start: int) -> int:
    """One past the last node of the subtree that begins at ``start``."""
    ended = depth[start + 1 :] <= depth[start]
    first = int(ended.argmax()) if len(ended) else 0
    return start + 1 + first if len(ended) and ended[first] else len(depth)


def parents(depth: IntArray) -> IntArray:
    """The parent of every node (-1 for outputs), for one tree or several laid end to end."""
    if len(depth) < SMALL:  # arrays would take longer: variation asks for one tree at a time
        last = [-1] * (len(depth) + 1)
        found = []
        for i, level in enumerate(depth.tolist()):
            found.append(last[level - 1] if level else -1)
            last[level] = i
        return np.array(found, dtype=np.int64)
    parent = np.full(len(depth), -1, dtype=np.int64)
    above = np.flatnonzero(depth == 0)
    for level in range(1, int(depth.max(initial=0)) + 1):
        here = np.flatnonzero(depth == level)
        # In prefix order the parent is the nearest earlier node one level up.
        parent[here] = above[np.searchsorted(above, here) - 1]
        above = here
    return parent


def arities(depth: IntArray) -> IntArray:
    """The number of children of every node."""
    parent = parents(depth)
    return np.bincount(parent[parent >= 0], minlength=len(depth))


def one_set(nodes: Nodes, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> Nodes:
    """The nodes with one set of weights and biases, each (nodes,)."""
    single = np.zeros(len(nodes), dtype=node_dtype(1))
    single["depth"], single["op"] = nodes["depth"], nodes["op"]
    single["weight"][:, 0], single["bias"][:, 0] = weight, bias
    return single


def join(trees: list[Nodes]) -> tuple[Nodes, IntArray]:
    """Several trees laid end to end, and the start of each (trees + 1,), with the end of the last one added."""
    starts = np.concatenate([[0], np.cumsum([len(nodes) for nodes in trees])]).astype(np.int64)
    # np.concatenate compares structured types array by array; bytes join ten times faster.
    content = bytearray().join(nodes.tobytes() for nodes in trees)
    return np.frombuffer(content, dtype=trees[0].dtype), starts
