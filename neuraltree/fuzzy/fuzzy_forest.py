"""Fuzzy trees of a population, computed together: their structures in groups of equal nodes, their parameters flat.

A fuzzy tree has the shape of any tree here: the node record says the depth of each node and which input a leaf reads.
A function node is a fuzzy node over its children. Edges have no weights; ``bias`` of a function node, whose record is
as wide as the largest node needs, holds the node's parameters, so they travel with a subtree.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.fuzzy.rule_nodes import Passed, backward, forward
from neuraltree.fuzzy.rule_params import Block, drawn, limits, num_params, parts
from neuraltree.tree.nodes import Nodes, arities, join, node_dtype, parents

Indices = NDArray[np.int64]


class FuzzyModel(NamedTuple):
    """What the nodes compute: ``membership`` is a key of ``MEMBERSHIPS``, ``fuzzy_type`` 1 or 2."""

    membership: str = "gaussian"
    fuzzy_type: int = 1


class Group(NamedTuple):
    """Nodes of the same depth with the same number of inputs n; the parameters of all stand together.

    ``nodes`` (nodes,) are places among the function nodes of all trees. ``sources`` (nodes, n) are places among the
    features and, after these, the function nodes.
    """

    inputs: int
    nodes: Indices
    sources: Indices
    params: slice


class FuzzyForest(NamedTuple):
    """``groups``: the deepest first. ``outputs`` (trees, outputs): places among the function nodes.

    ``tree_of_param`` (params,) is the tree of each parameter, and ``records`` (nodes,) the place of each function node
    among the records of all trees.
    """

    model: FuzzyModel
    features: int
    groups: tuple[Group, ...]
    outputs: Indices
    tree_of_param: Indices
    records: Indices

    @property
    def params(self) -> int:
        return len(self.tree_of_param)

    def limits(self) -> tuple[FloatArray, FloatArray]:
        """(params,) the lowest and the highest value of each parameter."""
        ends = [limits(group.inputs, self.model.fuzzy_type) for group in self.groups]
        low, high = (
            np.concatenate([np.tile(end[i], len(group.nodes)) for end, group in zip(ends, self.groups, strict=True)])
            for i in (0, 1)
        )
        return low, high

    def rows(self, params: FloatArray, group: Group) -> FloatArray:
        """(nodes, parameters of a node) a view of the flat parameters of a group."""
        return params[group.params].reshape(len(group.nodes), -1)


def record_width(max_arity: int, fuzzy_type: int) -> int:
    """The parameters of the largest node: the number of folds of a record that can hold them."""
    return num_params(max_arity, fuzzy_type)


def widened(nodes: Nodes, model: FuzzyModel, max_arity: int) -> Nodes:
    """The structure in records with room for the parameters, all of them still to be drawn."""
    wide = np.zeros(len(nodes), node_dtype(record_width(max_arity, model.fuzzy_type)))
    wide["depth"], wide["op"] = nodes["depth"], nodes["op"]
    return wide


def forest_of(trees: list[Nodes], features: int, model: FuzzyModel) -> FuzzyForest:
    """The forest of trees of an equal number of outputs."""
    nodes, starts = join(trees)
    depth, function = nodes["depth"], nodes["op"] < 0
    arity, parent = arities(depth), parents(depth)
    index = np.cumsum(function) - 1
    tree = np.repeat(np.arange(len(trees)), np.diff(starts))
    source = np.where(function, features + index, nodes["op"])
    children: dict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero(parent >= 0).tolist():
        children[int(parent[i])].append(int(source[i]))
    groups, owners, start = [], [], 0
    for level, inputs in sorted(
        set(zip(depth[function].tolist(), arity[function].tolist(), strict=True)), reverse=True
    ):
        here = np.flatnonzero(function & (depth == level) & (arity == inputs))
        size = num_params(inputs, model.fuzzy_type)
        owners.append(np.repeat(tree[here], size))
        sources = np.array([children[i] for i in here.tolist()])
        groups.append(Group(inputs, index[here], sources, slice(start, start + size * len(here))))
        start += size * len(here)
    outputs = index[depth == 0].reshape(len(trees), -1)
    return FuzzyForest(model, features, tuple(groups), outputs, np.concatenate(owners), np.flatnonzero(function))


def loaded(forest: FuzzyForest, trees: list[Nodes], rng: np.random.Generator) -> FloatArray:
    """(params,) the parameters in the trees' records; nodes that were never trained get new ones.

    Operators draw the bias of a node as for any tree: one number for all folds. So a row of equal numbers is new.
    """
    bias = join(trees)[0]["bias"][forest.records]
    params = np.empty(forest.params)
    for group in forest.groups:
        rows = forest.rows(params, group)
        rows[:] = bias[group.nodes, : rows.shape[1]]
        for i in np.flatnonzero((rows == rows[:, :1]).all(axis=1)).tolist():
            rows[i] = drawn(rng, group.inputs, forest.model.fuzzy_type)
    return params


def stored(forest: FuzzyForest, trees: list[Nodes], params: FloatArray) -> list[Nodes]:
    """The trees with ``params`` in their records."""
    nodes, starts = join(trees)
    nodes = nodes.copy()
    for group in forest.groups:
        rows = forest.rows(params, group)
        nodes["bias"][forest.records[group.nodes], : rows.shape[1]] = rows
    return [nodes[start:end] for start, end in pairwise(starts)]


def outputs(forest: FuzzyForest, params: FloatArray, X: FloatArray) -> FloatArray:
    """(trees, outputs, rows) of inputs ``X`` (features, rows)."""
    return _forward(forest, params, X)[0]


def loss_and_gradient(
    forest: FuzzyForest, params: FloatArray, X: FloatArray, target: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(trees,) mean squared errors for ``target`` (outputs, rows), and (params,) the gradient of each tree's own."""
    found, passed = _forward(forest, params, X)
    error = found - target
    slope = np.zeros((len(forest.records), X.shape[1]))
    slope[forest.outputs] = 2 * error / error[0].size
    gradient = np.empty(forest.params)
    for group, kept in zip(reversed(forest.groups), reversed(passed), strict=True):
        part = _block(forest, gradient, group)
        below = backward(kept, slope[group.nodes], part)
        inner = group.sources >= forest.features
        slope[group.sources[inner] - forest.features] = below[inner]  # each node has one parent
    return (error**2).mean(axis=(1, 2)), gradient


def _forward(forest: FuzzyForest, params: FloatArray, X: FloatArray) -> tuple[FloatArray, list[Passed]]:
    value = np.empty((forest.features + len(forest.records), X.shape[1]))
    value[: forest.features] = X
    passed = []
    for group in forest.groups:
        block = _block(forest, params, group)
        value[forest.features + group.nodes], kept = forward(block, forest.model.membership, value[group.sources])
        passed.append(kept)
    return value[forest.features + forest.outputs], passed


def _block(forest: FuzzyForest, params: FloatArray, group: Group) -> Block:
    return parts(forest.rows(params, group), group.inputs, forest.model.fuzzy_type)
