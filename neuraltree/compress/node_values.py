"""The forward pass of one tree, with a value for every node and row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes, parents

if TYPE_CHECKING:
    from neuraltree.tree.tree import Inputs, Tree


class NodeValues(NamedTuple):
    """(nodes, rows) each. ``sums``: what enters a function node, 0 at leaves; ``values``: what leaves a node."""

    sums: FloatArray
    values: FloatArray


def finite_rows(tree: Tree, X: Inputs) -> FloatArray:
    """(rows, features) raw features, for raw inputs ``X`` (rows, features), or columns by name as in ``Tree.outputs``.

    Raises ``ValueError`` for another shape, no rows, or a number that is not finite.
    """
    rows = tree.feature_rows(X).astype(np.float64)
    if not len(rows):
        raise ValueError(f"X has shape {rows.shape}; the tree needs (rows, {len(tree.features)}) with a row or more")
    if not np.isfinite(rows).all():
        raise ValueError("X has numbers that are not finite; leave out these rows, or fill them in")
    return rows


def scaled_rows(tree: Tree, X: Inputs) -> FloatArray:
    """(rows, features) in the tree's scaled units; ``X`` and errors as for ``finite_rows``."""
    rows = finite_rows(tree, X)
    return rows if tree.scaler is None else tree.scaler.transform(rows)


@np.errstate(all="ignore")  # infinities and NaN are passed on
def forward(nodes: Nodes, rows: FloatArray, fold: int = 0) -> NodeValues:
    """The sums and values of every node for ``rows`` (rows, features) in scaled units.

    Children come after their parent, so the nodes are taken from the last to the first.
    """
    sums, values = np.zeros((2, len(nodes), len(rows)))
    parent, weight, bias = parents(nodes["depth"]).tolist(), nodes["weight"][:, fold], nodes["bias"][:, fold]
    for i in range(len(nodes) - 1, -1, -1):
        op = int(nodes["op"][i])
        if op >= 0:
            values[i] = rows[:, op]
        else:
            sums[i] += bias[i]
            values[i] = ACTIVATIONS[~op].value(sums[i])
        if parent[i] >= 0:
            sums[parent[i]] += weight[i] * values[i]
    return NodeValues(sums, values)
