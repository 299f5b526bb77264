"""How a table of integers stores the edges from inputs with the fewest bytes, for a whole population at once.

There are three ways: the position of the input, a byte for the gap to the input before it, or gap and weight packed in
few bits. A gap that is too large is filled by edges of weight 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import IntArray, Nodes, parents

MOST = 255  # that a byte holds
MOST_GAP_BITS = 8
BYTE_BITS = 8
# What the loops take more than the plain one at most, by clang -O2 for a Cortex-M0+.
GAP_LOOP_BYTES, UNPACKING_BYTES = 28, 104
PLAIN_ROWS, GAPS = 0, -1  # in place of a number of bits: a position for each edge; a byte for each gap


class Storage(NamedTuple):
    """Arrays with one entry per tree. ``gap_bits``: of the packed edges, else ``PLAIN_ROWS`` or ``GAPS``.

    ``edge_bits``: of a packed edge with its weight. ``edges``: how many are stored, with those that fill gaps.
    ``stream``: bytes of packed edges. ``size``: bytes of all edges, nodes' heads and counts, and of what the loop takes
    more. ``plain_size``: the same with positions.
    """

    gap_bits: IntArray
    edge_bits: IntArray
    edges: IntArray
    stream: IntArray
    size: IntArray
    plain_size: IntArray

    @property
    def is_packed(self) -> NDArray[np.bool_]:
        return self.gap_bits > 0

    @property
    def loop_bytes(self) -> IntArray:
        """What ``size`` holds for the loop."""
        return np.select([self.is_packed, self.gap_bits == GAPS], [UNPACKING_BYTES, GAP_LOOP_BYTES], 0)


def smallest_storage(nodes: Nodes, starts: IntArray, weight: IntArray, *, packs: bool, raw: bool = False) -> Storage:
    """The storage with the fewest bytes of each tree; of equal ones the simplest.

    ``nodes``, ``weight``: of integer trees laid end to end, without dead edges. ``packs``: whether edges may be packed;
    weights of 8 bits keep bytes of their own, which are read faster. ``raw``: positions are those among all inputs, not
    among the used ones.
    """
    rows = _Rows.make(nodes, starts, weight, raw)
    plain, gaps = rows.plain(), rows.by_gaps()
    size = np.where(rows.code_width(rows.lengths, rows.last) > 1, gaps.size, np.iinfo(np.int64).max)
    found = [plain, gaps._replace(size=size)]
    if packs:
        found += [rows.packed(gap_bits) for gap_bits in range(1, MOST_GAP_BITS + 1)]
    best = np.stack([each.size for each in found]).argmin(axis=0)
    return Storage(*(np.stack(field)[best, np.arange(len(best))] for field in zip(*found, strict=True)))


class _Rows(NamedTuple):
    """The edges from inputs, those of one node together and in the order of the inputs.

    Per edge ``gap`` to the edge before, ``tree``, ``row`` (the node) and ``is_output``. Per tree ``last``, the largest
    position of an input, ``nodes``, function nodes, ``levels``, different weights of edges into hidden nodes, and
    ``to_output``, whether some go into outputs. Per node ``lengths``, the number of its edges, and ``of``, its tree.
    """

    gap: IntArray
    tree: IntArray
    row: IntArray
    is_output: NDArray[np.bool_]
    last: IntArray
    nodes: IntArray
    levels: IntArray
    to_output: NDArray[np.bool_]
    lengths: IntArray
    of: IntArray

    @classmethod
    def make(cls, nodes: Nodes, starts: IntArray, weight: IntArray, raw: bool) -> _Rows:
        trees = len(starts) - 1
        of = np.repeat(np.arange(trees), np.diff(starts))
        op, depth = nodes["op"].astype(np.int64), nodes["depth"].astype(np.int64)
        leaf = np.flatnonzero(op >= 0)
        width = int(op.max(initial=0)) + 1
        inputs, place = np.unique(of[leaf] * width + op[leaf], return_inverse=True)
        first = np.searchsorted(inputs, np.arange(trees) * width)
        place = op[leaf] if raw else place - first[of[leaf]]
        parent = parents(depth)[leaf]
        order = np.lexsort((place, parent))
        leaf, place, parent = leaf[order], place[order], parent[order]
        begins = np.diff(parent, prepend=-1) > 0
        tree, is_output = of[leaf], depth[leaf] == 1
        last = np.zeros(trees, dtype=np.int64)
        np.maximum.at(last, tree, place)
        pairs = np.unique(tree[~is_output] * 256 + weight[leaf[~is_output]] + 128)
        return cls(
            gap=np.where(begins, place, np.diff(place, prepend=0)),
            tree=tree,
            row=parent,
            is_output=is_output,
            last=last,
            nodes=np.bincount(of[op < 0], minlength=trees),
            levels=np.bincount(pairs // 256, minlength=trees),
            to_output=np.bincount(tree[is_output], minlength=trees) > 0,
            lengths=np.bincount(parent, minlength=len(nodes)),
            of=of,
        )

    def code_width(self, count: IntArray, last: IntArray | int = 0) -> IntArray:
        """(trees,) bytes of an entry of the code table, which holds the ``count`` of each node's edges, and positions
        up to ``last``."""
        most = np.zeros(len(self.nodes), dtype=np.int64)
        np.maximum.at(most, self.of, count)
        return np.where(np.maximum(most, last) > MOST, 2, 1)

    def _sum(self, values: IntArray) -> IntArray:
        return np.bincount(self.tree, values, minlength=len(self.nodes)).astype(np.int64)

    def _stored(self, most: int) -> tuple[IntArray, IntArray]:
        """Per edge how many are stored for it if a gap is ``most`` at most, and (trees,) bytes of heads and counts."""
        stored = 1 + np.maximum(self.gap - 1, 0) // most
        count = np.bincount(self.row, stored, minlength=len(self.lengths)).astype(np.int64)
        return stored, 2 * self.nodes * self.code_width(count)

    def plain(self) -> Storage:
        edges, none = self._sum(np.ones_like(self.gap)), np.zeros_like(self.nodes)
        width = self.code_width(self.lengths, self.last)
        size = edges + width * (2 * self.nodes + edges)
        return Storage(none + PLAIN_ROWS, none, edges, none, size, size)

    def by_gaps(self) -> Storage:
        stored, heads = self._stored(MOST)
        edges = self._sum(stored)
        size = 2 * edges + heads + GAP_LOOP_BYTES
        return self.plain()._replace(gap_bits=np.full_like(edges, GAPS), edges=edges, size=size)

    def packed(self, gap_bits: int) -> Storage:
        """Edges into outputs, whose weights have 8 bits, have them as bytes, and 0 in the stream."""
        stored, heads = self._stored(2**gap_bits - 1)
        edges, wide = self._sum(stored), self._sum(stored * self.is_output)
        filled = self._sum((stored - 1) * ~self.is_output) > 0
        levels = np.maximum(self.levels + (self.to_output | filled), 1)
        bits = gap_bits + np.ceil(np.log2(levels)).astype(np.int64)
        stream = -(-edges * bits // BYTE_BITS)
        size = stream + levels + wide + heads + UNPACKING_BYTES
        return Storage(np.full_like(edges, gap_bits), bits, edges, stream, size, self.plain().size)
