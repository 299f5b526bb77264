"""Exact counts of all trees of a population at once: values to store, operations, and values live at one time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS, NAMES
from neuraltree.compress.formats import INTEGER_INPUTS, RAW
from neuraltree.compress.narrow.narrow_edges import NarrowEdges
from neuraltree.inputs.features import RULES
from neuraltree.tree.nodes import IntArray, Nodes, parents


@dataclass(frozen=True)
class Counts:
    """Arrays with one entry per tree. Function nodes are all nodes but leaves; every node but an output has an edge to
    its parent."""

    nodes: IntArray  # records: function nodes and leaves
    function_nodes: IntArray
    hidden_nodes: IntArray  # function nodes that are not outputs
    outputs: IntArray
    leaf_edges: IntArray  # edges that read a feature
    node_edges: IntArray  # edges that read a hidden node
    depth: IntArray  # edges on the longest path from an output to a leaf
    kinds: IntArray  # (trees, kinds): function nodes of each activation, in the order of NAMES
    features_used: IntArray  # distinct features that the tree reads
    inner_nodes: IntArray  # function nodes with a hidden node among their children
    peak_live: IntArray  # most values live at one time, see _needs
    adds: NDArray[np.bool_]  # whether a weight is positive
    subtracts: NDArray[np.bool_]  # whether a weight is negative or a mean is subtracted
    far_features: IntArray  # distinct features whose mean float code subtracts first
    integer_features: IntArray  # (trees, types): distinct features of each of INTEGER_INPUTS
    integer_edges: IntArray  # (trees, types): edges that read them
    rules: IntArray  # (trees, rules): distinct features that are made from columns by each of RULES
    raw_features: IntArray  # distinct features that integer code reads as they are
    narrow: NarrowEdges | None = None  # what code in weights of fewer than 8 bits has beside this

    @property
    def float_features(self) -> IntArray:
        """Distinct features that are floats."""
        return self.features_used - self.integer_features.sum(axis=1) - self.raw_features

    @property
    def edges(self) -> IntArray:
        return self.leaf_edges + self.node_edges

    @property
    def weights(self) -> IntArray:
        """Stored scalars: one weight per edge and one bias per function node."""
        return self.edges + self.function_nodes

    @property
    def macs(self) -> IntArray:
        """Multiply-accumulates: one per edge."""
        return self.edges

    @property
    def total_activations(self) -> IntArray:
        """Values computed in one prediction: one per function node."""
        return self.function_nodes

    @property
    def distinct_activations(self) -> IntArray:
        """The number of different activations in use, without identity, which needs no code."""
        used = self.kinds > 0
        return used.sum(axis=1) - used[:, NAMES.index("identity")]

    @property
    def training_bytes(self) -> IntArray:
        """RAM of exported training in place, without the stack: the weights, and one number per function node."""
        return 4 * self.weights + 4 * self.function_nodes

    @property
    def flops(self) -> IntArray:
        """Two per edge, one per bias, and for each activation its weight in the Livermore loops (McMahon 1986)."""
        each = np.array([row.flops for row in ACTIVATIONS])
        return 2 * self.edges + self.function_nodes + self.kinds @ each


def count(
    nodes: Nodes,
    starts: IntArray,
    far: NDArray[np.bool_] | None = None,
    rules: IntArray | None = None,
    inputs: IntArray | None = None,
) -> Counts:
    """The counts of trees laid end to end; tree ``i`` is ``nodes[starts[i]:starts[i + 1]]`` (see ``nodes.join``).

    ``far`` (features,): see ``folding.far``; by default no input is far. ``rules`` (features,): the position in
    ``inputs.features.RULES`` of the rule that makes each feature from a column, -1 for none; by default there are no
    columns. ``inputs`` (features,): see ``input_types.integer_inputs``, or ``RAW``; by default all are floats.
    """
    trees = len(starts) - 1
    size = np.diff(starts)
    # The fields are copied once, because a field of a record is strided and is read many times here.
    depth, op = nodes["depth"].astype(np.int64), nodes["op"].astype(np.int64)
    tree = np.repeat(np.arange(trees), size)
    function, output = op < 0, depth == 0
    kinds = np.bincount(tree[function] * len(NAMES) + ~op[function], minlength=trees * len(NAMES))
    kinds = kinds.reshape(trees, len(NAMES))
    function_nodes, outputs = kinds.sum(axis=1), np.bincount(tree[output], minlength=trees)
    parent = parents(depth)
    hidden = function & ~output
    inner = np.zeros(len(depth), dtype=bool)
    inner[parent[hidden]] = True
    centred = np.zeros(len(op), dtype=bool) if far is None else ~function & far[np.maximum(op, 0)]
    far_features = _distinct(tree[centred], op[centred], trees)
    leaves, integers = (tree[~function], op[~function]), np.zeros((2, trees, len(INTEGER_INPUTS)), dtype=np.int64)
    kinds_of_leaves = np.full(len(leaves[1]), -1) if inputs is None else inputs[leaves[1]]
    for i in range(len(INTEGER_INPUTS)):
        of = kinds_of_leaves == i
        integers[0, :, i] = _distinct(leaves[0][of], leaves[1][of], trees)
        integers[1, :, i] = np.bincount(leaves[0][of], minlength=trees)
    raw = kinds_of_leaves == RAW
    return Counts(
        nodes=size,
        function_nodes=function_nodes,
        hidden_nodes=function_nodes - outputs,
        outputs=outputs,
        leaf_edges=size - function_nodes,
        node_edges=function_nodes - outputs,
        depth=np.maximum.reduceat(depth, starts[:-1]),
        kinds=kinds,
        features_used=_distinct(*leaves, trees),
        inner_nodes=np.bincount(tree[inner], minlength=trees),
        peak_live=np.maximum.reduceat(_needs(depth, parent, function), starts[:-1]),
        adds=np.logical_or.reduceat((nodes["weight"][:, 0] > 0) & ~output, starts[:-1]),
        subtracts=np.logical_or.reduceat((nodes["weight"][:, 0] < 0) & ~output, starts[:-1]) | (far_features > 0),
        far_features=far_features,
        integer_features=integers[0],
        integer_edges=integers[1],
        rules=_by_rule(*leaves, trees, rules),
        raw_features=_distinct(leaves[0][raw], leaves[1][raw], trees),
    )


def _by_rule(tree: IntArray, feature: IntArray, trees: int, rules: IntArray | None) -> IntArray:
    """(trees, rules) the number of different features made by each rule that each tree reads."""
    if rules is None:
        return np.zeros((trees, len(RULES)), dtype=np.int64)
    made = [rules[feature] == rule for rule in range(len(RULES))]
    return np.stack([_distinct(tree[each], feature[each], trees) for each in made], axis=1)


def _distinct(tree: IntArray, feature: IntArray, trees: int) -> IntArray:
    """The number of different features that each tree reads."""
    width = int(feature.max(initial=0)) + 1
    pair = np.sort(tree * width + feature)
    new = np.diff(pair, prepend=-1) > 0
    return np.bincount(pair[new] // width, minlength=trees).astype(np.int64)


def _needs(depth: IntArray, parent: IntArray, function: NDArray[np.bool_]) -> IntArray:
    """Partial sums live at one time while a node is evaluated in the best order: its Horton-Strahler number.

    Evaluation is post-order, and each value is added to its parent's sum at once. If the children need
    n1 >= n2 >= ... and the largest comes first, only the first is evaluated before the parent's sum is live:
    need = max(n1, n2 + 1). That is n1 + 1 if two children need n1, and n1 if only one does (Sethi and Ullman 1970).
    A leaf stays in the input and needs 0, so a node that has only leaves needs 1.
    """
    need = function.astype(np.int64)
    for level in range(int(depth.max(initial=0)), 0, -1):
        here = np.flatnonzero(depth == level)
        # In prefix order siblings are neighbours within a level, so the children of one parent are one run.
        run = np.flatnonzero(np.diff(parent[here], prepend=-1))
        largest = np.maximum.reduceat(need[here], run)
        length = np.diff(run, append=len(here))
        ties = np.add.reduceat(need[here] == np.repeat(largest, length), run, dtype=np.int64)
        need[parent[here[run]]] = np.maximum(largest + (ties > 1), 1)
    return need
