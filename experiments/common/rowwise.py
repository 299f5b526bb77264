"""Trees that each see rows of their own: the forest of the engine, with leaves looked up instead of multiplied.

``neuraltree.engine.forest`` shows all trees of a bin the same rows, in one matrix product over all features. Here the
column of a leaf is its *slot*, its place among the leaves of its parent, and the values that leaves read are an
argument (slots, rows, batch).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from neuraltree.engine.forest import Params, States, climb, descend, load_params, store_params
from neuraltree.engine.packing import Bin, Forest, Layout, Shape, layout, pack
from neuraltree.tree.nodes import Nodes, join, parents


class RowwiseBin(NamedTuple):
    """Trees in one bin: ``nodes`` with slots for features, and the feature each leaf ``reads``, (slots, rows)."""

    nodes: Nodes
    starts: NDArray[np.integer]
    shape: Shape
    packed: Bin
    reads: NDArray[np.int32]


def lay_out(trees: Sequence[Nodes], kinds: Sequence[int]) -> RowwiseBin:
    """Trees of one output activation in a bin just large enough; ``kinds`` are the activations it may hold."""
    nodes, starts = join(list(trees))
    leaf = nodes["op"] >= 0
    feature, slot = nodes["op"][leaf].copy(), _slots(parents(nodes["depth"])[leaf])
    nodes["op"][leaf] = slot
    found = layout(nodes, starts)
    shape = _exact_shape(found, int(slot.max(initial=0)) + 1, nodes, tuple(kinds))
    (packed,) = pack(nodes, starts, shape, found)
    reads = np.zeros((shape.features, shape.rows), dtype=np.int32)
    reads[slot, packed.row[leaf]] = feature
    return RowwiseBin(nodes, starts, shape, packed, reads)


def _slots(parent: NDArray[np.integer]) -> NDArray[np.integer]:
    """The place of every leaf among those of its parent."""
    order = np.argsort(parent, kind="stable")
    slot = np.empty(len(parent), dtype=np.int64)
    slot[order] = np.arange(len(parent)) - np.searchsorted(parent[order], parent[order])
    return slot


def _exact_shape(found: Layout, slots: int, nodes: Nodes, kinds: tuple[int, ...]) -> Shape:
    """Capacities rounded to few sizes, so that small trees share a program."""
    trees = len(found.needs)
    needs = found.needs.sum(axis=0)
    levels = tuple(_few(int(need) + 1) for need in needs[:, 0])
    widest = 2 * -(-(needs.shape[1] - 1) // 2)
    needs = np.pad(needs, [(0, 0), (0, 1)])[:, 1 : 1 + widest]
    ranks = [tuple(min(rows, _few(int(n))) for n in need) for rows, need in zip(levels, needs, strict=True)]
    outputs = int(np.count_nonzero(nodes["depth"] == 0)) // trees
    output_kind = ~int(nodes["op"][0])
    return Shape(trees, outputs, 2 * -(-slots // 2), 1, levels, (*ranks[:-1], ()), kinds, output_kind)


def _few(rows: int) -> int:
    """Whole vectors, and at most a quarter more than needed."""
    step = max(8, (1 << rows.bit_length()) // 8)
    return -(-max(rows, 1) // step) * step


def load(rows: RowwiseBin, dtype: str) -> Params:
    """The weights of fold 0 as ``leaf`` (slots + 1, rows), biases last, and ``edge`` (rows,)."""
    params = load_params(rows.packed, rows.nodes, 0, dtype)
    return Params(np.ascontiguousarray(params.leaf.T), params.edge)


def store(rows: RowwiseBin, trees: Sequence[Nodes], params: Params) -> list[Nodes]:
    """The trees as they were laid out, with these weights in fold 0."""
    store_params(rows.packed, rows.nodes, 0, Params(np.asarray(params.leaf).T, params.edge))
    made = [tree.copy() for tree in trees]
    for tree, (start, end) in zip(made, itertools.pairwise(rows.starts), strict=True):
        for field in ("weight", "bias"):
            tree[field][:, 0] = rows.nodes[field][start:end, 0]
    return made


def forward(shape: Shape, forest: Forest, params: Params, seen: jax.Array) -> States:
    """Values of all nodes if the leaves read ``seen`` (slots, rows, batch)."""
    # One addition at a time: XLA would not fuse a sum over an axis with the next operation.
    direct = sum((w[:, None] * x for w, x in zip(params.leaf[:-1], seen, strict=True)), start=params.leaf[-1][:, None])
    return climb(shape, forest, params.edge, jnp.broadcast_to(direct, seen.shape[1:]))


def backward(
    shape: Shape, forest: Forest, params: Params, seen: jax.Array, states: States, output_grad: jax.Array
) -> Params:
    """Gradient of a loss whose derivative by the outputs is ``output_grad`` (trees, outputs, batch)."""
    delta, edge = descend(shape, forest, params.edge, states, output_grad)
    leaf = jnp.concatenate([jnp.sum(seen * delta[None], axis=2), jnp.sum(delta, axis=1)[None]])
    return Params(leaf * forest.leaf_mask.T.astype(leaf.dtype), edge)
