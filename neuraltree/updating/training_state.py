"""What training of a part of a tree keeps in RAM, as the exported code of ``--to c-train --update`` does.

A neuron is a function node with its bias and the weights of its incoming edges, as in Bragagnolo et al. 2022. If it is
trained, the device holds these in RAM, and from the forward pass one number for each node that the backward pass
visits: the node itself and all above it, for their slopes, and its function children, for the derivatives by their
edges. The stack is not counted: it is that of full training.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import IntArray, Nodes, arities, is_leaf, parents

FLOAT_BYTES = 4
Live = NDArray[np.bool_]  # (nodes,) the function nodes that are trained


class TrainingState:
    """The bytes that training takes, for any choice of nodes of one tree."""

    def __init__(self, nodes: Nodes) -> None:
        self.function: Live = ~is_leaf(nodes)
        self.parent = parents(nodes["depth"])
        self.weights: IntArray = np.where(self.function, 1 + arities(nodes["depth"]), 0)

    def on_paths(self, live: Live) -> Live:
        """(nodes,) the trained nodes and all nodes between them and their outputs."""
        found = live & self.function
        for i in range(len(found) - 1, -1, -1):  # children come after their parent
            if found[i] and self.parent[i] >= 0:
                found[self.parent[i]] = True
        return found

    def trained_edges(self, live: Live) -> Live:
        """(nodes,) the nodes whose edge to the parent is trained: the children of trained nodes."""
        return (self.parent >= 0) & (live & self.function)[self.parent]

    def visited(self, live: Live) -> Live:
        """(nodes,) the nodes of which the forward pass keeps a number for the backward pass."""
        return self.on_paths(live) | (self.function & self.trained_edges(live))

    def trained_weights(self, live: Live) -> int:
        """The biases of trained nodes and the weights of their inputs."""
        return int(self.weights[live].sum())

    def bytes(self, live: Live) -> int:
        """4 for each trained weight and each node that is visited."""
        return FLOAT_BYTES * (self.trained_weights(live) + int(np.count_nonzero(self.visited(live))))

    @property
    def most_bytes(self) -> int:
        """Those of training all nodes."""
        return self.bytes(self.function)
