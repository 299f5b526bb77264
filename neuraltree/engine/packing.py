"""A population laid out as forests of fixed shape: which row of which level every node takes.

Level ``d`` holds the function nodes at depth ``d`` of all trees in a bin. Within a level, nodes stand in
order of falling number of function children, so the nodes that have at least ``j`` of them are the first
rows: their sums need no padding to the widest node. Leaves are entries of one matrix (rows, columns) whose
columns are the features and, last, the constant 1 of the bias.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import EngineArray
from neuraltree.tree.nodes import IntArray, Nodes, parents
from neuraltree.tree.space import Space

TREES_PER_BIN = 64  # the arrays of a level then stay in a core's cache
HEADROOM = 1.1  # capacity over what the first population needs on average, ...
SPREAD = 3.0  # ... and this many standard deviations of a count, taken as Poisson
LEVEL_SHARE, RANK_SHARE = 0.5, 0.35  # of a level or rank in the one before it, whatever the first population has there
LEAST_RANKS = 7  # ... and so many ranks where arity allows them: one that is missing later is a program to compile
MAX_BIN_RATIO = 1.5  # more bins than this times what their number of trees asks for, and the tightest capacity doubles


class Shape(NamedTuple):
    """The fixed sizes of a bin: all that a compiled program depends on. ``ranks[d][j]`` rows of level
    ``d`` have room for more than ``j`` function children; every level keeps one row free as padding."""

    trees: int
    outputs: int
    features: int
    copies: int  # how often one parent may read the same feature (1 unless the reference's trees are used)
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
    """The structure of one bin, as arrays whose sizes follow from its ``Shape`` alone."""

    leaf_mask: EngineArray  # (rows, columns) 1.0 where a weight or bias exists
    edge_mask: EngineArray  # (rows,) 1.0 where a function node has a parent
    kind: EngineArray  # (rows,) activation codes
    tree: EngineArray  # (rows,) tree of each row; ``trees`` for padding
    child: tuple[EngineArray, ...]  # per level (sum of ranks,) rows in the level below, rank after rank
    parent: tuple[EngineArray, ...]  # per level (level rows,) rows in the level above
    output_row: EngineArray  # (trees, outputs) rows of level 0
    output_slot: EngineArray  # (level 0 rows,) position in trees x outputs; the last + 1 for padding


class Bin(NamedTuple):
    """A forest and where the weights of its trees are: ``nodes[span]`` live at ``(row, column)``."""

    forest: Forest
    first_tree: int
    last_tree: int  # exclusive
    span: slice
    row: IntArray
    column: IntArray


class Layout(NamedTuple):
    """What packing needs to know of every node of a population laid end to end."""

    tree: IntArray
    parent: IntArray
    function_children: IntArray
    sibling_rank: IntArray  # among the function children of its parent, or among leaves on the same input
    needs: IntArray  # (trees, constraints) rows wanted per level, then per level and rank


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
    """(trees, levels, 1 + widest) rows a tree wants at each level: all nodes, then those with more than j children."""
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

    A bin has ``per_bin`` trees; by default as many as make ``planned_bins`` of those there are.
    """
    trees = len(found.needs)
    per_bin = per_bin or -(-trees // planned_bins(trees))
    bare = Shape(per_bin, space.n_outputs, space.n_features, copies, (), (), space.codes, space.output_code)
    return _shape_of(_wanted(found, space, per_bin), bare)


def planned_bins(trees: int) -> int:
    """Two bins at least where there is work for two, so that threads share it; the machine does not matter."""
    return max(-(-trees // TREES_PER_BIN), 2 if trees >= 64 else 1)


def fit_shape(shape: Shape, found: Layout, space: Space) -> Shape:
    """``shape``, or a grown one: planned anew from these trees, never smaller, doubled where that is not enough."""
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
    """Whether every tree fits, and no capacity is so tight that bins are wasted on it."""
    capacity, needs = _grid(shape, found.needs)
    if (needs.max(axis=0) > capacity).any():
        return False
    return len(split(shape, found)) <= max(2, int(MAX_BIN_RATIO * -(-len(needs) // shape.trees)))


def _wanted(found: Layout, space: Space, per_bin: int) -> NDArray[np.float64]:
    """(levels, 1 + widest) rows a bin should have room for, one level and one rank beyond what these trees use."""
    trees, levels, width = found.needs.shape
    widest = max(width + 1, 1 + LEAST_RANKS)
    grid = (min(levels + 1, max(levels, space.max_depth)), min(widest, max(width, 1 + space.max_arity)))
    room = np.zeros(grid)
    mean = found.needs.sum(axis=0) * (per_bin / trees)
    wanted = HEADROOM * mean + SPREAD * np.sqrt(mean)
    room[:levels, :width] = np.maximum(wanted, found.needs.max(axis=0))
    # Descendants will be deeper and wider than the first trees: every level and rank has a share of the one before.
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
    """Consecutive trees."""

    first: int
    last: int  # exclusive


def split(shape: Shape, found: Layout) -> list[_Run]:
    """Runs of consecutive trees that fit one bin each: as many as fit, then the next bin."""
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
    parent = np.maximum(found.parent[span] - span.start, 0)  # outputs have none; theirs is never read
    rank = found.sibling_rank[span]
    function = np.flatnonzero(op < 0)
    # Place of a function node in its level: falling number of function children, then order of appearance.
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
    """The nodes of one bin: what they are, their place in their level, and where their weights go."""

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
    """Rows in the level below of the function children of ``level``, rank after rank; its padding row where none is."""
    if not shape.ranks[level]:
        return np.zeros(0, dtype=np.int32)
    below = (at.op < 0) & (at.depth == level + 1)
    offset = np.concatenate([[0], np.cumsum(shape.ranks[level])])
    rows = np.full(offset[-1], shape.levels[level + 1] - 1, dtype=np.int32)
    rows[offset[at.rank[below]] + at.place[at.parent[below]]] = at.place[below]
    return rows


def _parents(shape: Shape, at: _Placed, level: int) -> NDArray[np.int32]:
    """Rows in the level above of the parents of ``level``; its padding row for padding."""
    if level == 0:
        return np.zeros(shape.levels[0], dtype=np.int32)
    here = (at.op < 0) & (at.depth == level)
    rows = np.full(shape.levels[level], shape.levels[level - 1] - 1, dtype=np.int32)
    rows[at.place[here]] = at.place[at.parent[here]]
    return rows


def _outputs(shape: Shape, at: _Placed) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Row of every output, and the output in every row of level 0."""
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
