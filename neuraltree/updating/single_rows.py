"""Descent by single rows, as on a device, for many choices of trained nodes and learning rates of one tree at once.

A way is one choice and one rate: a column of arrays (nodes, ways). All ways see the same rows in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import Activation
from neuraltree.arrays import FloatArray
from neuraltree.compress.node_values import forward
from neuraltree.compress.pruning.lesson import Lesson
from neuraltree.tasks.losses import LOSSES, loss_and_level
from neuraltree.tree.nodes import IntArray, Nodes, one_set, parents
from neuraltree.updating.training_state import Live, TrainingState


class Parameters(NamedTuple):
    """(nodes, ways) each, as the fields of the node record."""

    weight: FloatArray
    bias: FloatArray

    def nodes(self, like: Nodes, way: int) -> Nodes:
        return one_set(like, self.weight[:, way], self.bias[:, way])


class _Level(NamedTuple):
    """The function nodes of one depth, and all nodes ``below`` them. ``sums`` (nodes, below) is 1 at its children."""

    inner: IntArray
    below: IntArray
    parent: IntArray
    sums: FloatArray
    kinds: list[tuple[Activation, IntArray]]


class SingleRows:
    """Descends from the ``nodes`` of one tree; ``live`` (ways, nodes): the trained nodes, ``rates`` (ways,)."""

    def __init__(self, nodes: Nodes, lesson: Lesson, live: Live, rates: FloatArray) -> None:
        self._lesson, self._loss = lesson, loss_and_level(lesson.loss)
        self._levels = _levels(nodes)
        self._leaves = np.flatnonzero(nodes["op"] >= 0)
        self._inputs = nodes["op"][self._leaves]
        state, ways = TrainingState(nodes), len(live)
        # The rate of each parameter: 0 for those that are not trained.
        edges = np.array([state.trained_edges(each) for each in live]).T
        self._by_weight, self._by_bias = edges * rates, (live.T & state.function[:, None]) * rates
        self.parameters = Parameters(*(np.repeat(nodes[field][:, :1], ways, axis=1) for field in ("weight", "bias")))
        self._sums, self._values, self._deltas = np.zeros((3, len(nodes), ways))

    @np.errstate(all="ignore")  # a rate that is too large leaves numbers that are not finite
    def epoch(self, order: IntArray) -> None:
        """One step for each row, in this order of the rows of the lesson."""
        for row in order.tolist():
            self._forward(self._lesson.inputs[row])
            self._backward(self._lesson.targets[row])

    def _forward(self, row: FloatArray) -> None:
        weight, bias = self.parameters
        self._values[self._leaves] = row[self._inputs][:, None]
        for level in reversed(self._levels):
            found = bias[level.inner] + level.sums @ (weight[level.below] * self._values[level.below])
            self._sums[level.inner] = found
            for kind, at in level.kinds:
                self._values[at] = kind.value(self._sums[at])

    def _backward(self, target: FloatArray) -> None:
        weight, bias = self.parameters
        loss, level_of_loss = self._loss
        top = self._levels[0].inner
        self._deltas[top] = LOSSES[loss].gradient(self._values[top], target[:, None], level_of_loss)
        for level in self._levels:
            for kind, at in level.kinds:
                self._deltas[at] *= kind.derivative(self._sums[at], self._values[at])
            bias[level.inner] -= self._by_bias[level.inner] * self._deltas[level.inner]
            above = self._deltas[level.parent]
            self._deltas[level.below] = above * weight[level.below]
            weight[level.below] -= self._by_weight[level.below] * above * self._values[level.below]


def _levels(nodes: Nodes) -> list[_Level]:
    return list(_each_level(nodes, parents(nodes["depth"])))


def _each_level(nodes: Nodes, parent: IntArray) -> Iterator[_Level]:
    for depth in range(int(nodes["depth"].max()) + 1):
        inner = np.flatnonzero((nodes["depth"] == depth) & (nodes["op"] < 0))
        below = np.flatnonzero(nodes["depth"] == depth + 1)
        if len(inner):
            sums = (parent[below] == inner[:, None]).astype(np.float64)
            codes = ~nodes["op"][inner]
            kinds = [(ACTIVATIONS[code], inner[codes == code]) for code in np.unique(codes).tolist()]
            yield _Level(inner, below, parent[below], sums, kinds)


def row_by_row(
    nodes: Nodes, lesson: Lesson, live: Live, rates: FloatArray, epochs: int, rng: np.random.Generator
) -> Iterator[Parameters]:
    """The parameters (nodes, ways) after each of the epochs, each with its own order of all rows."""
    course = SingleRows(nodes, lesson, live, rates)
    for _ in range(epochs):
        course.epoch(rng.permutation(len(lesson.inputs)))
        yield course.parameters


def losses(nodes: Nodes, parameters: Parameters, lesson: Lesson) -> FloatArray:
    """(ways,) the mean losses on the rows of a lesson; infinite for ways whose numbers are not finite."""
    loss, level = loss_and_level(lesson.loss)
    top, found = nodes["depth"] == 0, []
    for way in range(parameters.weight.shape[1]):
        outputs = forward(parameters.nodes(nodes, way), lesson.inputs).values[top]
        with np.errstate(all="ignore"):
            found.append(np.average(LOSSES[loss].value(outputs, lesson.targets.T, level), weights=lesson.weight))
    return np.nan_to_num(np.array(found), nan=np.inf)
