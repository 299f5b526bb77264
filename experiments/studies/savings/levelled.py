"""Trees and dense networks as one kind of network in levels, in many copies with weights of their own.

The copies (lanes) read the same rows, so that one matrix product serves the inputs of all of them. A weight has a place
in a vector; matrices are filled from the vectors for each step, and only their occupied cells count as weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import IntArray, Nodes, parents
from neuraltree.updating.operations import Wiring

Floats = NDArray[np.float32]


class Block(NamedTuple):
    """The edges between a level and the next: their ``weights``, and the cells ``place`` of a matrix of ``shape``."""

    weights: slice
    place: IntArray
    shape: tuple[int, int]


class Levelled(NamedTuple):
    """Neurons from the outputs down, each reading inputs and neurons of the next level.

    ``bounds``: where each level begins, and the end. ``kinds``: for each level its stretches of one activation, as
    (begin, end, code). ``leaf_place`` (leaf weights,): cells of the matrix (neurons, features + 1), whose last column
    holds biases; ``edge_place`` (edges,): cells of the matrix (neurons, neurons). Weights are in this order.
    ``blocks``: for each level but the lowest.
    """

    features: int
    bounds: tuple[int, ...]
    kinds: tuple[tuple[tuple[int, int, int], ...], ...]
    leaf_place: IntArray
    edge_place: IntArray
    blocks: tuple[Block, ...]

    @property
    def neurons(self) -> int:
        return self.bounds[-1]

    @property
    def outputs(self) -> int:
        return self.bounds[1]

    @property
    def owner(self) -> IntArray:
        """(weights,) the neuron that each weight or bias leads into."""
        return np.concatenate([self.leaf_place // (self.features + 1), self.edge_place // self.neurons])

    @property
    def depth(self) -> IntArray:
        """(neurons,) 0 for outputs."""
        return np.repeat(np.arange(len(self.bounds) - 1), np.diff(self.bounds))

    @property
    def wiring(self) -> Wiring:
        bias = self.leaf_place % (self.features + 1) == self.features
        counted = np.concatenate([~bias, np.ones(len(self.edge_place), bool)])
        fan_in = np.bincount(self.owner[counted], minlength=self.neurons)
        return Wiring(fan_in, *np.divmod(self.edge_place, self.neurons))


def _levelled(
    codes: Sequence[IntArray], leaves: FloatArray, edges: FloatArray, has_leaf: NDArray, has_edge: NDArray
) -> tuple[Levelled, Floats]:
    """From the activations of each level, and matrices of weights with the cells that they occupy."""
    bounds = tuple(np.cumsum([0, *map(len, codes)]).tolist())
    kinds = tuple(
        tuple(
            (begin + found[0][0], begin + found[-1][0] + 1, code)
            for code, group in groupby(enumerate(level.tolist()), key=lambda pair: pair[1])
            for found in [list(group)]
        )
        for begin, level in zip(bounds, codes, strict=False)
    )
    places = np.flatnonzero(has_leaf), np.flatnonzero(has_edge)
    weights = np.concatenate([leaves.ravel()[places[0]], edges.ravel()[places[1]]])
    blocks = tuple(_blocks(bounds, has_edge, len(places[0])))
    return Levelled(leaves.shape[1] - 1, bounds, kinds, *places, blocks), weights.astype(np.float32)


def _blocks(bounds: Sequence[int], has_edge: NDArray, first: int) -> Iterator[Block]:
    """``first``: the number of weights before those of edges, which come level by level."""
    for begin, end, below in zip(bounds, bounds[1:], bounds[2:], strict=False):
        occupied = has_edge[begin:end, end:below]
        place = np.flatnonzero(occupied)
        yield Block(slice(first, first + len(place)), place, occupied.shape)
        first += len(place)


def from_nodes(nodes: Nodes, features: int) -> tuple[Levelled, Floats]:
    """A tree and its weights; leaves of one node that read the same input become one."""
    function = np.flatnonzero(nodes["op"] < 0)
    # By level, and within a level by activation, so that stretches are long.
    function = function[np.lexsort((~nodes["op"][function], nodes["depth"][function]))]
    place = np.full(len(nodes), -1)
    place[function] = np.arange(len(function))
    depth = nodes["depth"][function]
    codes = [~nodes["op"][function[depth == level]] for level in range(int(depth.max()) + 1)]
    reader, weight = place[parents(nodes["depth"])], nodes["weight"][:, 0]
    leaves, edges = np.zeros((len(function), features + 1)), np.zeros((len(function), len(function)))
    has_leaf, has_edge = leaves > 0, edges > 0
    leaf = np.flatnonzero(nodes["op"] >= 0)
    np.add.at(leaves, (reader[leaf], nodes["op"][leaf]), weight[leaf])
    has_leaf[reader[leaf], nodes["op"][leaf]] = has_leaf[:, features] = True
    leaves[:, features] = nodes["bias"][function, 0]
    hidden = function[depth > 0]
    edges[reader[hidden], place[hidden]] = weight[hidden]
    has_edge[reader[hidden], place[hidden]] = True
    return _levelled(codes, leaves, edges, has_leaf, has_edge)


def dense(rng: np.random.Generator, sizes: Sequence[int], code: int, output_code: int) -> tuple[Levelled, Floats]:
    """A dense network of ``sizes`` (features, widths of hidden levels from the bottom, outputs), with random weights.

    Weights are N(0, 1 / inputs of their neuron), biases 0.
    """
    features, *widths = sizes
    widths = widths[::-1]  # from the outputs down
    codes = [np.full(width, code if i else output_code) for i, width in enumerate(widths)]
    neurons, bounds = sum(widths), np.cumsum([0, *widths])
    leaves, edges = rng.standard_normal((neurons, features + 1)), rng.standard_normal((neurons, neurons))
    has_leaf, has_edge = np.zeros(leaves.shape, bool), np.zeros(edges.shape, bool)
    for (begin, end), below in zip(pairwise(bounds), widths[1:], strict=False):
        has_edge[begin:end, end : end + below] = True
        edges[begin:end] /= np.sqrt(below)
    has_leaf[bounds[-2] :, :features] = has_leaf[:, features] = True
    leaves /= np.sqrt(features)
    leaves[:, features] = 0
    return _levelled(codes, leaves, edges, has_leaf, has_edge)


class Passed(NamedTuple):
    """``sums`` and ``values`` (lanes, neurons, rows), and for each block its matrices (lanes, *shape)."""

    sums: Floats
    values: Floats
    edges: list[Floats]


def with_ones(X: NDArray) -> Floats:
    """Inputs (features + 1, rows) of rows (rows, features): the last is 1, for the biases."""
    return np.concatenate([X.T, np.ones((1, len(X)))]).astype(np.float32)


@np.errstate(all="ignore")  # weights that diverge are found by their losses
def forward(net: Levelled, weights: Floats, inputs: Floats) -> Passed:
    """``weights`` (lanes, weights), ``inputs`` (features + 1, rows)."""
    lanes = len(weights)
    leaves = _filled(weights[:, : len(net.leaf_place)], net.leaf_place, (net.neurons, net.features + 1))
    edges = [_filled(weights[:, block.weights], block.place, block.shape) for block in net.blocks]
    sums = (leaves.reshape(-1, net.features + 1) @ inputs).reshape(lanes, net.neurons, inputs.shape[1])
    values = np.empty_like(sums)
    for level in range(len(net.kinds) - 1, -1, -1):
        here, below = _levels(net, level)
        if level < len(edges):
            sums[:, here] += edges[level] @ values[:, below]
        for first, last, code in net.kinds[level]:
            values[:, first:last] = ACTIVATIONS[code].value(sums[:, first:last])
    return Passed(sums, values, edges)


def _filled(weights: Floats, place: IntArray, shape: tuple[int, int]) -> Floats:
    """(lanes, *shape) with the weights (lanes, cells) at their places, 0 elsewhere."""
    matrix = np.zeros((len(weights), shape[0] * shape[1]), np.float32)
    matrix[:, place] = weights
    return matrix.reshape(-1, *shape)


def _levels(net: Levelled, level: int) -> tuple[slice, slice]:
    """The neurons of a level and of the next one, which the lowest level has not."""
    begin, end, *below = net.bounds[level : level + 3]
    return slice(begin, end), slice(end, *below or [end])


@np.errstate(all="ignore")
def slopes(net: Levelled, passed: Passed, inputs: Floats, deltas: Floats) -> Floats:
    """(lanes, weights) the derivatives of a loss by the weights, from those by the outputs (lanes, outputs, rows)."""
    lanes, _, rows = passed.sums.shape
    delta, found = np.empty_like(passed.sums), []
    delta[:, : net.outputs] = deltas
    for level, kinds in enumerate(net.kinds):
        for first, last, code in kinds:
            part = slice(first, last)
            delta[:, part] *= ACTIVATIONS[code].derivative(passed.sums[:, part], passed.values[:, part])
        if level < len(net.blocks):
            here, below = _levels(net, level)
            by_edge = delta[:, here] @ passed.values[:, below].transpose(0, 2, 1)
            found.append(by_edge.reshape(lanes, -1)[:, net.blocks[level].place])
            delta[:, below] = passed.edges[level].transpose(0, 2, 1) @ delta[:, here]
    by_leaf = (delta.reshape(-1, rows) @ inputs.T).reshape(lanes, -1)[:, net.leaf_place]
    return np.concatenate([by_leaf, *found], axis=1)
