"""A test of which inputs keep every sum of a tree within the range of single floats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.tree.nodes import Nodes


def largest_sums(nodes: Nodes, X: NDArray[np.float64]) -> NDArray[np.float64]:
    """(rows,) the largest Σ|w h| + |b| of any node."""
    depth, op = nodes["depth"].tolist(), nodes["op"].tolist()
    weight, bias = nodes["weight"][:, 0].tolist(), nodes["bias"][:, 0].tolist()
    none = np.zeros(len(X))
    sums: dict[int, tuple[NDArray, NDArray]] = {}  # by depth: of the children so far, and of their absolute values
    largest = none
    for i in range(len(nodes) - 1, -1, -1):
        if op[i] >= 0:
            value = X[:, op[i]]
        else:
            total, size = sums.pop(depth[i] + 1, (none, none))
            largest = np.fmax(largest, size + abs(bias[i]))
            value = ACTIVATIONS[~op[i]].value(total + bias[i])
        product = weight[i] * value
        total, size = sums.get(depth[i], (none, none))
        sums[depth[i]] = total + product, size + np.abs(product)
    return largest
