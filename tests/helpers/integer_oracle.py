"""The integers of a tree worked out the plain way: by recursion over plain numbers, from the specification alone.

Nothing of ``neuraltree.compress`` or ``neuraltree.export`` is used here; what they do must equal this bit for bit.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from neuraltree.activations import ACTIVATIONS
from tests.helpers.oracle import FUNCTIONS

UNIT, FINE = 127, 256
LARGEST_SUM, MOST_SHIFT, DEFAULT_RANGE = 393_000, 30, 4.0
SIGMOID, TANH, GAUSSIAN, RELU, SINE, IDENTITY = range(6)
DOMAIN = {SIGMOID: 8.0, TANH: 4.0, GAUSSIAN: 3.0, SINE: math.pi}  # the others have no table
BOUNDS = {SIGMOID: (0.0, 1.0), TANH: (-1.0, 1.0), GAUSSIAN: (0.0, 1.0), SINE: (-1.0, 1.0)}
ENDS = {RELU: (0.0, math.inf), IDENTITY: (-math.inf, math.inf)}
REPEATING = {SINE}
JUMPING = {7}  # the sign: -127 for a sum below 0, else 127; no rescaling, so that no sum is rounded to 0
BOUNDS |= dict.fromkeys(JUMPING, (-1.0, 1.0))
for _code, _row in enumerate(ACTIVATIONS[6:], 6):
    if _code in JUMPING:
        continue
    if _row.integers.domain:
        DOMAIN[_code], BOUNDS[_code] = _row.integers.domain, _row.bounds
        REPEATING |= {_code} if _row.integers.repeats else set()
    else:
        ENDS[_code] = _row.bounds
SINGLE_MAX, SINGLE_TINY = 3.4028234663852886e38, 1.1754943508222875e-38


def single(value: float) -> float:
    """The nearest single float; beyond the largest one, infinity."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


@dataclass
class Node:
    """One node; for a leaf ``code`` is -1 and ``feature`` its input."""

    place: int
    depth: int
    code: int
    feature: int
    edge: float
    offset: float
    children: list[Node] = field(default_factory=list)
    # By the specification: range and place in it, then the integers.
    range: float = 1.0
    least: float = -1.0
    most: float = 1.0
    reach: float = 0.0
    unit: float = 1.0
    weight: int = 0
    bias: int = 0
    multiplier: int = 2048
    shift: int = 1
    low: int = -UNIT
    high: int = UNIT
    index_low: int = 0
    index_high: int = 0
    dead: bool = False
    keep: bool = True

    def below(self) -> list[Node]:
        """The node and all below it, in prefix order."""
        return [self, *(node for child in self.children for node in child.below())]


def forest(nodes: Any) -> list[Node]:
    """The output nodes of a record, with all below them."""
    roots: list[Node] = []
    path: list[Node] = []
    for place, row in enumerate(nodes):
        depth, op = int(row["depth"]), int(row["op"])
        made = Node(
            place, depth, ~op if op < 0 else -1, op if op >= 0 else -1, float(row["weight"][0]), float(row["bias"][0])
        )
        del path[depth:]
        (path[-1].children if path else roots).append(made)
        path.append(made)
    return roots


class Bytes(NamedTuple):
    """The least integer of an input, and the standardised inputs by feature at which snaps change no sum."""

    lowest: int = -UNIT
    anchors: Mapping[int, float] = {}


CONVERTED = Bytes()
Snap = Callable[[list[float]], tuple[list[int], float]]  # the integers of a node's weights, and their scale


def settle(node: Node, ranges: Sequence[float], fine: bool, snaps: tuple[Snap, Snap] | None, inputs: Bytes) -> None:
    """Fill in a node and all below it."""
    is_fine = fine and node.depth == 1
    if node.code < 0:
        node.range = ranges[node.feature]
        node.least = inputs.lowest / UNIT
        node.low, node.high = (inputs.lowest * FINE, UNIT * FINE) if is_fine else (inputs.lowest, UNIT)
        return
    for child in node.children:
        settle(child, ranges, fine, snaps, inputs)
    step = UNIT * FINE if fine and node.depth == 0 else UNIT
    shares = [child.edge * child.range for child in node.children]
    finest = max(map(abs, shares), default=0.0) / UNIT
    if snaps and shares:
        integers, finest = snaps[node.depth == 0](shares)
        shares = [number * finest for number in integers]
        for child, share in zip(node.children, shares, strict=True):
            exact, child.edge = child.edge, share / child.range
            if child.code < 0:
                node.offset += (exact - child.edge) * inputs.anchors.get(child.feature, 0.0)
    ends = [(share * child.least, share * child.most) for share, child in zip(shares, node.children, strict=True)]
    low = node.offset + sum(map(min, ends)) if ends else node.offset
    high = node.offset + sum(map(max, ends)) if ends else node.offset
    node.reach = max(abs(low), abs(high))
    _range(node, low, high)
    largest = [share * max(1, -child.least) for share, child in zip(shares, node.children, strict=True)]
    scale, gain = _scale(node, largest, finest, step, is_fine)
    node.unit = scale / step
    node.multiplier, node.shift = rescaling(1.0 if node.code in JUMPING else scale / step * gain)
    node.bias = round(node.offset / node.unit)
    for child, share in zip(node.children, shares, strict=True):
        child.weight = round(share / scale)
    _intervals(node, is_fine, fine and node.depth == 0)


def _range(node: Node, low: float, high: float) -> None:
    if node.code in BOUNDS:
        node.least, node.most = BOUNDS[node.code]
        return
    low, high = (min(max(end, ENDS[node.code][0]), ENDS[node.code][1]) for end in (low, high))
    node.range = max(abs(low), abs(high)) or 1.0
    node.least, node.most = low / node.range, high / node.range


def _scale(node: Node, shares: list[float], finest: float, step: int, is_fine: bool) -> tuple[float, float]:
    """What 1 stands for in the weights, and the indices per unit of the real sum."""
    sizes = [abs(share) for share in shares]
    most = LARGEST_SUM if step == UNIT else LARGEST_SUM * 4096
    room = most - (step // 2 + 1) * (len(sizes) + 1)
    gain = 128 / DOMAIN[node.code] if node.code in DOMAIN else UNIT / max(node.range, 1e-300)
    gain *= FINE if is_fine else 1
    floor = 2048 / 2**MOST_SHIFT / gain * step if node.code in DOMAIN else 1e-300
    offset = abs(node.offset)
    scale = max(
        finest,
        offset / 8 / UNIT,
        (offset + (sum(sizes) if sizes else 0.0)) * step / room,
        floor,
    )
    return scale, gain


def rescaling(ratio: float) -> tuple[int, int]:
    """The 12-bit multiplier and the shift whose multiplier / 2^shift is nearest."""
    mantissa, exponent = math.frexp(ratio)
    multiplier, shift = round(mantissa * 4096), 12 - exponent
    if multiplier == 4096:
        multiplier, shift = 2048, shift - 1
    if shift < 1:
        return 4095, 1
    return multiplier, min(shift, MOST_SHIFT)


def _intervals(node: Node, is_fine: bool, is_sum: bool) -> None:
    """``is_sum``: an output that adds fine values and is not rescaled."""
    low = high = 0
    for child in node.children:
        child.dead = child.weight == 0 or child.low == child.high
        if child.low == child.high:
            node.bias += child.weight * child.low
        else:
            low += min(child.weight * child.low, child.weight * child.high)
            high += max(child.weight * child.low, child.weight * child.high)
    if is_sum:
        assert max(abs(node.bias + low), abs(node.bias + high)) < 2**31, "the sum needs more than 32 bits"
        return
    node.index_low, node.index_high = index(node, node.bias + low), index(node, node.bias + high)
    node.low, node.high = span(node.code, node.index_low, node.index_high, is_fine)


def index(node: Node, total: int) -> int:
    product = total * node.multiplier + (1 << (node.shift - 1))
    assert -(2**31) <= total * node.multiplier < 2**31, "the product needs more than 32 bits"
    assert -(2**31) <= product < 2**31, "the rounded product needs more than 32 bits"
    return product >> node.shift


@cache
def curve(code: int, is_fine: bool) -> list[int]:
    """The value for every index of a kind with a table, from the least one on."""
    if not is_fine:
        return [round(UNIT * FUNCTIONS[code](t * (DOMAIN[code] / 128))) for t in range(-128, 128)]
    knots = [round(UNIT * FINE * FUNCTIONS[code](t * (DOMAIN[code] / 128))) for t in range(-128, 129)]
    return [knots[k] + (((knots[k + 1] - knots[k]) * part + 128) >> 8) for k in range(256) for part in range(256)]


def kind_value(code: int, t: int, is_fine: bool) -> int:
    size = FINE if is_fine else 1
    if code in JUMPING:
        return (-UNIT if t < 0 else UNIT) * size
    if code in ENDS:
        return min(max(t, -UNIT * size if ENDS[code][0] < 0 else 0), UNIT * size)
    t = (t + 128 * size) % (256 * size) if code in REPEATING else min(max(t + 128 * size, 0), 256 * size - 1)
    return curve(code, is_fine)[t]


def span(code: int, low: int, high: int, is_fine: bool) -> tuple[int, int]:
    """The least and largest value over the indices ``low``..``high``, by looking at every one."""
    if code not in DOMAIN:
        return kind_value(code, low, is_fine), kind_value(code, high, is_fine)
    size = 256 * (FINE if is_fine else 1)
    values = curve(code, is_fine)
    if code in REPEATING:
        first = (low + size // 2) % size
        seen = values if high - low >= size else (values * 2)[first : first + high - low + 1]
    else:
        seen = values[min(max(low + size // 2, 0), size - 1) : min(max(high + size // 2, 0), size - 1) + 1]
    return min(seen), max(seen)


class IntegerOracle:
    """A whole tree. ``nodes``: all of them in prefix order, of the tree with a linear output above if it needs one.

    ``snaps``: of edges into hidden nodes and into outputs. ``inputs``: of inputs that are no symmetric integers.
    """

    def __init__(
        self, tree: Any, fine: bool = False, snaps: tuple[Snap, Snap] | None = None, inputs: Bytes = CONVERTED
    ) -> None:
        self.tree, self.fine = tree, fine
        self.roots = forest(tree.nodes)
        if tree.kind == "regression" and self.roots[0].code != IDENTITY:
            self.roots = [_with_output_above(self.roots[0])]
        width = len(tree.features)
        self.middle = [0.0] * width if tree.input_middle is None else [float(m) for m in tree.input_middle]
        for root in self.roots:
            for node in root.below():
                for child in node.children:
                    if child.code < 0:
                        node.offset += child.edge * self.middle[child.feature]
        ranges = [DEFAULT_RANGE] * width if tree.input_range is None else [float(r) for r in tree.input_range]
        for root in self.roots:
            settle(root, ranges, fine, snaps, inputs)
            _mark(root)
        self.nodes = [node for root in self.roots for node in root.below()]
        self.used = sorted({node.feature for node in self.nodes if node.keep and node.code < 0})
        self._make_inputs(ranges)
        self._make_outputs()

    def _make_inputs(self, ranges: list[float]) -> None:
        scaler = self.tree.scaler
        mean = [0.0] * len(ranges) if scaler is None else scaler.mean.tolist()
        scale = [1.0] * len(ranges) if scaler is None else scaler.scale.tolist()
        means = [m + middle * s for m, middle, s in zip(mean, self.middle, scale, strict=True)]
        self.inputs = [self._input_stage(means[i], scale[i] * ranges[i] / UNIT) for i in self.used]

    @staticmethod
    def _input_stage(mean: float, step: float) -> tuple[int, int, int, int]:
        """Power, zero, multiplier and shift; ``step``: what 1 stands for."""
        power = 8 - math.frexp(step)[1]
        if mean:
            power = min(power, 28 - math.frexp(mean)[1])
        power = min(max(power, -98), 126)
        return power, round(math.ldexp(mean, power)), *rescaling(1 / math.ldexp(step, power))

    def quantize(self, x: Sequence[float]) -> list[int]:
        """The integers of one row of raw inputs (single floats)."""
        return [self._input(single(x[i]), *stage) for i, stage in zip(self.used, self.inputs, strict=True)]

    @staticmethod
    def _input(x: float, power: int, zero: int, multiplier: int, shift: int) -> int:
        if math.isnan(x):
            return 0
        whole = math.trunc(min(max(math.ldexp(x, power), -(2.0**30)), 2.0**30))
        offset = min(max(whole - zero, -65_535), 65_535)
        return min(max((offset * multiplier + (1 << (shift - 1))) >> shift, -UNIT), UNIT)

    def _make_outputs(self) -> None:
        target = self.tree.target_scaler
        mean, scale = (0.0, 1.0) if target is None else (float(target.mean[0]), float(target.scale[0]))
        self.drop, self.offset, self.scales = 0, 0, []
        if len(self.roots) > 1:
            gain = 32_000 / max(max(root.reach for root in self.roots), 1e-300)
            self.scales = [rescaling(root.unit * gain) for root in self.roots]
            self.out_gain = single(1 / gain)
            return
        gain = max(self.roots[0].unit * scale, SINGLE_TINY)
        largest = abs(self.roots[0].bias) + sum(
            max(abs(child.low), abs(child.high)) * abs(child.weight) for child in self.roots[0].children if child.keep
        )
        while self.drop < 30 and abs(mean) / gain + largest / 2**self.drop >= 2**30:
            gain, self.drop = gain * 2, self.drop + 1
        self.out_gain = single(min(max(gain, abs(mean) / 2**30), SINGLE_MAX))
        self.offset = round(min(max(mean / self.out_gain, -(2**30)), 2**30))

    def scores(self, q: Sequence[int], everything: bool = False) -> list[int]:
        """The outputs' scores for integers; ``everything``: with the dead edges, which must change nothing.

        ``q`` then has one integer for every input of the tree, otherwise one for each that is used.
        """
        values = dict(enumerate(q)) if everything else dict(zip(self.used, q, strict=True))
        sums = [self._sum(root, values, everything) for root in self.roots]
        if not self.scales:
            return sums
        return [(s * m + (1 << (n - 1))) >> n for s, (m, n) in zip(sums, self.scales, strict=True)]

    def _sum(self, node: Node, q: dict[int, int], everything: bool) -> int:
        if not everything:
            return node.bias + sum(c.weight * self._value(c, q, False) for c in node.children if c.keep)
        constant = sum(c.weight * c.low for c in node.children if c.low == c.high)  # already in the bias
        return node.bias - constant + sum(c.weight * self._value(c, q, True) for c in node.children)

    def _value(self, node: Node, q: dict[int, int], everything: bool) -> int:
        is_fine = self.fine and node.depth == 1
        if node.code < 0:
            return q[node.feature] * (FINE if is_fine else 1)
        found = kind_value(node.code, index(node, self._sum(node, q, everything)), is_fine)
        assert node.low <= found <= node.high, "a value outside its interval"
        return found

    def predict_q(self, q: Sequence[int]) -> int:
        scores = self.scores(q)
        if self.tree.kind == "regression":
            return scores[0]
        return int(self._is_second(scores[0])) if self.tree.kind == "binary" else scores.index(max(scores))

    def _is_second(self, score: int) -> bool:
        """Whether a score is a logit above that of the threshold, a single float, in exact arithmetic."""
        threshold = self.tree.threshold
        return Fraction(score) * Fraction(self.out_gain) > Fraction(single(math.log(threshold / (1 - threshold))))

    def values(self, scores: Sequence[int]) -> list[float]:
        """Single floats in natural units, or logits."""
        return [single(single(float((score >> self.drop) + self.offset)) * self.out_gain) for score in scores]


def _mark(node: Node) -> None:
    for child in node.children:
        child.keep = node.keep and not child.dead
        _mark(child)


def _with_output_above(root: Node) -> Node:
    for node in root.below():
        node.depth += 1
        node.place += 1
    root.edge = 1.0
    return Node(0, 0, IDENTITY, -1, 0.0, 0.0, [root])
