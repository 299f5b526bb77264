"""The derivatives of a tree's loss by its inputs: in a tree that of a leaf is its parent's delta times the edge weight,
and that of an input the sum over the leaves that read it."""

from __future__ import annotations

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.compress.pruning.edge_slopes import Passed


def input_gradient(passed: Passed) -> FloatArray:
    """(rows, features) the derivative of each row's loss by its scaled inputs."""
    op = passed.nodes["op"]
    found = np.zeros(passed.lesson.inputs.shape[::-1])
    leaves = np.flatnonzero(op >= 0)
    leaves = leaves[passed.parent[leaves] >= 0]
    np.add.at(found, op[leaves], passed.deltas[passed.parent[leaves]] * passed.weight[leaves, None])
    return found.T
