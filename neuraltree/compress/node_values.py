"""The forward and backward pass of one tree, with a value for every node and row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes, parents

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


class Passed(NamedTuple):
    """(nodes, rows) each. ``sums``: what enters a node, of a leaf its input; ``values``: what leaves the node."""

    sums: FloatArray
    values: FloatArray


def scaled_rows(tree: Tree, X: ArrayLike) -> FloatArray:
    """(rows, features) in the tree's scaled units, for raw inputs ``X`` (rows, features).

    Raises ``ValueError`` for another shape, no rows, or a number that is not finite.
    """
    rows = np.asarray(X, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != len(tree.features) or not len(rows):
        raise ValueError(f"X has shape {rows.shape}; the tree needs (rows, {len(tree.features)}) with a row or more")
    if not np.isfinite(rows).all():
        raise ValueError("X has numbers that are not finite; leave out these rows, or fill them in")
    return rows if tree.scaler is None else tree.scaler.transform(rows)


def forward(nodes: Nodes, rows: FloatArray) -> Passed:
    """The sums and values of every node for ``rows`` (rows, features) in scaled units."""
    sums = np.repeat(nodes["bias"][:, :1], len(rows), axis=1)
    values, parent = np.empty_like(sums), parents(nodes["depth"])
    # Children come after their parent, so in reverse order the sum of a node is complete when its turn comes.
    for i in range(len(nodes) - 1, -1, -1):
        op = int(nodes["op"][i])
        if op >= 0:
            sums[i] = values[i] = rows[:, op]
        else:
            values[i] = ACTIVATIONS[~op].value(sums[i])
        if parent[i] >= 0:
            sums[parent[i]] += nodes["weight"][i, 0] * values[i]
    return Passed(sums, values)


def backward(nodes: Nodes, passed: Passed, by_output_sums: FloatArray) -> FloatArray:
    """(nodes, rows) the derivatives of a loss by the sum of every node; of a leaf, by its input.

    ``by_output_sums`` (outputs, rows): those of the output nodes.
    """
    delta = np.empty_like(passed.sums)
    delta[nodes["depth"] == 0] = by_output_sums
    for i, up in enumerate(parents(nodes["depth"]).tolist()):
        if up >= 0:
            delta[i] = delta[up] * nodes["weight"][i, 0]
            if (op := int(nodes["op"][i])) < 0:
                delta[i] *= ACTIVATIONS[~op].derivative(passed.sums[i], passed.values[i])
    return delta
