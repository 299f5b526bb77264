"""The hidden nodes of a tree, which stay as they are; a mask says which leaves each of them has.

The engine's forest holds the leaves that a tree has and no others, so it is made anew whenever the mask changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.engine.forest import Forest, pack, store_params
from neuraltree.tree.nodes import Nodes, node_dtype

Mask = NDArray[np.bool_]  # (function nodes, features)


class Skeleton(NamedTuple):
    """``functions``: the function nodes of a tree in prefix order. ``bare``: their forest without leaves."""

    functions: Nodes
    bare: Forest

    @property
    def possible(self) -> Mask:
        """Every hidden node may read every feature; outputs have no leaves."""
        return np.repeat(self.functions["depth"][:, None] > 0, self.bare.features, axis=1)

    def leaves(self, weights: int) -> int:
        """The number of leaf edges in a tree of ``weights`` weights; the rest are biases and edges of hidden nodes."""
        return weights - 2 * self.bare.nodes + self.bare.outputs


def make_skeleton(features: int, outputs: int, children: Sequence[int], activations: Sequence[str]) -> Skeleton:
    """An output has ``children[0]`` hidden nodes, each of these ``children[1]``, and so on; each may read all features.

    The hidden nodes of a level below an output take the ``activations`` in turn. Outputs are identities without leaves.
    """
    functions = np.concatenate([_output(children, activations)] * outputs)
    return Skeleton(functions, pack(functions, np.array([0, len(functions)]), features).forest)


def _output(children: Sequence[int], activations: Sequence[str]) -> Nodes:
    codes = [cycle(map(code_of, activations)) for _ in children]

    def below(depth: int) -> list[tuple[int, int]]:
        """(depth, op) of the function nodes at and below one at ``depth``, in prefix order."""
        found = [(depth, ~(next(codes[depth - 1]) if depth else code_of("identity")))]
        if depth < len(children):
            for _ in range(children[depth]):
                found += below(depth + 1)
        return found

    nodes = np.zeros(len(listed := below(0)), node_dtype())
    nodes["depth"], nodes["op"] = zip(*listed, strict=True)
    return nodes


def places(mask: Mask) -> Mask:
    """(function nodes, 2 + features): the parameters that a tree has among all that it could have.

    A row holds the bias of a node, its edge, and its leaves. With all parameters in a matrix of this shape,
    ``matrix[places(mask)]`` are those of the forest, in its order.
    """
    return np.pad(mask, ((0, 0), (2, 0)), constant_values=True)


def spread_out(mask: Mask, params: NDArray) -> NDArray:
    """The matrix of all parameters; those that the tree lacks are 0."""
    here = places(mask)
    matrix = np.zeros(here.shape, params.dtype)
    matrix[here] = params
    return matrix


def forest_of(skeleton: Skeleton, mask: Mask) -> Forest:
    """The forest of the tree with the leaves of ``mask``."""
    first = np.concatenate([[0], np.cumsum(2 + np.count_nonzero(mask, axis=1))])
    inputs = np.arange(-2, skeleton.bare.features, dtype=np.int32)
    source = np.broadcast_to(np.maximum(inputs, -1), (len(mask), len(inputs)))[places(mask)]
    return skeleton.bare._replace(first_param=first.astype(np.int32), source=source)


def to_nodes(skeleton: Skeleton, mask: Mask, params: NDArray) -> Nodes:
    """The tree with the leaves of ``mask``; a node's leaves stand before its hidden nodes."""
    owner, inputs = np.nonzero(np.pad(mask, ((0, 0), (1, 0)), constant_values=True))
    nodes, leaf = skeleton.functions[owner], inputs > 0
    nodes["depth"][leaf] += 1
    nodes["op"][leaf] = inputs[leaf] - 1
    packed = pack(nodes, np.array([0, len(nodes)]), skeleton.bare.features)
    return store_params(packed, nodes, params[None])
