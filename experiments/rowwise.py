"""Trees that each see rows of their own: the forest of the engine, with leaves looked up instead of multiplied.

``neuraltree.forest`` shows all trees of a bin the same rows, in one matrix product over every feature. Here the column
of a leaf is its *slot*, its place among the leaves of its parent, and what it reads comes along: (slots, rows, batch).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from neuraltree.forest import Params, States, activate, load_params, slope, store_params
from neuraltree.packing import Array, Bin, Forest, Layout, Shape, layout, pack
from neuraltree.tree import Nodes, join, parents


class Rows(NamedTuple):
    """Trees in one bin: ``nodes`` with slots for features, and the feature each leaf ``reads``, (slots, rows)."""

    nodes: Nodes
    starts: NDArray[np.integer]
    shape: Shape
    packed: Bin
    reads: NDArray[np.int32]


def lay_out(trees: Sequence[Nodes], kinds: Sequence[int]) -> Rows:
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
    return Rows(nodes, starts, shape, packed, reads)


def _slots(parent: NDArray[np.integer]) -> NDArray[np.integer]:
    """The place of every leaf among those of its parent."""
    order = np.argsort(parent, kind="stable")
    slot = np.empty(len(parent), dtype=np.int64)
    slot[order] = np.arange(len(parent)) - np.searchsorted(parent[order], parent[order])
    return slot


def _exact_shape(found: Layout, slots: int, nodes: Nodes, kinds: tuple[int, ...]) -> Shape:
    """Capacities of few sizes, so that small trees share a program."""
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


def load(rows: Rows, dtype: str) -> Params:
    """The weights of fold 0 as ``leaf`` (slots + 1, rows), biases last, and ``edge`` (rows,)."""
    params = load_params(rows.packed, rows.nodes, 0, dtype)
    return Params(np.ascontiguousarray(params.leaf.T), params.edge)


def store(rows: Rows, trees: Sequence[Nodes], params: Params) -> list[Nodes]:
    """The trees as they were laid out, with these weights in fold 0."""
    store_params(rows.packed, rows.nodes, 0, Params(np.asarray(params.leaf).T, params.edge))
    made = [tree.copy() for tree in trees]
    for tree, (start, end) in zip(made, itertools.pairwise(rows.starts), strict=True):
        for field in ("weight", "bias"):
            tree[field][:, 0] = rows.nodes[field][start:end, 0]
    return made


def _rows(array: jax.Array, index: Array) -> jax.Array:
    return array.at[index].get(mode="promise_in_bounds")


def _levels(shape: Shape) -> list[tuple[slice, tuple[int, ...]]]:
    ends = np.cumsum(shape.levels)
    spans = [slice(int(end) - size, int(end)) for end, size in zip(ends, shape.levels, strict=True)]
    return [(span, shape.kinds if depth else (shape.output_kind,)) for depth, span in enumerate(spans)]


def forward(shape: Shape, forest: Forest, params: Params, seen: jax.Array) -> States:
    """Values of all nodes where the leaves see ``seen`` (slots, rows, batch)."""
    # An addition at a time: a sum over an axis would not be fused with what follows.
    direct = sum((w[:, None] * x for w, x in zip(params.leaf[:-1], seen, strict=True)), start=params.leaf[-1][:, None])
    levels = _levels(shape)
    values: list[jax.Array] = []
    totals: list[jax.Array] = []
    for depth in range(len(levels) - 1, -1, -1):
        span, kinds = levels[depth]
        total = jnp.broadcast_to(direct, seen.shape[1:])[span]
        if shape.ranks[depth]:
            carried = params.edge[levels[depth + 1][0], None] * values[0]
            total = _add_ranks(total, _rows(carried, forest.child[depth]), shape.ranks[depth])
        values.insert(0, activate(total, forest.kind[span], kinds))
        totals.insert(0, total)
    return States(tuple(values), tuple(totals))


def _add_ranks(total: jax.Array, children: jax.Array, ranks: tuple[int, ...]) -> jax.Array:
    """Add to the first ``ranks[j]`` rows their ``j``-th function children, run by run of rows with equally many."""
    first = [0, *itertools.accumulate(ranks)]
    runs = []
    for used, (low, high) in enumerate(itertools.pairwise((total.shape[0], *ranks, 0))):
        runs.append(sum((children[start + high : start + low] for start in first[:used]), start=total[high:low]))
    return jnp.concatenate(runs[::-1])


def backward(
    shape: Shape, forest: Forest, params: Params, seen: jax.Array, states: States, output_grad: jax.Array
) -> Params:
    """Gradient of a loss whose derivative by the outputs is ``output_grad`` (trees, outputs, batch)."""
    flat = output_grad.reshape(-1, output_grad.shape[-1])
    arriving = _rows(jnp.pad(flat, ((0, 1), (0, 0))), forest.output_slot)
    deltas: list[jax.Array] = []
    edges: list[jax.Array] = []
    for depth, (span, kinds) in enumerate(_levels(shape)):
        value, total = states.value[depth], states.total[depth]
        if depth:
            from_parent = _rows(deltas[-1], forest.parent[depth])
            edges.append(jnp.sum(from_parent * value, axis=1))
            arriving = from_parent * params.edge[span, None]
        else:
            edges.append(jnp.zeros(value.shape[0], value.dtype))
        deltas.append(arriving * slope(total, value, forest.kind[span], kinds))
    delta = jnp.concatenate(deltas)
    leaf = jnp.concatenate([jnp.sum(seen * delta, axis=2), jnp.sum(delta, axis=1)[None]])
    return Params(leaf * forest.leaf_mask.T, jnp.concatenate(edges) * forest.edge_mask)
