"""What decides the cost of code in weights of fewer than 8 bits, beside the number of its edges."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.compress.narrow.edge_storage_sizes import BYTE_BITS, smallest_storage
from neuraltree.tree.nodes import IntArray, Nodes

POWERS = 2 ** np.arange(1, 7)


class NarrowEdges(NamedTuple):
    """Arrays with one entry per tree. In straight code ``unit_weights``, edges of weight 1 or -1, need no product, and
    ``power_weights``, those of a larger power of two, a shift instead.

    Of table code, 0 unless the edges from inputs are packed bit by bit: ``packed``, 1; ``packed_edges``, how many are
    stored, with those that fill gaps; ``wide_edges``, the same if one takes more than a byte; ``mixed_edges``, the same
    if some go into outputs, whose weights are bytes; ``packed_bytes``, bytes of the stream unless an edge takes just a
    byte; ``data_bytes``, the stream and all weights of edges from inputs.
    """

    unit_weights: IntArray
    power_weights: IntArray
    packed: IntArray
    packed_edges: IntArray
    wide_edges: IntArray
    mixed_edges: IntArray
    packed_bytes: IntArray
    data_bytes: IntArray


def narrow_edges(nodes: Nodes, starts: IntArray, weight: IntArray) -> NarrowEdges:
    """``nodes``, ``weight``: of integer trees laid end to end, without dead edges."""
    trees = len(starts) - 1
    tree, edge, size = np.repeat(np.arange(trees), np.diff(starts)), nodes["depth"] > 0, np.abs(weight)
    units, powers = (np.bincount(tree[edge & of], minlength=trees) for of in (size == 1, np.isin(size, POWERS)))
    stored = smallest_storage(nodes, starts, weight, packs=True)
    into_outputs = np.bincount(tree[(nodes["depth"] == 1) & (nodes["op"] >= 0)], minlength=trees)
    is_packed = stored.is_packed
    edges = np.where(is_packed, stored.edges, 0)
    functions = np.bincount(tree[nodes["op"] < 0], minlength=trees)
    return NarrowEdges(
        unit_weights=units,
        power_weights=powers,
        packed=is_packed.astype(np.int64),
        packed_edges=edges,
        wide_edges=np.where(stored.edge_bits > BYTE_BITS, edges, 0),
        mixed_edges=np.where(into_outputs > 0, edges, 0),
        packed_bytes=np.where(is_packed & (stored.edge_bits != BYTE_BITS), stored.stream, 0),
        data_bytes=np.where(is_packed, stored.size - stored.loop_bytes - 2 * functions, 0),
    )
