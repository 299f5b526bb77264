"""Trees in 8-bit integers: every node's weights, bias and rescaling, for a whole population at once.

A value is an int8 q that stands for q x range / 127. Each input has a range of its own; a bounded activation has the
range 1; for a piecewise linear activation interval arithmetic finds the range, so that no value can overflow. A
child's range is folded into its edge weight. A node has one weight scale, sums in 32 bits, and rescales its sum by a
12-bit multiplier and a shift to the index of its look-up table (after Jacob et al. 2018, section 2.2, per node).

The same pass finds dead edges, by interval arithmetic over the integers: an edge is dead if its weight is zero or if
its child can have only one value. Such a constant is added to the parent's bias.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import DEFAULT_RANGE as DEFAULT_RANGE
from neuraltree.compress.int8.lookup_tables import DOMAINS, FINE, JUMPS, KINDS, TURNS, UNIT, fine_values, values
from neuraltree.compress.short_factors import MOST_SHIFT
from neuraltree.compress.weights.snapping import NO_SNAPS, Snap, Snaps
from neuraltree.tree.nodes import IntArray, Nodes, parents

# |sum| x 4095 + 2^29 < 2^31: no product needs more than 32 bits.
LARGEST_SUM = 393_000
MOST_CHILDREN = 2_000
SMALLEST_RATIO = 2048 / 2**MOST_SHIFT
SMALLEST = 1e-300  # smallest range or scale; its inverse must be finite


class Integers(NamedTuple):
    """Arrays with one entry per node of the trees laid end to end.

    ``value = kind(clamp((sum x multiplier + 2^(shift - 1)) >> shift))``, sum = bias + Σ weight x child's value.
    """

    weight: IntArray  # of the edge to the parent, -127..127; 0 for outputs
    bias: IntArray  # of a function node, including the constants of dead children
    multiplier: IntArray  # 2048..4095
    shift: IntArray  # 1..30
    unit: FloatArray  # the real number that 1 stands for in the sum of a function node
    reach: FloatArray  # the largest |sum| of a function node, by interval arithmetic in real numbers
    range: FloatArray  # the real number that a node's value of 127 stands for
    low: IntArray  # least value of a node
    high: IntArray  # largest value of a node
    index_low: IntArray  # least index t, before the clamp
    index_high: IntArray  # largest index t, before the clamp
    keep: NDArray[np.bool_]  # no edge on the way from the output is dead
    edge: FloatArray  # the real weight of the edge to the parent, which a snap has changed


def quantize(
    nodes: Nodes,
    input_range: FloatArray,
    *,
    fine: bool = False,
    fold: int = 0,
    snaps: Snaps = NO_SNAPS,
    least_input: int = -UNIT,
    anchor: FloatArray | None = None,
) -> Integers:
    """The integers of trees laid end to end.

    ``input_range`` (features,): the largest |standardised input| that is represented. ``fine``: nodes at depth 1 have
    16-bit values, which the output of a regression sums. ``snaps``: a narrower format of weights. ``least_input``: the
    least integer of an input. ``anchor`` (features,): the standardised inputs for which ``snaps`` change no sum of
    leaves, by default 0. ``ValueError`` if a node has more than ``MOST_CHILDREN`` children.
    """
    work = _Work(nodes, input_range, fine, fold, snaps, least_input)
    if anchor is not None:
        work.anchor[work.leaf] = anchor[work.op[work.leaf]]
    for level in range(int(work.depth.max(initial=0)), -1, -1):
        work.settle(level)
    return work.result()


class _Work:
    """The arrays that the pass fills, from the deepest level up."""

    def __init__(
        self, nodes: Nodes, input_range: FloatArray, fine: bool, fold: int, snaps: Snaps, least_input: int
    ) -> None:
        count, self.snaps = len(nodes), snaps
        self.depth, self.op = nodes["depth"].astype(np.int64), nodes["op"].astype(np.int64)
        self.parent = parents(self.depth)
        self.edge, self.offset = nodes["weight"][:, fold].copy(), nodes["bias"][:, fold].copy()
        self.fine = fine
        self.leaf = self.op >= 0
        # A node's value lies between least x range and most x range; least and most are in -1..1, nearly for inputs.
        self.range, self.least, self.most = np.ones(count), -np.ones(count), np.ones(count)
        self.range[self.leaf], self.least[self.leaf] = input_range[self.op[self.leaf]], least_input / UNIT
        self.reach, self.unit, self.anchor = np.zeros(count), np.ones(count), np.zeros(count)
        self.weight, self.bias, self.index_low, self.index_high = np.zeros((4, count), dtype=np.int64)
        size = np.where(fine & (self.depth == 1), FINE, 1) * self.leaf
        self.low, self.high = least_input * size, UNIT * size
        self.multiplier, self.shift = np.full(count, 2048), np.full(count, 1)
        self.dead = np.zeros(count, dtype=bool)

    def settle(self, level: int) -> None:
        """Compute all fields of the function nodes of one level; their children are already settled."""
        children = np.flatnonzero(self.depth == level + 1)
        here = np.flatnonzero((self.depth == level) & ~self.leaf)
        groups = _Groups(self.parent[children], here)
        step = UNIT * FINE if self.fine and level == 0 else UNIT  # the children's largest value
        share, finest = self._shares(here, children, groups, self.snaps.hidden if level else self.snaps.outputs)
        least, most = share * self.least[children], share * self.most[children]
        low = self.offset[here] + groups.sum(np.minimum(least, most))
        high = self.offset[here] + groups.sum(np.maximum(least, most))
        self.reach[here] = np.maximum(np.abs(low), np.abs(high))
        self._ranges(here, low, high)
        largest = np.abs(share) * np.maximum(1, -self.least[children])
        scale = self._scales(here, groups, largest, finest, step)
        self.unit[here] = scale / step
        self.weight[children] = np.rint(share / groups.spread(scale)).astype(np.int64)
        self.bias[here] = np.rint(self.offset[here] / self.unit[here]).astype(np.int64)
        self._integer_intervals(here, children, groups)

    def _shares(
        self, here: IntArray, children: IntArray, groups: _Groups, snap: Snap | None
    ) -> tuple[FloatArray, FloatArray]:
        """The weights in units of the children's ranges, and the smallest scale of each node's weights."""
        share = self.edge[children] * self.range[children]
        if snap is None or not len(share):
            return share, groups.max(np.abs(share)) / UNIT
        integers, scale = snap(share, groups.first)
        finest = np.zeros(groups.count)
        finest[groups.place] = scale
        share = integers * groups.spread(finest)
        exact, self.edge[children] = self.edge[children], share / self.range[children]
        self.offset[here] += groups.sum((exact - self.edge[children]) * self.anchor[children])
        return share, finest

    def _ranges(self, here: IntArray, low: FloatArray, high: FloatArray) -> None:
        """Range and interval of the values: by interval arithmetic if a kind has no table, else given by the kind."""
        code = ~self.op[here]
        bounds = np.array([row.bounds for row in ACTIVATIONS])[code]
        low, high = np.clip(low, *bounds.T), np.clip(high, *bounds.T)
        free = (DOMAINS[code] == 0) & ~JUMPS[code]
        size = np.maximum(np.abs(low), np.abs(high))
        size = np.where(free & (size > 0), size, 1.0)
        self.range[here] = size
        self.least[here] = np.where(free, low / size, bounds[:, 0])
        self.most[here] = np.where(free, high / size, bounds[:, 1])

    def _scales(self, here: IntArray, groups: _Groups, size: FloatArray, finest: FloatArray, step: int) -> FloatArray:
        """The real number that 1 stands for in each node's weights, as small as ``finest``, sum and shift allow.

        ``size``: of the weights in units of the children's ranges, times the largest value if that is beyond 1.
        """
        if (groups.length > MOST_CHILDREN).any():
            raise ValueError(
                f"a node has {int(groups.length.max())} children; in int8 it can have {MOST_CHILDREN} at most: "
                "use float32, or a smaller space.max_arity"
            )
        offset = np.abs(self.offset[here])
        most = LARGEST_SUM if step == UNIT else LARGEST_SUM * 4096  # an output's fine sum is not multiplied again
        room = most - (step // 2 + 1) * (groups.length + 1)
        code = ~self.op[here]
        gain = self._index_gain(here)
        floor = np.where(DOMAINS[code] > 0, SMALLEST_RATIO / gain * step, SMALLEST)
        wanted = (finest, offset / 8 / UNIT, (offset + groups.sum(size)) * step / room, floor)
        scale = np.maximum.reduce(wanted)
        self._rescale(here, np.where(JUMPS[code], 1.0, scale / step * gain))
        return scale

    def _index_gain(self, here: IntArray) -> FloatArray:
        """Indices t per unit of the real sum."""
        code = ~self.op[here]
        gain = np.where(
            DOMAINS[code] > 0, 128 / np.maximum(DOMAINS[code], 1e-9), UNIT / np.maximum(self.range[here], SMALLEST)
        )
        return gain * FINE if self._fine(here) else gain

    def _fine(self, here: IntArray) -> bool:
        """Whether the nodes of this level have fine values."""
        return self.fine and len(here) > 0 and bool(self.depth[here[0]] == 1)

    def _rescale(self, here: IntArray, ratio: FloatArray) -> None:
        multiplier, shift = rescaling(ratio)
        self.multiplier[here], self.shift[here] = multiplier, shift

    def _integer_intervals(self, here: IntArray, children: IntArray, groups: _Groups) -> None:
        """Find the least and largest index and value of each node, and mark its dead children."""
        ends = self.weight[children] * np.stack([self.low[children], self.high[children]])
        constant = self.low[children] == self.high[children]
        self.dead[children] = constant | (self.weight[children] == 0)
        self.bias[here] += groups.sum(np.where(constant, ends[0], 0))
        moving = np.where(constant, 0, 1)
        low = self.bias[here] + groups.sum(ends.min(axis=0) * moving)
        high = self.bias[here] + groups.sum(ends.max(axis=0) * moving)
        self.index_low[here] = scaled(low, self.multiplier[here], self.shift[here])
        self.index_high[here] = scaled(high, self.multiplier[here], self.shift[here])
        for code in np.unique(~self.op[here]).tolist():
            kind = here[~self.op[here] == code]
            low, high = value_interval(code, self.index_low[kind], self.index_high[kind], self._fine(kind))
            self.low[kind], self.high[kind] = low, high

    def result(self) -> Integers:
        keep = np.ones(len(self.depth), dtype=bool)
        for level in range(1, int(self.depth.max(initial=0)) + 1):
            here = np.flatnonzero(self.depth == level)
            keep[here] = keep[self.parent[here]] & ~self.dead[here]
        return Integers(
            self.weight,
            self.bias,
            self.multiplier,
            self.shift,
            self.unit,
            self.reach,
            self.range,
            self.low,
            self.high,
            self.index_low,
            self.index_high,
            keep,
            self.edge,
        )


class _Groups:
    """Children grouped by parent; in prefix order the children of one parent are a contiguous run."""

    def __init__(self, parent: IntArray, here: IntArray) -> None:
        self.first = np.flatnonzero(np.diff(parent, prepend=-1))
        self.place = np.searchsorted(here, parent[self.first])
        self.count = len(here)
        self.run = np.diff(self.first, append=len(parent))
        self.length = np.zeros(self.count, dtype=np.int64)
        self.length[self.place] = self.run

    def sum(self, values: NDArray) -> NDArray:
        return self._reduce(np.add, values)

    def max(self, values: NDArray) -> NDArray:
        return self._reduce(np.maximum, values)

    def _reduce(self, operation: np.ufunc, values: NDArray) -> NDArray:
        result = np.zeros(self.count, dtype=values.dtype)
        if len(values):
            result[self.place] = operation.reduceat(values, self.first)
        return result

    def spread(self, values: NDArray) -> NDArray:
        """Each parent's value, repeated for each of its children."""
        return np.repeat(values[self.place], self.run)


def rescaling(ratio: FloatArray) -> tuple[IntArray, IntArray]:
    """12-bit multipliers and shifts such that multiplier / 2^shift is nearest to ``ratio``."""
    mantissa, exponent = np.frexp(ratio)
    multiplier = np.rint(mantissa * 4096).astype(np.int64)
    over = multiplier == 4096
    multiplier, shift = np.where(over, 2048, multiplier), 12 - exponent - over
    # If a change of 1 in the sum already passes every index, any large ratio gives the same value.
    multiplier = np.where(shift < 1, 4095, multiplier)
    return multiplier, np.clip(shift, 1, MOST_SHIFT).astype(np.int64)


def scaled(total: IntArray, multiplier: IntArray, shift: IntArray) -> IntArray:
    """total x multiplier / 2^shift, rounded to the nearest integer, halves up."""
    return (total * multiplier + (1 << (shift - 1))) >> shift


def value_interval(code: int, low: IntArray, high: IntArray, fine: bool) -> tuple[IntArray, IntArray]:
    """The least and largest value of a kind over the indices ``low``..``high``."""
    size = FINE if fine else 1
    at = fine_values if fine else values
    ends = np.stack([at(code, low), at(code, high)])
    least, most = ends.min(axis=0), ends.max(axis=0)
    for t, sign in TURNS[code]:
        passed = _passes(low, high, t * size, 256 * size if KINDS[code].repeats else 0)
        least = np.where(passed, np.minimum(least, sign * UNIT * size), least)
        most = np.where(passed, np.maximum(most, sign * UNIT * size), most)
    return least, most


def _passes(low: IntArray, high: IntArray, t: int, period: int) -> NDArray[np.bool_]:
    """Whether ``t``, or ``t`` plus any number of periods, lies in low..high."""
    if not period:
        return (low <= t) & (t <= high)
    return (high - t) // period > (low - t - 1) // period
