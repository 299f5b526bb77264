"""The importance of each input to a tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import parents
from neuraltree.tree.tree import Tree


def importances(tree: Tree) -> NDArray[np.float64]:
    """(features,) sums of |path weights|, scaled to add up to 1; all 0 if every path weight is 0.

    If the tree has columns, (columns,): a column has the sum of its features.

    A path weight is the product of the edge weights from an input up to an output, all in standardised units. The
    activations on the path are ignored. An input that no path reads has importance 0.
    """
    path = np.abs(tree.nodes["weight"][:, 0])
    parent = parents(tree.nodes["depth"])
    for i in np.flatnonzero(tree.nodes["depth"] > 1):  # prefix order: a parent's path is known before its children's
        path[i] *= path[parent[i]]
    leaf = tree.nodes["op"] >= 0
    total = np.bincount(tree.nodes["op"][leaf], path[leaf], minlength=len(tree.features)).astype(np.float64)
    if tree.columns is not None:
        counts = [len(column.features) for column in tree.columns]
        total = np.add.reduceat(total, np.cumsum([0, *counts[:-1]]))
    return total / total.sum() if total.sum() > 0 else total
