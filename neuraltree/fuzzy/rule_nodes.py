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

from typing import Any, NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.fuzzy.blocks import SETS, Block
from neuraltree.fuzzy.karnik_mendel import least_mean_corner
from neuraltree.fuzzy.memberships import MEMBERSHIPS

# The logarithm of the weakest rule relative to the strongest one: its share is below the last bit of any mean, and the
# bounds of weights stay above 0.
WEAKEST = -600.0


class Passed(NamedTuple):
    """What a backward pass needs of a forward one."""

    block: Block
    membership: str
    inputs: FloatArray  # (nodes, n, rows)
    offset: FloatArray  # (nodes, n, 2, rows) distances from the centres in widths, with their signs
    corners: tuple[Any, ...]  # of each mean: the shares of the rules, their values, and the rules at their upper bound


def forward(block: Block, membership: str, inputs: FloatArray) -> tuple[FloatArray, Passed]:
    """(nodes, rows) the outputs of nodes with ``inputs`` (nodes, n, rows), and what ``backward`` needs."""
    offset = (inputs[:, :, None] - block.centre[..., None]) / block.width[..., None]
    log_value = MEMBERSHIPS[membership].log_value
    value = block.coefficient[..., :1] + block.coefficient[..., 1:] @ inputs
    if block.blur is None or block.spread is None:
        strength = _strengths(_rules(log_value(offset)))[0]
        share = strength / strength.sum(axis=1, keepdims=True)
        output = (share * value).sum(axis=1)
        return output, Passed(block, membership, inputs, offset, ((share, value, None, 1.0, 0.0),))
    near, far = _interval(np.abs(offset), block.blur)
    high, low = _strengths(_rules(log_value(near)), _rules(log_value(far)))
    half = block.spread[..., :1] + block.spread[..., 1:] @ np.abs(inputs)
    corners = []
    for sign in (-1.0, 1.0):  # the least mean, then the greatest
        end = value + sign * half
        taken = least_mean_corner(low, high, -sign * end)
        strength = np.where(taken, high, low)
        corners.append((strength / strength.sum(axis=1, keepdims=True), end, taken, 0.5, sign))
    output = sum(weight * (share * end).sum(axis=1) for share, end, _, weight, _ in corners)
    return output, Passed(block, membership, inputs, offset, tuple(corners))


def backward(passed: Passed, slope: FloatArray, gradient: Block) -> FloatArray:
    """(nodes, n, rows) the gradient by the inputs, given ``slope`` (nodes, rows), that by the outputs.

    The gradient by the parameters is written into ``gradient``. At type 2 it is that of the corners of the forward pass:
    where a rule changes its side the node has a kink.
    """
    block, inputs, offset = passed.block, passed.inputs, passed.offset
    by_input = np.zeros_like(inputs)
    upper = lower = None
    for part in gradient:
        if part is not None:
            part[:] = 0
    for share, value, taken, weight, sign in passed.corners:
        by_value = weight * slope[:, None] * share
        mean = (share * value).sum(axis=1, keepdims=True)
        by_log = by_value * (value - mean)
        _linear(gradient.coefficient, by_value, inputs, 1.0)
        by_input += block.coefficient[..., 1:].swapaxes(1, 2) @ by_value
        if taken is None:
            upper = by_log
            continue
        _linear(gradient.spread, by_value, np.abs(inputs), sign)
        by_input += sign * np.sign(inputs) * (block.spread[..., 1:].swapaxes(1, 2) @ by_value)
        high, low = np.where(taken, by_log, 0), np.where(taken, 0, by_log)
        upper, lower = (high, low) if upper is None else (upper + high, lower + low)
    by_offset = _by_offset(passed, gradient, _sets(upper), None if lower is None else _sets(lower))
    gradient.centre[:] = -by_offset.sum(axis=-1) / block.width
    gradient.width[:] = -(by_offset * offset).sum(axis=-1) / block.width
    return by_input + (by_offset / block.width[..., None]).sum(axis=2)


def _by_offset(passed: Passed, gradient: Block, upper: FloatArray, lower: FloatArray | None) -> FloatArray:
    """(nodes, n, 2, rows) the gradient by the offsets, given that by the logarithms of the sets' memberships."""
    slope = MEMBERSHIPS[passed.membership].log_slope
    if lower is None:
        return upper * slope(passed.offset)  # log values are even, so their slopes are odd
    near, far = _interval(np.abs(passed.offset), passed.block.blur)
    by_near, by_far = upper * slope(near) * (near > 0), lower * slope(far)
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
    """(nodes, n, 2, rows) the gradient by the sets' logarithms, given that by the rules': the transpose of ``_rules``."""
    nodes, rules, rows = by_rule.shape
    inputs = rules.bit_length() - 1
    return np.stack(
        [by_rule.reshape(nodes, SETS**i, SETS, -1, rows).sum(axis=(1, 3)) for i in range(inputs)], axis=1
    )


def _strengths(*logs: FloatArray) -> list[FloatArray]:
    """The firing strengths relative to the strongest rule of the first of ``logs``, which are bounds from above."""
    strongest = logs[0].max(axis=1, keepdims=True)
    return [np.exp(np.maximum(each - strongest, WEAKEST)) for each in logs]


def _linear(gradient: FloatArray | None, by_value: FloatArray, inputs: FloatArray, sign: float) -> None:
    """Adds the gradient by a constant and the coefficients of ``inputs``."""
    assert gradient is not None
    gradient[..., 0] += sign * by_value.sum(axis=-1)
    gradient[..., 1:] += sign * (by_value @ inputs.swapaxes(1, 2))
