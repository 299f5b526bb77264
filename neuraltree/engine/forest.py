"""The forward pass and the hand-derived backward pass of a whole forest.

One matrix product computes the contributions of all leaf edges and biases of a bin. Each level then adds the
weighted values of its function children. These stand rank after rank (see ``packing``), so every addition is a
slice. Each node has exactly one parent, so its gradient is gathered from one row, never scattered. The gradient is
the delta rule of Ojha & Nicosia (Backpropagation Neural Tree, section 3), with any activation at each node.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import EngineArray
from neuraltree.engine.packing import Bin, Forest, Shape
from neuraltree.tree.nodes import Nodes

EXPONENTIALS = {code: row.exponential for code, row in enumerate(ACTIVATIONS) if row.exponential}


class Params(NamedTuple):
    """The trainable scalars of a bin: ``leaf`` (rows, columns) with biases last, ``edge`` (rows,)."""

    leaf: EngineArray
    edge: EngineArray


class States(NamedTuple):
    """Per level, deepest last: the ``value`` (rows, batch) of every node, and the ``total``, the sum entering it."""

    value: tuple[jax.Array, ...]
    total: tuple[jax.Array, ...]


def load_params(packed: Bin, nodes: Nodes, fold: int, dtype: str) -> Params:
    """The edge weights and biases of one fold as arrays of the engine."""
    here = nodes[packed.span]
    function = here["op"] < 0
    leaf = np.zeros(packed.forest.leaf_mask.shape, dtype)
    leaf[packed.row, packed.column] = np.where(function, here["bias"][:, fold], here["weight"][:, fold])
    edge = np.zeros(packed.forest.edge_mask.shape, dtype)
    edge[packed.row[function]] = here["weight"][function, fold]
    return Params(leaf, edge * packed.forest.edge_mask.astype(dtype))


def store_params(packed: Bin, nodes: Nodes, fold: int, params: Params) -> None:
    """Write the edge weights and biases of one fold back into ``nodes``, in place."""
    here = nodes[packed.span]
    function = here["op"] < 0
    entry = np.asarray(params.leaf)[packed.row, packed.column]
    here["bias"][function, fold] = entry[function]
    here["weight"][~function, fold] = entry[~function]
    hidden = function & (here["depth"] > 0)
    here["weight"][hidden, fold] = np.asarray(params.edge)[packed.row[hidden]]


def activate(total: jax.Array, kind: EngineArray, kinds: tuple[int, ...]) -> jax.Array:
    """Apply the activation of each row. Only ``kinds`` are computed, and all kinds made of ``exp`` share one."""
    curved = tuple(code for code in kinds if code in EXPONENTIALS)
    chosen = {code: ACTIVATIONS[code].value(total, jnp) for code in kinds if code not in curved}
    return _select(kind, dict.fromkeys(curved, _curved(total, kind, curved)) | chosen if curved else chosen)


def _curved(total: jax.Array, kind: EngineArray, kinds: tuple[int, ...]) -> jax.Array:
    """scale / (one + exp(exponent)) - shift, with constants for each row.

    The exponential and the quotient are used once each, so XLA computes the form in one pass. The constants depend on
    the row even if there is only one kind. Otherwise XLA would turn 1 / exp(s) into exp(-s), and the bits of a tree
    would depend on the kinds of the other trees.
    """
    exponent = _select(kind, {code: EXPONENTIALS[code].exponent(total) for code in kinds})
    exponent = jnp.minimum(exponent, np.log(jnp.finfo(total.dtype).max) - 1)  # infinity would break derivatives
    scale, one, shift = (
        _select(kind, {code: jnp.full((), getattr(form, part), total.dtype) for code, form in EXPONENTIALS.items()})
        for part in ("scale", "one", "shift")
    )
    return scale / (one + jnp.exp(exponent)) - shift


def slope(total: jax.Array, value: jax.Array, kind: EngineArray, kinds: tuple[int, ...]) -> jax.Array:
    """The derivative of the activation of each row, from the value if that is enough."""
    return _select(kind, {code: ACTIVATIONS[code].derivative(total, value, jnp) for code in kinds})


def _select(kind: EngineArray, options: dict[int, jax.Array]) -> jax.Array:
    (_, chosen), *others = options.items()
    for code, option in others:
        chosen = jnp.where(kind[:, None] == code, option, chosen)
    return chosen


def _rows(array: jax.Array, index: EngineArray) -> jax.Array:
    return array.at[index].get(mode="promise_in_bounds")


def _levels(shape: Shape) -> list[tuple[slice, tuple[int, ...]]]:
    """The rows of each level and the activation kinds it may hold."""
    ends = np.cumsum(shape.levels)
    kinds = [(shape.output_kind,)] + [shape.kinds] * (len(shape.levels) - 1)
    return [(slice(int(end) - rows, int(end)), kind) for end, rows, kind in zip(ends, shape.levels, kinds, strict=True)]


def forward(shape: Shape, forest: Forest, params: Params, inputs: EngineArray) -> States:
    """Values of all nodes for ``inputs`` (batch, columns), the last column being 1."""
    # One product for every leaf edge and bias of the bin; an entry is 0 if a tree has no such leaf.
    direct = lax.dot_general(params.leaf, inputs, (((1,), (1,)), ((), ())))
    return climb(shape, forest, params.edge, direct)


def climb(shape: Shape, forest: Forest, edge: EngineArray, direct: jax.Array) -> States:
    """Values of all nodes, deepest level first; ``direct`` (rows, batch) is the sum of their leaves and biases."""
    levels = _levels(shape)
    values: list[jax.Array] = []
    totals: list[jax.Array] = []
    for d in range(len(levels) - 1, -1, -1):
        rows, kinds = levels[d]
        total = direct[rows]
        if shape.ranks[d]:
            carried = edge[levels[d + 1][0], None] * values[0]
            total = _add_ranks(total, _rows(carried, forest.child[d]), shape.ranks[d])
        values.insert(0, activate(total, forest.kind[rows], kinds))
        totals.insert(0, total)
    return States(tuple(values), tuple(totals))


def _add_ranks(total: jax.Array, children: jax.Array, ranks: tuple[int, ...]) -> jax.Array:
    """Add to the first ``ranks[j]`` rows their ``j``-th function children.

    The loop goes over runs of rows with room for the same number of children, so each row is written once, not once
    for every rank.
    """
    first = [0, *itertools.accumulate(ranks)]
    runs = []
    for used, (low, high) in enumerate(itertools.pairwise((total.shape[0], *ranks, 0))):
        runs.append(sum((children[start + high : start + low] for start in first[:used]), start=total[high:low]))
    return jnp.concatenate(runs[::-1])


def outputs(forest: Forest, states: States) -> jax.Array:
    """(trees, outputs, batch) values of the output nodes."""
    return _rows(states.value[0], forest.output_row)


def backward(
    shape: Shape, forest: Forest, params: Params, inputs: EngineArray, states: States, output_grad: jax.Array
) -> Params:
    """Gradient of a loss whose derivative by the outputs is ``output_grad`` (trees, outputs, batch)."""
    delta, edge = descend(shape, forest, params.edge, states, output_grad)
    leaf = lax.dot_general(delta, inputs, (((1,), (0,)), ((), ())))
    # Flat, because a loop over such short rows would not use whole vectors.
    leaf = (leaf.reshape(-1) * forest.leaf_mask.reshape(-1).astype(leaf.dtype)).reshape(leaf.shape)
    return Params(leaf, edge)


def descend(
    shape: Shape, forest: Forest, edge: EngineArray, states: States, output_grad: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Deltas of all nodes (rows, batch), outputs first, and the gradient (rows,) by the edges above them."""
    flat = output_grad.reshape(-1, output_grad.shape[-1])
    arriving = _rows(jnp.pad(flat, ((0, 1), (0, 0))), forest.output_slot)
    deltas: list[jax.Array] = []
    edges: list[jax.Array] = []
    for d, (rows, kinds) in enumerate(_levels(shape)):
        value, total = states.value[d], states.total[d]
        if d:
            from_parent = _rows(deltas[-1], forest.parent[d])
            edges.append(jnp.sum(from_parent * value, axis=1))
            arriving = from_parent * edge[rows, None]
        else:
            edges.append(jnp.zeros(value.shape[0], value.dtype))
        deltas.append(arriving * slope(total, value, forest.kind[rows], kinds))
    by_edge = jnp.concatenate(edges)
    return jnp.concatenate(deltas), by_edge * forest.edge_mask.astype(by_edge.dtype)
