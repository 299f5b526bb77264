"""The inputs of exported code as a model's columns have them: checked, and as the sources of its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import DEFAULT, DEFAULT_RANGE, INTEGER_INPUTS, Input, InputSpec, inputs_of
from neuraltree.compress.short_factors import even_reach
from neuraltree.inputs.encoders import LARGEST, Column, Number, Time
from neuraltree.tree.nodes import IntArray
from neuraltree.tree.scaler import Scaler

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

STEPS = 64  # of a range; the range of 8-bit numbers is rounded up by less than one of them
FLAGS = ("level", "hole")  # rules whose feature is 0 or 1


class Source(NamedTuple):
    """The numbers of one feature in code: ``scale`` times the feature, and for integers from ``low`` to ``high``."""

    is_integer: bool = False
    low: int = 0
    high: int = 0
    scale: float = 1.0


FLOAT = Source()


def checked_inputs(tree: Tree, spec: InputSpec) -> tuple[Input, ...]:
    """The input of each column of a tree, or of each feature if it has no columns.

    A scale belongs to numbers: levels and truth values are counted from 0 in any case. ``ValueError`` for an unknown
    column or type, for a time as integers, and for a column whose numbers do not fit into its type.
    """
    columns = tuple(map(Number, tree.features)) if tree.columns is None else tree.columns
    found = inputs_of(spec, [column.name for column in columns])
    made = tuple(
        one if isinstance(column, Number) or not one.row.is_integer else Input(one.kind)
        for column, one in zip(columns, found, strict=True)
    )
    known = _learned(tree) if tree.columns is None else [column.seen[:2] for column in columns]
    for column, one, (low, high) in zip(columns, made, known, strict=True):
        if one.row.is_integer:
            _check(column, one, low, high)
    return made


def sources(tree: Tree, spec: InputSpec) -> tuple[Source, ...]:
    """The source of each feature of a tree, for ``quantize_tree``; see ``checked_inputs``."""
    inputs = checked_inputs(tree, spec)
    if tree.columns is None:
        return tuple(source_of("value", one) for one in inputs)
    pairs = zip(tree.columns, inputs, strict=True)
    return tuple(source_of(feature.rule, one) for column, one in pairs for feature in column.features)


def integer_inputs(tree: Tree, spec: InputSpec) -> IntArray:
    """(features,) the position in ``INTEGER_INPUTS`` of the type of each feature's column, -1 for floats."""
    inputs = checked_inputs(tree, spec)
    widths = [1] * len(inputs) if tree.columns is None else [len(column.features) for column in tree.columns]
    return np.repeat([INTEGER_INPUTS.index(one.kind) if one.row.is_integer else -1 for one in inputs], widths)


def source_of(rule: str, one: Input) -> Source:
    """The source of a feature that a rule of ``inputs.features`` makes of a column."""
    if not one.row.is_integer:
        return FLOAT
    if rule in FLAGS:
        return Source(True, 0, 1)
    return Source(True, int(one.row.low), int(one.row.high), one.scale)


def in_units(tree: Tree, found: Sequence[Source]) -> Tree:
    """The same function of the numbers of ``found``, which are ``scale`` times the features; without columns.

    The 8-bit ranges of integers become up to 0.8 % larger, so that a short multiplier makes them exactly.
    """
    if not any(source.is_integer for source in found):
        return tree
    scale = np.array([source.scale for source in found])
    scaler = tree.scaler or Scaler(np.zeros(len(scale)), np.ones(len(scale)))
    scaler = Scaler(scaler.mean * scale, scaler.scale * scale)
    reach = np.full(len(scale), DEFAULT_RANGE) if tree.input_range is None else tree.input_range
    even = even_reach(reach * scaler.scale) / scaler.scale
    reach = np.where([source.is_integer for source in found], even, reach)
    return replace(tree, scaler=scaler, input_range=reach, columns=None)


def as_inputs(tree: Tree, X: ArrayLike, spec: InputSpec) -> FloatArray:
    """``X`` (rows, features) as the tree takes them in the numbers that code with these inputs takes."""
    numbers = np.array(X, dtype=np.float64)
    for i, source in enumerate(sources(tree, spec)):
        if source.is_integer:
            numbers[:, i] = np.clip(np.rint(numbers[:, i] * source.scale), source.low, source.high)
    return numbers


def _learned(tree: Tree) -> list[tuple[float, float]]:
    """What is known of the numbers that each feature had: the ends of its 8-bit range without the last steps, its mean,
    or nothing."""
    if tree.scaler is None:
        return [(-np.inf, np.inf)] * len(tree.features)
    if tree.input_middle is None or tree.input_range is None:
        return [(mean, mean) for mean in tree.scaler.mean.tolist()]
    ends = (tree.input_middle - tree.input_range, tree.input_middle + tree.input_range)
    low, high = (tree.scaler.mean + tree.scaler.scale * end for end in ends)
    # The numbers themselves may end a step earlier.
    step = (high - low) / STEPS
    return list(zip((low + step).tolist(), (high - step).tolist(), strict=True))


def _check(column: Column, one: Input, low: float, high: float) -> None:
    text = one.kind if one.scale == 1 else f"{one.kind}/{one.scale:g}"
    if isinstance(column, Time):
        raise ValueError(
            f"input: column {column.name!r} is a time, which {one.kind} does not hold; set it to float32, as in "
            f'{{ {DEFAULT} = "{text}", "{column.name}" = "float32" }}'
        )
    if low <= -LARGEST or high >= LARGEST:  # nothing is known
        return
    first, last = int(one.row.low), int(one.row.high)
    if one.row.hole is not None and column.takes_holes:  # that number is the missing cell
        first, last = first + (one.row.hole == first), last - (one.row.hole == last)
    ends = round(low * one.scale), round(high * one.scale)
    if ends[0] < first or ends[1] > last:
        raise ValueError(
            f"input: column {column.name!r} was learned from {low:.6g} to {high:.6g}, as {text} from {ends[0]:.6g} "
            f"to {ends[1]:.6g}; {one.kind} holds {first} to {last}: give it another scale or type"
        )
