"""Operators that add one edge to an input, or remove the least important edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.activations import ACTIVATIONS, Activation
from neuraltree.tree.nodes import Nodes, arities, parents, subtree_end
from neuraltree.tree.space import Space
from search.variation import slices

NEW_EDGE = 0.1  # standard deviation of an inserted edge's weight: small compared to N(0, 2 / arity)
TRIED = 0.5  # share of the absent edges that ``grow_edge`` chooses from


def absent_edges(tree: Nodes, space: Space) -> NDArray[np.bool_]:
    """(nodes, features) True for a function node with room for one more child and an input that it does not read."""
    op, depth = tree["op"], tree["depth"]
    absent = np.zeros((len(tree), space.n_features), dtype=np.bool_)
    if len(tree) < space.max_nodes:
        absent[(op < 0) & (arities(depth) < space.max_arity)] = True
        leaves = slices.leaves(tree)
        absent[parents(depth)[leaves], op[leaves]] = False
    return absent


def insert_edge(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """A function node with room for a child reads one more input, with a small weight."""
    absent = absent_edges(tree, space)
    open_nodes = np.flatnonzero(absent.any(axis=1)).tolist()
    if not open_nodes:
        return tree
    node = slices.pick(rng, open_nodes)
    feature = slices.pick(rng, np.flatnonzero(absent[node]).tolist())
    return _with_leaf(tree, node, feature, NEW_EDGE * rng.standard_normal())


def grow_edge(rng: np.random.Generator, tree: Nodes, space: Space, slopes: NDArray[np.float64]) -> Nodes:
    """A function node reads one more input, chosen where the training loss falls steeply.

    ``slopes`` (nodes, features, folds) are the derivatives of each fold's loss with respect to the weight of a leaf
    that the tree does not have yet. Among a random half of these leaves, so that siblings differ, the leaf with the
    largest sum of squared slopes is added. Its weight in each fold is against the slope; the root mean square of its
    weights over the folds is ``NEW_EDGE``.
    """
    absent = absent_edges(tree, space)
    if not absent.any():
        return tree
    slopes = np.where(absent[:, :, None] & np.isfinite(slopes), slopes, 0.0)
    if not slopes.any():
        return insert_edge(rng, tree, space)
    slopes = slopes / np.abs(slopes).max()  # otherwise squares of very large slopes would be infinite
    steepness = np.square(slopes).sum(axis=2)
    tried = steepness * (rng.random(steepness.shape) < TRIED)
    node, feature = divmod(int((tried if tried.any() else steepness).argmax()), space.n_features)
    down = -slopes[node, feature]
    down /= np.abs(down).max()
    return _with_leaf(tree, node, feature, NEW_EDGE * down / np.sqrt(np.square(down).mean()))


def _with_leaf(tree: Nodes, node: int, feature: int, weight: ArrayLike) -> Nodes:
    leaf = np.zeros(1, tree.dtype)
    leaf["op"], leaf["weight"] = feature, weight
    return slices.spliced(tree, node + 1, node + 1, leaf, int(tree["depth"][node]) + 1)


def remove_weakest_edge(rng: np.random.Generator, tree: Nodes, space: Space) -> Nodes:
    """Remove the least important edge, with the subtree below it, among edges whose parent can spare a child."""
    del rng
    depth = tree["depth"]
    spare = arities(depth)[parents(depth)] > max(1, space.min_arity)
    removable = np.flatnonzero(spare & (depth > 0))
    if not len(removable):
        return tree
    start = int(removable[np.argmin(importance(tree)[removable])])
    return np.concatenate((tree[:start], tree[subtree_end(depth, start) :]))


def importance(tree: Nodes) -> NDArray[np.float64]:
    """(nodes,) of the edge above each node: the mean of |weight| over the folds, times the spread of its values."""
    op = tree["op"]
    carried = np.append(SPREADS, 1.0)[np.where(op < 0, ~op, -1)]  # a leaf reads a standardised input: spread 1
    return np.asarray(np.abs(tree["weight"]).mean(axis=1) * carried)


def _spread(row: Activation) -> float:
    """The standard deviation of the activation's values for standard normal sums."""
    s = np.linspace(-8, 8, 1601)
    density = np.exp(-s * s / 2)
    mean, square = (np.average(row.value(s) ** power, weights=density) for power in (1, 2))
    return round(float(np.sqrt(square - mean**2)), 6)  # its last digits depend on the processor


# Sigmoid 0.21, tanh 0.63, Gaussian 0.34, ReLU 0.58, sine 0.66, identity 1, hard tanh 0.72, sign 1.
SPREADS = np.array([_spread(row) for row in ACTIVATIONS])
