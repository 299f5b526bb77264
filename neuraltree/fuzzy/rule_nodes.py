"""Takagi-Sugeno-Kang nodes: their outputs, and the gradients of their parameters and inputs.

A rule fires with the product of its sets' memberships, its value is linear in the inputs, and the node is the mean of
the values weighted by the firing strengths (Takagi and Sugeno 1985). At type 2 the centre of a set is an interval, so
its membership has an upper bound, that of the nearest end of the interval (1 inside), and a lower one, that of the
farthest; the coefficients are intervals too. The node is the middle of the least and the greatest mean (Liang and
Mendel, "Interval type-2 fuzzy logic systems", IEEE Trans. Fuzzy Systems 8, 2000, section III).

All nodes have the same number of inputs n; rows are the last axis. Firing strengths count relative to the strongest of
a row, which changes no mean; so they never vanish together, however far the inputs are from every centre.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.fuzzy.karnik_mendel import least_mean_corner
from neuraltree.fuzzy.memberships import MEMBERSHIPS
from neuraltree.fuzzy.rule_params import SETS, Block

# The logarithm of the weakest rule relative to the strongest one: its share is below the last bit of any mean, and the
# bounds of weights stay above 0.
WEAKEST = -600.0


class Corner(NamedTuple):
    """One mean of the rules: their shares and values (nodes, rules, rows), and which have their upper bound.

    ``taken`` is None at type 1. ``weight``: the share of the mean in the output. ``sign``: that of the half-widths.
    """

    share: FloatArray
    value: FloatArray
    taken: NDArray[np.bool_] | None
    weight: float
    sign: float


class Passed(NamedTuple):
    """What a backward pass needs of a forward one."""

    block: Block
    membership: str
    inputs: FloatArray  # (nodes, n, rows)
    offset: FloatArray  # (nodes, n, 2, rows) distances from the centres in widths, with their signs
    corners: tuple[Corner, ...]


def forward(block: Block, membership: str, inputs: FloatArray) -> tuple[FloatArray, Passed]:
    """(nodes, rows) the outputs of nodes with ``inputs`` (nodes, n, rows), and what ``backward`` needs."""
    offset = (inputs[:, :, None] - block.centre[..., None]) / block.width[..., None]
    log_value = MEMBERSHIPS[membership].log_value
    value = block.coefficient[..., :1] + block.coefficient[..., 1:] @ inputs
    if block.blur is None or block.spread is None:
        strength = _strengths(_rules(log_value(offset)))[0]
        share = strength / strength.sum(axis=1, keepdims=True)
        output = (share * value).sum(axis=1)
        return output, Passed(block, membership, inputs, offset, (Corner(share, value, None, 1.0, 0.0),))
    near, far = _interval(np.abs(offset), block.blur)
    high, low = _strengths(_rules(log_value(near)), _rules(log_value(far)))
    half = block.spread[..., :1] + block.spread[..., 1:] @ np.abs(inputs)
    corners = []
    for sign in (-1.0, 1.0):  # the least mean, then the greatest
        end = value + sign * half
        taken = least_mean_corner(low, high, -sign * end)
        strength = np.where(taken, high, low)
        corners.append(Corner(strength / strength.sum(axis=1, keepdims=True), end, taken, 0.5, sign))
    output = np.add(*((corner.share * corner.value).sum(axis=1) / 2 for corner in corners))
    return output, Passed(block, membership, inputs, offset, tuple(corners))


def backward(passed: Passed, slope: FloatArray, gradient: Block) -> FloatArray:
    """(nodes, n, rows) the gradient by the inputs, given ``slope`` (nodes, rows), that by the outputs.

    The gradient by the parameters is written into ``gradient``. At type 2 it is that of the corners of the forward
    pass: where a rule changes its side the node has a kink."""
    block, inputs, offset = passed.block, passed.inputs, passed.offset
    by_input = np.zeros_like(inputs)
    upper, lower = np.zeros((2, *passed.corners[0].share.shape))
    for part in gradient:
        if part is not None:
            part[:] = 0
    for share, value, taken, weight, sign in passed.corners:
        by_value = weight * slope[:, None] * share
        by_log = by_value * (value - (share * value).sum(axis=1, keepdims=True))
        _add_linear(gradient.coefficient, by_value, inputs)
        by_input += block.coefficient[..., 1:].swapaxes(1, 2) @ by_value
        if taken is None or block.spread is None or gradient.spread is None:
            upper += by_log
            continue
        _add_linear(gradient.spread, sign * by_value, np.abs(inputs))
        by_input += sign * np.sign(inputs) * (block.spread[..., 1:].swapaxes(1, 2) @ by_value)
        upper += np.where(taken, by_log, 0)
        lower += np.where(taken, 0, by_log)
    by_offset = _by_offset(passed, gradient, upper, lower)
    gradient.centre[:] = -by_offset.sum(axis=-1) / block.width
    gradient.width[:] = -(by_offset * offset).sum(axis=-1) / block.width
    return by_input + (by_offset / block.width[..., None]).sum(axis=2)


def _by_offset(passed: Passed, gradient: Block, upper: FloatArray, lower: FloatArray) -> FloatArray:
    """(nodes, n, 2, rows) the gradient by the offsets, given those by the logarithms of the rules' strengths."""
    slope = MEMBERSHIPS[passed.membership].log_slope
    if passed.block.blur is None or gradient.blur is None:
        return _sets(upper) * slope(passed.offset)  # log values are even, so their slopes are odd
    near, far = _interval(np.abs(passed.offset), passed.block.blur)
    by_near, by_far = _sets(upper) * slope(near) * (near > 0), _sets(lower) * slope(far)
    gradient.blur[:] = (by_far - by_near).sum(axis=-1)
    return (by_near + by_far) * np.sign(passed.offset)


def _interval(distance: FloatArray, blur: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The distances from the nearest and from the farthest end of the interval of the centre, in widths."""
    return np.maximum(distance - blur[..., None], 0), distance + blur[..., None]


def _rules(log_sets: FloatArray) -> FloatArray:
    """(nodes, rules, rows) the logarithms of the products, for those of the sets (nodes, n, 2, rows)."""
    nodes, inputs, _, rows = log_sets.shape
    found = log_sets[:, 0]
    for i in range(1, inputs):
        found = (found[:, :, None] + log_sets[:, i, None]).reshape(nodes, -1, rows)
    return found


def _sets(by_rule: FloatArray) -> FloatArray:
    """(nodes, n, 2, rows) the gradient by the sets' logarithms, given that by the rules'."""
    nodes, rules, rows = by_rule.shape
    inputs = rules.bit_length() - 1
    return np.stack([by_rule.reshape(nodes, SETS**i, SETS, -1, rows).sum(axis=(1, 3)) for i in range(inputs)], axis=1)


def _strengths(*logs: FloatArray) -> list[FloatArray]:
    """The firing strengths relative to the strongest rule of the first of ``logs``, which are bounds from above."""
    strongest = logs[0].max(axis=1, keepdims=True)
    return [np.exp(np.maximum(each - strongest, WEAKEST)) for each in logs]


def _add_linear(gradient: FloatArray, by_value: FloatArray, inputs: FloatArray) -> None:
    """Adds the gradient by a constant and the coefficients of ``inputs``."""
    gradient[..., 0] += by_value.sum(axis=-1)
    gradient[..., 1:] += by_value @ inputs.swapaxes(1, 2)
