"""A population as one forest: flat arrays that hold the structure of all trees, and their parameters in one vector.

Both lowerings (``kernel`` and ``xla``) read these arrays, so a population of any shape needs no other preparation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import IntArray, Nodes, parents

Indices = NDArray[np.int32]
NODE_COST = 6  # an activation and its slope take as long as about so many parameters


class Forest(NamedTuple):
    """The function nodes of all trees in prefix order, tree after tree; see ``kernel/kernel.h``.

    The children of node i are i + 1, i + 1 + size[i + 1], ... below i + size[i]. A node's parameters stand together:
    its bias, the weight of the edge to its parent (unused at an output), and the weights of its leaves.
    """

    features: int
    outputs: int
    first_node: Indices  # (trees + 1,)
    size: Indices  # (nodes,) function nodes in the subtree, the node itself counted
    kind: Indices  # (nodes,) activation codes
    first_param: Indices  # (nodes + 1,)
    source: Indices  # (params,) the input of a leaf; -1 for a bias or an edge

    @property
    def trees(self) -> int:
        return len(self.first_node) - 1

    @property
    def nodes(self) -> int:
        return len(self.size)

    @property
    def params(self) -> int:
        return len(self.source)

    @property
    def depth(self) -> IntArray:
        """(nodes,) the depth of each: the number of subtrees around it, those that began and have not ended."""
        ended = np.bincount(np.arange(self.nodes) + self.size, minlength=self.nodes + 1)
        return np.arange(self.nodes) - np.cumsum(ended)[:-1]

    @property
    def first_tree_param(self) -> Indices:
        """(trees + 1,) where the parameters of each tree begin."""
        return self.first_param[self.first_node]

    def part(self, first: int, last: int) -> Forest:
        """The trees from ``first`` to before ``last``, as a forest of their own."""
        nodes = slice(int(self.first_node[first]), int(self.first_node[last]))
        params = slice(int(self.first_param[nodes.start]), int(self.first_param[nodes.stop]))
        return self._replace(
            first_node=self.first_node[first : last + 1] - np.int32(nodes.start),
            size=self.size[nodes],
            kind=self.kind[nodes],
            first_param=self.first_param[nodes.start : nodes.stop + 1] - np.int32(params.start),
            source=self.source[params],
        )


class Packed(NamedTuple):
    """A forest, and for each node record of its trees the place of its bias, or of its weight if it is a leaf."""

    forest: Forest
    place: IntArray


def pack(nodes: Nodes, starts: IntArray, features: int) -> Packed:
    """The forest of trees laid end to end; no loop over trees or nodes."""
    depth, op = nodes["depth"], nodes["op"]
    function, parent = op < 0, parents(depth)
    index = np.cumsum(function) - 1  # of function nodes
    owner = index[parent[~function]]  # of leaves
    leaves = np.bincount(owner, minlength=int(function.sum()))
    first_param = np.concatenate([[0], np.cumsum(2 + leaves)])
    place = np.zeros(len(nodes), dtype=np.int64)
    place[function] = first_param[:-1]
    order = np.argsort(owner, kind="stable")
    # In the order of their nodes, leaves follow the biases and edges up to that of their own node.
    place[np.flatnonzero(~function)[order]] = np.arange(len(owner)) + 2 * (owner[order] + 1)
    source = np.full(first_param[-1], -1, dtype=np.int32)
    source[place[~function]] = op[~function]
    first_node = np.concatenate([[0], np.cumsum(function)])[starts]
    forest = Forest(
        features=features,
        outputs=int(np.count_nonzero(depth[: starts[1]] == 0)),
        first_node=first_node.astype(np.int32),
        size=_sizes(depth[function], index[parent[function]]),
        kind=(~op[function]).astype(np.int32),
        first_param=first_param.astype(np.int32),
        source=source,
    )
    return Packed(forest, place)


def _sizes(depth: IntArray, parent: IntArray) -> Indices:
    """The number of nodes in the subtree of each, from the deepest level up."""
    size = np.ones(len(depth), dtype=np.int32)
    for level in range(int(depth.max(initial=0)), 0, -1):
        here = np.flatnonzero(depth == level)
        np.add.at(size, parent[here], size[here])
    return size


def load_params(packed: Packed, nodes: Nodes, dtype: str) -> NDArray:
    """(folds, params) the weights and biases of all folds; infinite if they are beyond the range of ``dtype``."""
    function = nodes["op"] < 0
    params = np.zeros((packed.forest.params, nodes["weight"].shape[1]))
    params[packed.place] = np.where(function[:, None], nodes["bias"], nodes["weight"])
    hidden = function & (nodes["depth"] > 0)
    params[packed.place[hidden] + 1] = nodes["weight"][hidden]
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(params.T, dtype=dtype)


def store_params(packed: Packed, nodes: Nodes, params: NDArray) -> Nodes:
    """The node records with the weights and biases ``params`` (folds, params)."""
    stored, function = nodes.copy(), nodes["op"] < 0
    stored["bias"][function] = params[:, packed.place[function]].T
    stored["weight"][~function] = params[:, packed.place[~function]].T
    hidden = function & (nodes["depth"] > 0)
    stored["weight"][hidden] = params[:, packed.place[hidden] + 1].T
    return stored


def cut(forest: Forest, parts: int, most_trees: int = 0) -> list[tuple[int, int]]:
    """Runs (first, last) of trees: about ``parts`` runs of equal cost, each of ``most_trees`` at most (0: any)."""
    cost = np.diff(forest.first_tree_param) + NODE_COST * np.diff(forest.first_node).astype(np.int64)
    done = np.concatenate([[0], np.cumsum(cost)])
    wanted = np.linspace(0, done[-1], max(1, min(parts, forest.trees)) + 1)
    ends = np.unique(np.searchsorted(done, wanted))
    runs = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    size = most_trees or forest.trees
    return [(start, min(start + size, last)) for first, last in runs for start in range(first, last, size)]
