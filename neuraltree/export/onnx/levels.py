"""A tree as layers of arrays, the deepest first, for formats that compute on whole arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import IntArray, Nodes, parents


class Level(NamedTuple):
    """Function nodes of one depth, grouped by activation; outputs keep their order.

    A node's value is f(bias + Σ weight x source); a source is a position in
    [0 | the used features | the values of the level below]. Short rows are padded with the position of the constant 0,
    not with another value times 0, so that a NaN or an infinity does not reach nodes that do not read it.
    """

    source: IntArray  # (nodes, most children)
    weight: NDArray[np.float64]  # (nodes, most children)
    bias: NDArray[np.float64]  # (nodes,)
    kinds: tuple[tuple[int, int], ...]  # activation code and number of nodes, in the order of the nodes


def used_features(nodes: Nodes) -> IntArray:
    """(used,) the features that a tree reads, in order."""
    return np.unique(nodes["op"][nodes["op"] >= 0]).astype(np.int64)


def levels(nodes: Nodes) -> list[Level]:
    """The levels of a tree, the deepest first; the last level holds the outputs."""
    depth, op = nodes["depth"].astype(np.int64), nodes["op"].astype(np.int64)
    parent, used = parents(depth), used_features(nodes)
    position = np.zeros(len(nodes), dtype=np.int64)  # of a node's value among the sources of the level above
    position[op >= 0] = 1 + np.searchsorted(used, op[op >= 0])
    row = np.zeros(len(nodes), dtype=np.int64)  # of a function node within its level
    found = []
    for level in range(int(depth.max()), -1, -1):
        here = np.flatnonzero((depth == level) & (op < 0))
        if not len(here):
            continue
        here = here[np.argsort(~op[here], kind="stable")]
        row[here] = np.arange(len(here))
        position[here] = 1 + len(used) + row[here]
        children = np.flatnonzero(depth == level + 1)
        # In prefix order siblings are neighbours within a depth, so each parent's children are one contiguous run.
        first = np.flatnonzero(np.diff(parent[children], prepend=-1))
        length = np.diff(first, append=len(children))
        rank = np.arange(len(children)) - np.repeat(first, length)
        at = row[parent[children]], rank
        source = np.zeros((len(here), int(length.max())), dtype=np.int64)
        weight = np.zeros(source.shape)
        source[at], weight[at] = position[children], nodes["weight"][children, 0]
        codes, counts = np.unique(~op[here], return_counts=True)
        kinds = tuple(zip(codes.tolist(), counts.tolist(), strict=True))
        found.append(Level(source, weight, nodes["bias"][here, 0], kinds))
    return found
