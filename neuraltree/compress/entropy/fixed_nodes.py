"""A pruning step: nodes that are in one state for all rows are replaced by straight lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import FloatArray
from neuraltree.compress.entropy.node_states import states_of_sums
from neuraltree.compress.node_values import forward, scaled_rows
from neuraltree.compress.reduction.reduce_nodes import Lines, lines_between
from neuraltree.compress.reduction.splicing import splice
from neuraltree.compress.reduction.sum_intervals import Ends
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.simplify import simplify

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


def without_fixed_nodes(tree: Tree, X: ArrayLike, tolerance: float = 0.0) -> Tree:
    """The tree without hidden nodes that are in one state, of entropy 0, for all raw rows ``X`` (rows, features).

    A piecewise linear node becomes the piece on which all its sums lie: a ReLU that is always OFF is removed, and the
    children of one that is always ON move up. This changes no output on the rows but by rounding. With a ``tolerance``
    above 0, nodes of other kinds that are never where they are curved are replaced by their tangent at their mean sum,
    one after the other, unless an output then differs from that of ``tree`` on some row by more than ``tolerance``, in
    standard deviations of the target or in logits.
    On other rows the result may be another function, so ``band`` and ``int8_loss`` become unknown.
    Raises ``ValueError`` for a negative tolerance, or as ``scaled_rows`` does.
    """
    if tolerance < 0:
        raise ValueError(f"tolerance is {tolerance!r}; it must be 0 or more")
    rows = scaled_rows(tree, X)
    nodes = simplify(tree.nodes)
    while (lines := _observed(nodes, rows)).found.any():
        nodes = simplify(splice(nodes, *lines))
    if tolerance:
        nodes = _with_tangents(nodes, rows, tolerance)
    return tree if np.array_equal(nodes, tree.nodes) else replace(tree, nodes=nodes, band=None, int8_loss=None)


def _observed(nodes: Nodes, rows: FloatArray) -> Lines:
    """The nodes that are straight lines on the rows, which interval arithmetic may be unable to prove."""
    sums = forward(nodes, rows).sums
    return lines_between(nodes, Ends(sums.min(axis=1, keepdims=True), sums.max(axis=1, keepdims=True)))


def _with_tangents(nodes: Nodes, rows: FloatArray, tolerance: float) -> Nodes:
    wanted = _outputs(nodes, rows)
    refused = 0
    while len(candidates := list(_tangents(nodes, rows))) > refused:
        changed = simplify(splice(nodes, *candidates[refused]))
        if np.abs(_outputs(changed, rows) - wanted).max() <= tolerance:
            nodes, refused = changed, 0  # the sums of the nodes above have changed, so the others are tried anew
        else:
            refused += 1
    return nodes


def _tangents(nodes: Nodes, rows: FloatArray) -> Iterator[Lines]:
    """The tangent of each hidden node that is never where it is curved."""
    sums = forward(nodes, rows).sums
    never_on = states_of_sums(nodes, sums).share_on == 0
    for i in np.flatnonzero(never_on & (nodes["depth"] > 0)).tolist():
        row, mean = ACTIVATIONS[~int(nodes["op"][i])], sums[i].mean()
        value = row.value(mean)
        one, slope, intercept = np.zeros(len(nodes), dtype=bool), *np.zeros((2, len(nodes), 1))
        # A kind that jumps is flat elsewhere: its derivative is a surrogate's.
        one[i], slope[i] = True, row.derivative(mean, value) if row.jump is None else 0.0
        intercept[i] = value - slope[i] * mean
        yield Lines(one, slope, intercept)


def _outputs(nodes: Nodes, rows: FloatArray) -> FloatArray:
    return forward(nodes, rows).values[nodes["depth"] == 0]
