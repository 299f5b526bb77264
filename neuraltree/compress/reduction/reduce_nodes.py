"""Exact depth reduction: nodes that are constant or linear within the ranges of the inputs are merged into others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import FloatArray
from neuraltree.compress.reduction.splicing import splice
from neuraltree.compress.reduction.sum_intervals import Ends, image_of, sum_ends
from neuraltree.tree.nodes import Nodes, parents
from neuraltree.tree.simplify import simplify

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


class Lines(NamedTuple):
    """The nodes (nodes,) that are straight lines of their sums, and slopes and intercepts (nodes, folds)."""

    found: NDArray[np.bool_]
    slope: FloatArray
    intercept: FloatArray


def reduced(tree: Tree, inputs: Ends) -> Tree:
    """The tree with fewer nodes, and with the same outputs for all inputs within ``inputs``, up to rounding.

    ``inputs``: from ``ends_everywhere``, ``ends_of_rows`` or ``ends_of_int8``. Beyond the ends of its inputs the tree
    may be another function. In 8 bits the two may round differently, so ``int8_loss`` becomes unknown.
    """
    nodes = reduce_nodes(tree.nodes, inputs)
    return tree if np.array_equal(nodes, tree.nodes) else replace(tree, nodes=nodes, int8_loss=None)


def reduce_nodes(nodes: Nodes, inputs: Ends) -> Nodes:
    """``reduced`` for a node record; a node is merged only if it is linear in all folds.

    What is merged makes intervals narrower, since inputs are then read at one place, so it goes on until nothing is
    found.
    """
    while True:
        nodes = simplify(_without_constant_inputs(simplify(nodes), inputs))
        lines = lines_between(nodes, sum_ends(nodes, inputs))
        if not lines.found.any():
            return nodes
        nodes = splice(nodes, *lines)


def lines_between(nodes: Nodes, sums: Ends) -> Lines:
    """The function nodes below the outputs that are straight lines for all sums between ``sums`` (nodes, folds).

    A ReLU whose sum is at most 0 is the constant 0, and one whose sum is at least 0 the sum itself. A node of any kind
    is a constant if all its sums have one value.
    """
    found = np.zeros(len(nodes), dtype=bool)
    slope, intercept = np.zeros_like(sums.low), np.zeros_like(sums.low)
    for i in np.flatnonzero((nodes["op"] < 0) & (nodes["depth"] > 0)).tolist():
        row, ends = ACTIVATIONS[~int(nodes["op"][i])], Ends(sums.low[i], sums.high[i])
        values = image_of(row, ends)
        if (values.low == values.high).all():
            found[i], intercept[i] = True, values.low
            continue
        for piece in row.pieces:
            if (ends.low >= piece.low).all() and (ends.high <= piece.high).all():
                found[i], slope[i], intercept[i] = True, piece.slope, piece.intercept
                break
    return Lines(found, slope, intercept)


def _without_constant_inputs(nodes: Nodes, inputs: Ends) -> Nodes:
    """Leaves that read an input of one value get the weight 0; what they add goes into the bias of their parent."""
    same = inputs.low == inputs.high
    leaves = np.flatnonzero(nodes["op"] >= 0)
    leaves = leaves[same[nodes["op"][leaves]]]
    nodes = nodes.copy()
    added = nodes["weight"][leaves] * inputs.low[nodes["op"][leaves], None]
    np.add.at(nodes["bias"], parents(nodes["depth"])[leaves], added)
    nodes["weight"][leaves] = 0.0
    return nodes
