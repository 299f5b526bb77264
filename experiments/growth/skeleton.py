"""A tree with every leaf it could have, laid out once for the engine; a mask says which leaves it has.

Function nodes stay as they are while leaf edges come and go, so the layout and the compiled program stay too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.engine.forest import Params, store_params
from neuraltree.engine.packing import Bin, Forest, Layout, Shape, layout, pack
from neuraltree.tree.nodes import Nodes, join, node_dtype

Mask = NDArray[np.bool_]  # (rows, columns) of the engine's leaf matrix
ALIGNMENT = 8  # rows of a level in the engine come in whole vectors


class Skeleton(NamedTuple):
    """``full``: the tree with all its possible leaves. ``possible``: where the engine keeps their weights."""

    full: Nodes
    packed: Bin
    shape: Shape
    possible: Mask

    @property
    def hidden(self) -> int:
        return int(np.count_nonzero(self.full["op"] < 0)) - self.shape.outputs

    def leaves(self, weights: int) -> int:
        """The number of leaf edges in a tree of ``weights`` weights; the rest are biases and edges of hidden nodes."""
        return weights - 2 * self.hidden - self.shape.outputs


def make_skeleton(features: int, outputs: int, children: Sequence[int], activations: Sequence[str]) -> Skeleton:
    """An output has ``children[0]`` hidden nodes, each of these ``children[1]``, and so on; each may read all features.

    The hidden nodes of a level below an output take the ``activations`` in turn. Outputs are identities without leaves.
    """
    full = np.concatenate([_output(features, children, activations)] * outputs)
    nodes, starts = join([full])
    found = layout(nodes, starts)
    kinds = tuple(sorted({code_of(name) for name in activations}))
    shape = _tight(found, Shape(1, outputs, features, 1, (), (), kinds, code_of("identity")))
    (packed,) = pack(nodes, starts, shape, found)
    possible = np.zeros((shape.rows, shape.columns), bool)
    leaf = nodes["op"] >= 0
    possible[packed.row[leaf], packed.column[leaf]] = True
    return Skeleton(full, packed, shape, possible)


def _output(features: int, children: Sequence[int], activations: Sequence[str]) -> Nodes:
    codes = [cycle(map(code_of, activations)) for _ in children]

    def below(depth: int) -> list[tuple[int, int]]:
        """(depth, op) of the subtree of a function node at ``depth``, in prefix order."""
        found = [(depth, ~(next(codes[depth - 1]) if depth else code_of("identity")))]
        if depth < len(children):
            for _ in range(children[depth]):
                found += below(depth + 1)
        return found + [(depth + 1, feature) for feature in range(features if depth else 0)]

    nodes = np.zeros(len(listed := below(0)), node_dtype())
    nodes["depth"], nodes["op"] = zip(*listed, strict=True)
    return nodes


def _tight(found: Layout, bare: Shape) -> Shape:
    """Capacities that fit this tree exactly, because its function nodes never change."""
    need = found.needs[0]
    levels = tuple(_aligned(level[0] + 1) for level in need)  # one row of each level is padding
    ranks = [tuple(min(rows, _aligned(n)) for n in level[1:] if n) for rows, level in zip(levels, need, strict=True)]
    return bare._replace(levels=levels, ranks=tuple(ranks))


def _aligned(count: int) -> int:
    return -(-int(count) // ALIGNMENT) * ALIGNMENT


def masked_forest(skeleton: Skeleton, mask: Mask) -> Forest:
    """The forest of the tree with the leaves of ``mask`` and all biases."""
    packed, function = skeleton.packed, skeleton.full["op"] < 0
    leaf_mask = mask.astype(np.float32)
    leaf_mask[packed.row[function], packed.column[function]] = 1.0
    return packed.forest._replace(leaf_mask=leaf_mask)


def to_nodes(skeleton: Skeleton, mask: Mask, params: Params) -> Nodes:
    """The tree with the leaves of ``mask`` alone."""
    nodes = skeleton.full.copy()
    store_params(skeleton.packed, nodes, 0, params)
    kept = (nodes["op"] < 0) | mask[skeleton.packed.row, skeleton.packed.column]
    return nodes[kept]
