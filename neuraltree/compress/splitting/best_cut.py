"""Which integers a sensor node sends so that a gateway, with inputs of its own, can finish an 8-bit tree: the fewest
bytes.

The node can send an input in 8 bits, the value of a hidden node that reads its inputs alone, or the part of a sum that
comes from these. Sent are those on a cut of the graph from inputs to sums that cannot be finished on the node; the
cheapest is a minimum vertex cut, which a maximum flow finds (Ford and Fulkerson 1956). Of several, the one that leaves
most to the node.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.tree.nodes import parents

ENDLESS = 10**6  # a capacity that no cut has


class Sent(NamedTuple):
    """One number of a message: of an input (``place``: the feature), of a hidden node, or of a part of a node's sum
    (``place``: the node). ``size_bytes``: as a signed integer."""

    what: Literal["input", "value", "sum"]
    place: int
    size_bytes: int


class Graph(NamedTuple):
    """``vertices``: what can be sent. ``edges``: pairs of vertices of which the second is made of the first; ``first``
    are the inputs, and ``last`` what the gateway needs."""

    vertices: list[Sent]
    edges: list[tuple[int, int]]
    first: list[int]
    last: list[int]


def own_side(tree: IntegerTree, features: Collection[int]) -> NDArray[np.bool_]:
    """(nodes,) whether a node below the outputs reads only these inputs, so that it can be finished on their side."""
    op, parent = tree.nodes["op"], parents(tree.nodes["depth"])
    other = np.zeros(len(op), dtype=bool)
    for i in range(len(op) - 1, -1, -1):
        other[i] |= op[i] >= 0 and int(op[i]) not in features
        if parent[i] >= 0:
            other[parent[i]] |= other[i]
    return ~other & (parent >= 0)


def graph_of(tree: IntegerTree, features: Collection[int]) -> Graph:
    """What a node with these inputs can send."""
    own, op = own_side(tree, features), tree.nodes["op"].tolist()
    parent = parents(tree.nodes["depth"]).tolist()
    of_input: dict[int, int] = {}
    of_node: dict[int, int] = {}
    of_sum: dict[int, int] = {}
    vertices: list[Sent] = []
    edges = []
    mine: list[int] = np.flatnonzero(own).tolist()
    for i in mine:  # a parent comes before its children
        up = parent[i]
        if not own[up] and up not in of_sum:
            of_sum[up] = len(vertices)
            vertices.append(Sent("sum", up, _bytes_of(tree, [j for j in mine if parent[j] == up])))
        known = of_node if op[i] < 0 else of_input
        key = i if op[i] < 0 else op[i]
        if key not in known:
            known[key] = len(vertices)
            vertices.append(Sent("value" if op[i] < 0 else "input", key, 1))
        edges.append((known[key], of_node[up] if own[up] else of_sum[up]))
    return Graph(vertices, edges, list(of_input.values()), list(of_sum.values()))


def _bytes_of(tree: IntegerTree, children: list[int]) -> int:
    """The bytes of the sum of weighted children."""
    ends = np.array(
        [[tree.numbers.weight[i] * end[i] for end in (tree.numbers.low, tree.numbers.high)] for i in children]
    )
    low, high = int(ends.min(axis=1).sum()), int(ends.max(axis=1).sum())
    return next(size for size in (1, 2, 3, 4) if -(2 ** (8 * size - 1)) <= low and high < 2 ** (8 * size - 1))


def best_cut(tree: IntegerTree, features: Collection[int]) -> list[Sent]:
    """What a node with these inputs sends, in the order of the tree."""
    graph = graph_of(tree, features)
    if not graph.vertices:
        return []
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    count = len(graph.vertices)
    source, sink = 2 * count, 2 * count + 1  # a vertex v is an edge from 2 v to 2 v + 1
    rows = [(2 * v, 2 * v + 1, each.size_bytes) for v, each in enumerate(graph.vertices)]
    rows += [(2 * a + 1, 2 * b, ENDLESS) for a, b in dict.fromkeys(graph.edges)]
    rows += [(source, 2 * v, ENDLESS) for v in graph.first] + [(2 * v + 1, sink, ENDLESS) for v in graph.last]
    start, end, size = np.array(rows, dtype=np.int32).T
    capacity = csr_matrix((size, (start, end)), shape=(sink + 1, sink + 1))
    left = capacity - maximum_flow(capacity, source, sink).flow  # the flow holds backward edges as negative ones
    open_edges = left > 0
    reached = breadth_first_order(csr_matrix(open_edges.T), sink, return_predecessors=False)
    behind = np.zeros(sink + 1, dtype=bool)
    behind[reached] = True
    return [each for v, each in enumerate(graph.vertices) if behind[2 * v + 1] and not behind[2 * v]]
