"""The two states of every function node over rows, and the entropy of its state.

Deck *Resources Constrained Learning*, slide *Entropy Guided Pruning*. There a ReLU is ON if its sum is above 0; the
states of the other kinds are our generalisation.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import Activation
from neuraltree.arrays import FloatArray
from neuraltree.compress.node_values import forward, scaled_rows
from neuraltree.tree.nodes import Nodes

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

CURVED = 0.1  # of the largest second derivative, above which an activation counts as curved; our choice
REACH = 10.0  # sums up to which the largest second derivative is sought; beyond, every kind but the sine is flat
STEP = 1e-4  # of the difference of first derivatives


class NodeStates(NamedTuple):
    """(nodes,) each, NaN at leaves. ``share_on``: of the rows; ``entropy``: of the state, in bits, from 0 to 1."""

    share_on: FloatArray
    entropy: FloatArray


def node_states(tree: Tree, X: ArrayLike) -> NodeStates:
    """The states of the nodes of ``tree`` over raw rows ``X`` (rows, features).

    A node that jumps is ON from the jump on: a sign if it is 1. Another piecewise linear node is ON if its slope is not
    0: a ReLU with a sum above 0, a hard tanh with one between -1 and 1, an identity always. Any other node is ON if its
    sum lies where the activation is curved: where its second derivative is above ``CURVED`` of its largest. Raises
    ``ValueError`` as ``scaled_rows`` does.
    """
    return states_of_sums(tree.nodes, forward(tree.nodes, scaled_rows(tree, X)).sums)


def states_of_sums(nodes: Nodes, sums: FloatArray) -> NodeStates:
    """``node_states`` from the ``sums`` (nodes, rows) that enter function nodes."""
    share_on = np.full(len(nodes), np.nan)
    for i in np.flatnonzero(nodes["op"] < 0).tolist():
        share_on[i] = is_on(ACTIVATIONS[~int(nodes["op"][i])], sums[i]).mean()
    return NodeStates(share_on, entropy_bits(share_on))


def is_on(row: Activation, sums: FloatArray) -> NDArray[np.bool_]:
    """Whether an activation is ON at each of ``sums``."""
    if row.jump is not None:
        return np.asarray(sums >= row.jump)
    if row.pieces:
        return np.asarray(row.derivative(sums, row.value(sums)) != 0)
    return np.asarray(np.abs(_curvature(row, sums)) > CURVED * _steepest_turn(row))


def entropy_bits(share_on: ArrayLike) -> FloatArray:
    """-(p log2 p + (1 - p) log2 (1 - p)) for shares p from 0 to 1, with 0 log2 0 = 0; any shape."""
    p = np.stack([np.asarray(share_on, dtype=np.float64), 1 - np.asarray(share_on, dtype=np.float64)])
    logs = np.log2(np.where(p > 0, p, 1.0))
    return np.asarray(0.0 - (np.where(np.isnan(p), np.nan, p) * logs).sum(axis=0))


def _curvature(row: Activation, sums: FloatArray) -> FloatArray:
    """The second derivative, as a difference of first derivatives: no kind needs to state it."""
    above, below = sums + STEP, sums - STEP
    return np.asarray((row.derivative(above, row.value(above)) - row.derivative(below, row.value(below))) / (2 * STEP))


@cache
def _steepest_turn(row: Activation) -> float:
    return float(np.abs(_curvature(row, np.linspace(-REACH, REACH, 20_001))).max())
