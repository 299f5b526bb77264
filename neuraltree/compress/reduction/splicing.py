"""Function nodes replaced by straight lines of their sums: their children move up to the node above."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes, parents


def splice(nodes: Nodes, chosen: NDArray[np.bool_], slope: FloatArray, intercept: FloatArray) -> Nodes:
    """The nodes without the ``chosen`` function nodes (nodes,), none of which is an output.

    The value of a chosen node becomes slope x sum + intercept, (nodes, folds) each. With the weight w of its edge and
    its bias b, its children enter the sum above with w slope times their weights, and w (slope b + intercept) is added
    to the bias there. ``simplify`` removes the edges of weight 0 that a slope of 0 leaves.
    """
    nodes = nodes.copy()
    depth, weight, bias = nodes["depth"], nodes["weight"], nodes["bias"]
    keeper = np.arange(len(nodes))  # the node whose sum takes the children of a node
    factor, lifted = np.ones_like(weight), np.zeros_like(depth)
    for i, up in enumerate(parents(depth).tolist()):
        if up < 0:
            continue
        weight[i] *= factor[up]
        lifted[i] = lifted[up] + chosen[up]
        if chosen[i]:
            keeper[i] = keeper[up]
            factor[i] = weight[i] * slope[i]
            bias[keeper[i]] += factor[i] * bias[i] + weight[i] * intercept[i]
    depth -= lifted
    return nodes[~chosen]
