"""Bounds on the difference between single-float code and the tree in double precision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import Activation
from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree

ULPS = 16  # error allowed per node, in units in the last place of its sum of |weight x value| and of its value
EPSILON = float(np.finfo(np.float32).eps)


def tree_bounds(tree: Tree, X: NDArray[np.floating], wrong: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """``error_bound`` of the code of a tree for raw inputs (rows, features)."""
    centred, taken = tree.centred()
    return error_bound(centred.folded(), X.astype(np.float64) - taken, wrong)


def error_bound(nodes: Nodes, X: FloatArray, wrong: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Outputs in double precision and bounds on the error of single-float code, (rows, outputs) each.

    Every node's sum may be wrong by 16 single-float ulps of Σ|w h| + |b|, plus the errors of its children. Its
    activation multiplies this error by at most its steepest slope, and adds 16 ulps of its own value. One that jumps
    may be on the wrong side if the sum is no farther from the jump than it may be wrong. ``wrong`` (rows,
    features): how far off the inputs may be, by default not at all.
    """
    columns = np.asarray(X, dtype=np.float64).T
    off = np.zeros_like(columns) if wrong is None else np.asarray(wrong, dtype=np.float64).T
    depth, op = nodes["depth"].tolist(), nodes["op"].tolist()
    sums: dict[int, list[FloatArray]] = {}
    outputs: list[tuple[FloatArray, FloatArray]] = []
    for i in range(len(nodes) - 1, -1, -1):
        if op[i] >= 0:
            value, error = columns[op[i]], off[op[i]]
        else:
            zero = [np.zeros(columns.shape[1])] * 3
            total, size, error = sums.pop(depth[i] + 1, zero)
            total, size = total + nodes["bias"][i, 0], size + abs(nodes["bias"][i, 0])
            row = ACTIVATIONS[~op[i]]
            value = row.value(total)
            error = _carried(row, total, error + ULPS * EPSILON * size) + ULPS * EPSILON * np.abs(value)
        if depth[i] == 0:
            outputs.append((value, error))
            continue
        weight = nodes["weight"][i, 0]
        before = sums.get(depth[i], [np.zeros(columns.shape[1])] * 3)
        added = (weight * value, np.abs(weight * value), np.abs(weight) * error)
        sums[depth[i]] = [old + new for old, new in zip(before, added, strict=True)]
    values, errors = zip(*outputs[::-1], strict=True)
    return np.stack(values, axis=1), np.stack(errors, axis=1)


def _carried(row: Activation, total: FloatArray, error: FloatArray) -> FloatArray:
    """How far off a value may be for a sum ``total`` that is off by ``error``."""
    if row.jump is None:
        return row.steepest * error
    return np.where(np.abs(total - row.jump) <= error, row.bounds[1] - row.bounds[0], 0.0)
