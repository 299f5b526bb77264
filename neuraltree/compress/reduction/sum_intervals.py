"""Between which ends the sum of every node lies, by interval arithmetic from the ranges of the inputs.

Moore (1966), Interval Analysis. In a tree each node feeds one other node, so these ends are reached if no input is read
twice; else they may lie too far apart, never too close. They are computed in double precision without directed
rounding: they hold up to rounding, as the values of the tree itself do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import INF, Activation
from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integer_tree import input_range
from neuraltree.compress.node_values import scaled_rows
from neuraltree.tree.nodes import Nodes, parents

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


class Ends(NamedTuple):
    """The lower and the upper ends of intervals, arrays of one shape."""

    low: FloatArray
    high: FloatArray


def ends_everywhere(tree: Tree) -> Ends:
    """(features,) inputs that may be any number."""
    width = len(tree.features)
    return Ends(np.full(width, -INF), np.full(width, INF))


def ends_of_rows(tree: Tree, X: ArrayLike) -> Ends:
    """(features,) the least and the largest scaled input of raw rows ``X`` (rows, features), such as training rows.

    Raises ``ValueError`` as ``scaled_rows`` does.
    """
    rows = scaled_rows(tree, X)
    return Ends(rows.min(axis=0), rows.max(axis=0))


def ends_of_int8(tree: Tree) -> Ends:
    """(features,) the scaled inputs that 8-bit code can represent, to which it clamps all others."""
    middle, reach = (0.0 if tree.input_middle is None else tree.input_middle), input_range(tree)
    return Ends(middle - reach, middle + reach)


def sum_ends(nodes: Nodes, inputs: Ends) -> Ends:
    """(nodes, folds) the ends of the sum that enters every function node, and of the input that a leaf reads.

    ``inputs`` (features,): the ends of scaled inputs.
    """
    low, high = nodes["bias"].copy(), nodes["bias"].copy()
    parent = parents(nodes["depth"])
    for i in range(len(nodes) - 1, -1, -1):
        op = int(nodes["op"][i])
        if op >= 0:
            low[i], high[i] = inputs.low[op], inputs.high[op]
        if parent[i] >= 0:
            ends = Ends(low[i], high[i])
            part = times(nodes["weight"][i], ends if op >= 0 else image_of(ACTIVATIONS[~op], ends))
            low[parent[i]] += part.low
            high[parent[i]] += part.high
    return Ends(low, high)


def image_of(row: Activation, sums: Ends) -> Ends:
    """The ends of an activation's values for sums between ``sums``, arrays of any shape."""
    if row.rises:
        return Ends(row.value(sums.low), row.value(sums.high))
    if row.image is None:
        return Ends(*(np.full_like(sums.low, bound) for bound in row.bounds))
    return Ends(*row.image(*sums))


def times(weight: FloatArray, ends: Ends) -> Ends:
    """The ends of weight x value; a weight of 0 gives 0 even if the value has no bound."""
    used = weight != 0
    products = [np.multiply(weight, end, out=np.zeros_like(weight), where=used) for end in ends]
    return Ends(np.minimum(*products), np.maximum(*products))
