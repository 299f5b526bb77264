"""The layout of a population as forests of fixed shape: the level and row of every node.

Level ``d`` holds the function nodes at depth ``d`` of all trees in a bin. Within a level, nodes are sorted by
falling number of function children, so the nodes with at least ``j`` of them are the first rows. Their sums
therefore need no padding to the widest node. Leaves are entries of one matrix (rows, columns), whose columns are
the features and, last, the constant 1 of the bias.

An example: two trees whose outputs have 2 and 1 function children.

    level 0    a        b          2 and 1 function children, so a comes first
    level 1    a1  a2   b1
    rank 0     a1  b1              added to the first two rows of level 0
    rank 1     a2                  added to the first row of level 0
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import EngineArray
from neuraltree.tree.nodes import IntArray, Nodes, parents
from neuraltree.tree.space import Space

TREES_PER_BIN = 64  # the arrays of a level then stay in a core's cache
HEADROOM = 1.1  # capacity relative to the average need of the first population, ...
SPREAD = 3.0  # ... plus this many standard deviations of the count, assumed to be Poisson
LEVEL_SHARE, RANK_SHARE = 0.5, 0.35  # least size of a level or rank, relative to the one before it
LEAST_RANKS = 7  # least number of ranks, if arity allows them: a missing rank costs a new compilation later
MAX_BIN_RATIO = 1.5  # with more bins than this times the number that the trees need, the tightest capacity doubles


class Shape(NamedTuple):
    """The fixed sizes of a bin: all that a compiled program depends on.

    ``ranks[d][j]`` rows of level ``d`` have room for more than ``j`` function children. Every level keeps one row free
    as padding.
    """

    trees: int
    outputs: int
    features: int
    copies: int  # how often one parent may read the same feature (1, or more for the reference's trees)
    levels: tuple[int, ...]
    ranks: tuple[tuple[int, ...], ...]
    kinds: tuple[int, ...]
    output_kind: int

    @property
    def columns(self) -> int:
        return self.features * self.copies + 1

    @property
    def rows(self) -> int:
        return sum(self.levels)


class Forest(NamedTuple):
    """The structure of one bin, as arrays whose sizes depend only on its ``Shape``."""

    leaf_mask: EngineArray  # (rows, columns) 1.0 if the weight or bias exists, else 0.0
    edge_mask: EngineArray  # (rows,) 1.0 if a function node has a parent, else 0.0
    kind: EngineArray  # (rows,) activation codes
    tree: EngineArray  # (rows,) the tree of each row; ``trees`` for padding
    child: tuple[EngineArray, ...]  # per level (sum of ranks,) rows in the level below, rank after rank
    parent: tuple[EngineArray, ...]  # per level (level rows,) rows in the level above
    output_row: EngineArray  # (trees, outputs) rows of level 0
    output_slot: EngineArray  # (level 0 rows,) position in trees x outputs; the last + 1 for padding


class Bin(NamedTuple):
    """A forest and the places of its weights: those of ``nodes[span]`` are at ``(row, column)``."""

    forest: Forest
    first_tree: int
    last_tree: int  # exclusive
    span: slice
    row: IntArray
    column: IntArray


class Layout(NamedTuple):
    """The facts about every node of a population, laid end to end, that packing needs."""

    tree: IntArray
    parent: IntArray
    function_children: IntArray
    sibling_rank: IntArray  # among the function children of its parent, or among leaves on the same input
    needs: IntArray  # (trees, levels, 1 + widest) rows needed, see ``_needs``


def layout(nodes: Nodes, starts: IntArray) -> Layout:
    """The structure of a population; no loop over trees or nodes."""
    parent = parents(nodes["depth"])
    function = nodes["op"] < 0
    tree = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    has_parent = parent >= 0
    children = np.bincount(parent[function & has_parent], minlength=len(nodes))
    # Function children of one parent share a key; so do leaves of one parent that read the same input.
    key = np.where(function, parent, (parent + 1) * (int(nodes["op"].max(initial=0)) + 2) + nodes["op"] + len(nodes))
    order = np.argsort(key, kind="stable")
    rank = np.empty(len(nodes), dtype=np.int64)
    rank[order] = _rank_in_runs(key[order])
    needs = _needs(nodes["depth"][function], children[function], tree[function], len(starts) - 1)
    return Layout(tree, parent, children, rank, needs)


def _needs(depth: IntArray, children: IntArray, tree: IntArray, trees: int) -> IntArray:
    """(trees, levels, 1 + widest) rows a tree needs at each level: all nodes, then those with more than j children."""
    levels, widest = int(depth.max()) + 1, int(children.max())
    needs = np.zeros((trees, levels, 1 + widest), dtype=np.int64)
    for j in range(1 + widest):
        has = children >= j
        np.add.at(needs[:, :, j], (tree[has], depth[has]), 1)
    return needs


def _ceil8(value: float) -> int:
    return int(-(-value // 8) * 8)


def plan(found: Layout, space: Space, copies: int = 1, per_bin: int = 0) -> Shape:
    """Capacities for bins of trees like these, with headroom for their descendants.

    A bin has ``per_bin`` trees. By default the trees are divided into ``planned_bins`` bins.
    """
    trees = len(found.needs)
    per_bin = per_bin or -(-trees // planned_bins(trees))
    bare = Shape(per_bin, space.n_outputs, space.n_features, copies, (), (), space.codes, space.output_code)
    return _shape_of(_wanted(found, space, per_bin), bare)


def planned_bins(trees: int) -> int:
    """The number of bins: at least two for 64 trees or more, so that threads share the work of any machine."""
    return max(-(-trees // TREES_PER_BIN), 2 if trees >= 64 else 1)


def fit_shape(shape: Shape, found: Layout, space: Space) -> Shape:
    """``shape`` if it is enough, else a larger one.

    It is planned anew from these trees, is never smaller, and the tightest capacity is doubled until it is enough.
    """
    if _is_enough(shape, found):
        return shape
    wanted = _wanted(found, space, shape.trees)
    old, _ = _grid(shape, found.needs)
    room = np.ones(np.maximum(wanted.shape, old.shape))
    for part in (wanted, old):
        room[: len(part), : part.shape[1]] = np.maximum(room[: len(part), : part.shape[1]], part)
    while not _is_enough(grown := _shape_of(room, shape), found):
        pressure = found.needs.sum(axis=0) / room[: found.needs.shape[1], : found.needs.shape[2]]
        level, rank = np.unravel_index(np.argmax(pressure), pressure.shape)
        room[level, rank] *= 2
    return grown


def _is_enough(shape: Shape, found: Layout) -> bool:
    """Whether every tree fits, and no capacity is so tight that too many bins are needed."""
    capacity, needs = _grid(shape, found.needs)
    if (needs.max(axis=0) > capacity).any():
        return False
    return len(split(shape, found)) <= max(2, int(MAX_BIN_RATIO * -(-len(needs) // shape.trees)))


def _wanted(found: Layout, space: Space, per_bin: int) -> NDArray[np.float64]:
    """(levels, 1 + widest) rows that a bin should have, with one level and one rank more than these trees use."""
    trees, levels, width = found.needs.shape
    widest = max(width + 1, 1 + LEAST_RANKS)
    grid = (min(levels + 1, max(levels, space.max_depth)), min(widest, max(width, 1 + space.max_arity)))
    room = np.zeros(grid)
    mean = found.needs.sum(axis=0) * (per_bin / trees)
    wanted = HEADROOM * mean + SPREAD * np.sqrt(mean)
    room[:levels, :width] = np.maximum(wanted, found.needs.max(axis=0))
    # Descendants will be deeper and wider than the first trees, so every level and rank gets a share of the one before.
    for level in range(1, grid[0]):
        room[level, 0] = max(room[level, 0], LEVEL_SHARE * room[level - 1, 0])
    for rank in range(1, grid[1]):
        room[:, rank] = np.maximum(room[:, rank], RANK_SHARE * room[:, rank - 1])
    return np.maximum(room, 1.0)


def _shape_of(room: NDArray, bare: Shape) -> Shape:
    """Capacities rounded up to whole vectors; the last level has no function children."""
    levels = tuple(_ceil8(level[0] + 1) for level in room)
    ranks = [tuple(min(rows, _ceil8(need)) for need in level[1:]) for rows, level in zip(levels, room, strict=True)]
    return bare._replace(levels=levels, ranks=(*ranks[:-1], ()))


def _grid(shape: Shape, needs: IntArray) -> tuple[IntArray, IntArray]:
    """Capacity (levels, 1 + widest) of a shape, and the needs, on one common grid."""
    levels = max(len(shape.levels), needs.shape[1])
    widest = max(max((len(r) for r in shape.ranks), default=0) + 1, needs.shape[2])
    capacity = np.zeros((levels, widest), dtype=np.int64)
    for d, (rows, ranks) in enumerate(zip(shape.levels, shape.ranks, strict=True)):
        capacity[d, 0] = rows - 1  # one row is padding
        capacity[d, 1 : 1 + len(ranks)] = ranks
    widened = np.zeros((len(needs), levels, widest), dtype=np.int64)
    widened[:, : needs.shape[1], : needs.shape[2]] = needs
    return capacity, widened


class _Run(NamedTuple):
    """A run of consecutive trees."""

    first: int
    last: int  # exclusive


def split(shape: Shape, found: Layout) -> list[_Run]:
    """Runs of consecutive trees that each fit one bin; every bin takes as many trees as fit."""
    capacity, needs = _grid(shape, found.needs)
    total = needs.reshape(len(needs), -1).cumsum(axis=0)
    total = np.vstack([np.zeros((1, total.shape[1]), dtype=np.int64), total])
    runs, start = [], 0
    while start < len(needs):
        limit = total[start] + capacity.ravel()
        fits = (total[start + 1 : start + 1 + shape.trees] <= limit).all(axis=1)
        end = start + (len(fits) if fits.all() else int(np.argmin(fits)))
        if end == start:
            raise ValueError(f"tree {start} does not fit the shape {shape}; grow it with fit_shape first")
        runs.append(_Run(start, end))
        start = end
    return runs


def pack(nodes: Nodes, starts: IntArray, shape: Shape, found: Layout | None = None) -> list[Bin]:
    """A population as bins of ``shape``, in order."""
    found = layout(nodes, starts) if found is None else found
    if (found.sibling_rank[nodes["op"] >= 0] >= shape.copies).any():
        raise ValueError(
            f"a node reads the same input more than {shape.copies} times; simplify the trees, or raise copies"
        )
    return [_pack_bin(nodes, starts, shape, found, run) for run in split(shape, found)]


def _pack_bin(nodes: Nodes, starts: IntArray, shape: Shape, found: Layout, run: _Run) -> Bin:
    span = slice(int(starts[run.first]), int(starts[run.last]))
    depth, op = nodes["depth"][span].astype(np.int64), nodes["op"][span]
    parent = np.maximum(found.parent[span] - span.start, 0)  # outputs have no parent; this value is never read for them
    rank = found.sibling_rank[span]
    function = np.flatnonzero(op < 0)
    # The place of a function node in its level: by falling number of function children, then in prefix order.
    order = function[np.lexsort((function, -found.function_children[span][function], depth[function]))]
    counts = np.bincount(depth[order], minlength=len(shape.levels))
    place = np.zeros(len(op), dtype=np.int64)
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    first_row = np.concatenate([[0], np.cumsum(shape.levels)])
    own_row = first_row[depth] + place
    row = np.where(op < 0, own_row, own_row[parent])
    column = np.where(op < 0, shape.columns - 1, op + shape.features * rank)
    tree = found.tree[span] - run.first
    placed = _Placed(depth, op, parent, rank, tree, place, row, column)
    return Bin(_forest(shape, placed), *run, span, row, column)


class _Placed(NamedTuple):
    """The nodes of one bin, with their place in their level and the row and column of their weights."""

    depth: IntArray
    op: IntArray
    parent: IntArray
    rank: IntArray
    tree: IntArray
    place: IntArray
    row: IntArray
    column: IntArray


def _forest(shape: Shape, at: _Placed) -> Forest:
    function = at.op < 0
    leaf_mask = np.zeros((shape.rows, shape.columns), dtype=np.float32)
    leaf_mask[at.row, at.column] = 1.0
    edge_mask = np.zeros(shape.rows, dtype=np.float32)
    edge_mask[at.row[function & (at.depth > 0)]] = 1.0
    kind = np.full(shape.rows, shape.kinds[0], dtype=np.int32)
    kind[: shape.levels[0]] = shape.output_kind
    kind[at.row[function]] = ~at.op[function]
    owner = np.full(shape.rows, shape.trees, dtype=np.int32)
    owner[at.row[function]] = at.tree[function]
    levels = range(len(shape.levels))
    child, parent = tuple(_children(shape, at, d) for d in levels), tuple(_parents(shape, at, d) for d in levels)
    return Forest(leaf_mask, edge_mask, kind, owner, child, parent, *_outputs(shape, at))


def _children(shape: Shape, at: _Placed, level: int) -> NDArray[np.int32]:
    """Rows, in the level below, of the function children of ``level``, rank after rank; its padding row if none."""
    if not shape.ranks[level]:
        return np.zeros(0, dtype=np.int32)
    below = (at.op < 0) & (at.depth == level + 1)
    offset = np.concatenate([[0], np.cumsum(shape.ranks[level])])
    rows = np.full(offset[-1], shape.levels[level + 1] - 1, dtype=np.int32)
    rows[offset[at.rank[below]] + at.place[at.parent[below]]] = at.place[below]
    return rows


def _parents(shape: Shape, at: _Placed, level: int) -> NDArray[np.int32]:
    """Rows, in the level above, of the parents of ``level``; its padding row for padding."""
    if level == 0:
        return np.zeros(shape.levels[0], dtype=np.int32)
    here = (at.op < 0) & (at.depth == level)
    rows = np.full(shape.levels[level], shape.levels[level - 1] - 1, dtype=np.int32)
    rows[at.place[here]] = at.place[at.parent[here]]
    return rows


def _outputs(shape: Shape, at: _Placed) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The row of every output, and the output of every row of level 0."""
    top = at.depth == 0
    slot = at.tree[top] * shape.outputs + _rank_in_runs(at.tree[top])
    row = np.full(shape.trees * shape.outputs, shape.levels[0] - 1, dtype=np.int32)
    row[slot] = at.place[top]
    output = np.full(shape.levels[0], shape.trees * shape.outputs, dtype=np.int32)
    output[at.place[top]] = slot
    return row.reshape(shape.trees, shape.outputs), output


def _rank_in_runs(values: IntArray) -> IntArray:
    """0, 1, 2, ... within each run of equal values."""
    first = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
    return np.arange(len(values)) - np.repeat(first, np.diff(np.append(first, len(values))))
