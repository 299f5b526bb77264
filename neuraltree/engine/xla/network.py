"""The structure of a forest for XLA: its nodes in turns, deepest first, in arrays of few sizes.

The nodes of a turn have one depth. All turns have room for the same number of nodes, and the number of turns is a power
of two, so the compiled programs do not depend on the shapes of trees. The rest, the last turn at least, is padding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import EngineArray
from neuraltree.engine.forest import Forest
from neuraltree.tree.nodes import IntArray, parents

LEAST_NODES, LEAST_PARAMS, LEAST_TREES, LEAST_TURNS = 256, 1024, 16, 32
# Turns that a forest of one level would take. Few long turns are quicker, but every level takes a turn at least.
TURNS = 16


class Network(NamedTuple):
    """The structure of a forest. Nodes are numbered through all turns; an index past the end means "none"."""

    place: EngineArray  # (params,) position in the flat matrix of parameters
    tree: EngineArray  # (params,) the tree of each parameter; the number of all trees for padding
    kind: EngineArray  # (turns, nodes of a turn) activation codes
    parent: EngineArray  # (turns, nodes of a turn) of an output node: the number of all nodes + that of the output
    output: EngineArray  # (trees, outputs) these numbers
    turns: EngineArray  # () turns in use, and one of padding


def power_of_two(size: int, least: int) -> int:
    """The smallest power of two that is at least ``size`` and ``least``."""
    return 1 << max(size - 1, least - 1, 0).bit_length()


def make_network(forest: Forest) -> tuple[Network, IntArray]:
    """The network of a forest, and the number in it of every node of the forest."""
    depth = forest.depth
    width = power_of_two(forest.nodes, LEAST_NODES) // TURNS
    index, used = _numbers(depth.max() - depth, width)
    nodes, outputs = power_of_two(used, LEAST_TURNS) * width, power_of_two(forest.trees, LEAST_TREES) * forest.outputs
    parent, top = index[parents(depth)], np.flatnonzero(depth == 0)
    parent[top] = nodes + np.arange(len(top))
    columns = forest.features + 2  # the inputs, the bias, the edge
    column = forest.source.astype(np.int64)
    column[column < 0] = np.tile([forest.features, forest.features + 1], forest.nodes)
    place = np.repeat(index, np.diff(forest.first_param)) * columns + column
    place[forest.first_param[top] + 1] = nodes * columns  # an output node has no edge
    sizes, params = np.diff(forest.first_tree_param), power_of_two(len(place), LEAST_PARAMS)
    network = Network(
        tree=_scattered(np.repeat(np.arange(forest.trees), sizes), np.arange(len(place)), params, outputs),
        place=_scattered(place, np.arange(len(place)), params, nodes * columns),
        kind=_scattered(forest.kind, index, nodes, 0).reshape(-1, width),
        parent=_scattered(parent, index, nodes, nodes + outputs).reshape(-1, width),
        output=np.arange(nodes, nodes + outputs, dtype=np.int32).reshape(-1, forest.outputs),
        turns=np.int32(used),
    )
    return network, index


def _numbers(level: IntArray, width: int) -> tuple[IntArray, int]:
    """The number of each node, given its level from below, and that of the turns + 1: every level begins a turn."""
    count = np.bincount(level)
    turns = -(-count // width)
    padding = (np.cumsum(turns) - turns) * width - (np.cumsum(count) - count)  # in the turns of the levels below
    order = np.argsort(level, kind="stable")
    index = np.empty(len(level), dtype=np.int64)
    index[order] = np.arange(len(level)) + padding[level[order]]
    return index, int(turns.sum()) + 1


def _scattered(numbers: IntArray, index: IntArray, size: int, padding: int) -> IntArray:
    found = np.full(size, padding, dtype=np.int32)
    found[index] = numbers
    return found
