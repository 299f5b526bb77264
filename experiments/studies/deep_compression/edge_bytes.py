"""How many bytes the edges of a tree take: as floats or shared values, in codes of one width or in Huffman codes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.compress.weights.clusters import clusters
from neuraltree.compress.weights.huffman import encoded
from neuraltree.tree.nodes import IntArray, parents
from neuraltree.tree.tree import Tree

FLOAT_BYTES, COUNT_BYTES = 4, 2  # COUNT: how many edges a function node has
GAP_BITS = range(1, 13)


class Bytes(NamedTuple):
    """``fixed``: codes and gaps of one width each; ``huffman``: in Huffman codes, whose tables are counted."""

    fixed: int
    huffman: int


def dense_bytes(tree: Tree) -> Bytes:
    """A tree that reads all inputs everywhere needs no positions."""
    edges = FLOAT_BYTES * int(np.count_nonzero(tree.nodes["op"] >= 0))
    return Bytes(_others(tree) + edges, _others(tree) + edges)


def float_bytes(tree: Tree) -> Bytes:
    """Weights in 4 bytes and gaps; only the gaps can have Huffman codes."""
    gaps = gaps_of(tree)
    return Bytes(
        _others(tree) + min(_packed(gaps, bits, 8 * FLOAT_BYTES) for bits in GAP_BITS),
        _others(tree) + FLOAT_BYTES * len(gaps) + encoded(gaps.tolist()).size,
    )


def shared_bytes(tree: Tree, count: int) -> Bytes:
    """The edges from inputs share ``count`` values; all other weights are floats."""
    gaps, leaf = gaps_of(tree), tree.nodes["op"] >= 0
    values, codes = clusters(tree.nodes["weight"][leaf, 0], count)
    table, width = FLOAT_BYTES * len(values), (count - 1).bit_length()
    return Bytes(
        _others(tree) + table + min(_packed(gaps, bits, width) for bits in GAP_BITS),
        _others(tree) + table + encoded(codes.tolist()).size + encoded(gaps.tolist()).size,
    )


def gaps_of(tree: Tree) -> IntArray:
    """(edges from inputs,) how much further an input is than the one before it in the same node."""
    leaf = np.flatnonzero(tree.nodes["op"] >= 0)
    parent, place = parents(tree.nodes["depth"])[leaf], tree.nodes["op"][leaf].astype(np.int64)
    order = np.lexsort((place, parent))
    first = np.diff(parent[order], prepend=-1) > 0
    return np.asarray(np.where(first, place[order], np.diff(place[order], prepend=0)))


def _others(tree: Tree) -> int:
    """Edges of function nodes, biases, and the number of edges of each function node."""
    functions = int(np.count_nonzero(tree.nodes["op"] < 0))
    outputs = int(np.count_nonzero(tree.nodes["depth"] == 0))
    return FLOAT_BYTES * (2 * functions - outputs) + COUNT_BYTES * functions


def _packed(gaps: IntArray, bits: int, width: int) -> int:
    """Bytes of weights of ``width`` bits and gaps of ``bits``; a gap that is too large needs edges of weight 0."""
    fillers = int(np.sum(gaps // 2**bits))
    return -(-(len(gaps) + fillers) * (bits + width) // 8)
