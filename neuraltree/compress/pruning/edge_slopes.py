"""The values of all nodes of a tree on rows, and the derivatives of the loss by the sums that enter them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import FloatArray
from neuraltree.compress.node_values import forward
from neuraltree.compress.pruning.lesson import Lesson
from neuraltree.tasks.losses import LOSSES, loss_and_level
from neuraltree.tree.nodes import IntArray, Nodes, parents

ROUNDING = 1e-12  # of the size of a sum: a spread below is no change


@dataclass(frozen=True)
class Passed:
    """One fold of a tree on the rows of a lesson: ``sums`` and ``values`` (nodes, rows) of its nodes.

    The sum of a leaf is 0, its value that of its input.
    """

    nodes: Nodes
    lesson: Lesson
    sums: FloatArray
    values: FloatArray
    fold: int = 0

    @cached_property
    def parent(self) -> IntArray:
        return parents(self.nodes["depth"])

    @property
    def weight(self) -> FloatArray:
        """(nodes,) of the edge above each node."""
        return self.nodes["weight"][:, self.fold]

    @cached_property
    def outputs(self) -> IntArray:
        """The output nodes."""
        return np.flatnonzero(self.nodes["depth"] == 0)

    @cached_property
    def means(self) -> FloatArray:
        """(nodes,) the mean value of each node over the rows."""
        return self.values @ self.lesson.weight / len(self.lesson.weight)

    @cached_property
    def lines(self) -> FloatArray:
        """(2, nodes) slopes and intercepts of the lines, as functions of a node's sum, that have the least squared
        distance to its value over the rows; 0 and the mean value for a sum that never changes, but by rounding."""
        share = self.lesson.weight / self.lesson.weight.sum()
        middle = self.sums @ share
        apart = self.sums - middle[:, None]
        spread, size = np.square(apart) @ share, np.square(self.sums) @ share
        changes = spread > ROUNDING**2 * size
        slope = np.divide((apart * self.values) @ share, spread, out=np.zeros_like(spread), where=changes)
        return np.stack([slope, self.means - slope * middle])

    @cached_property
    def deltas(self) -> FloatArray:
        """(nodes, rows) the derivative of a row's loss by the sum that enters a node; 0 at leaves."""
        found = np.zeros_like(self.sums)
        loss, level = loss_and_level(self.lesson.loss)
        top = self.outputs
        found[top] = LOSSES[loss].gradient(self.values[top], self.lesson.targets.T, level)
        for i, op in enumerate(self.nodes["op"].tolist()):  # a parent comes before its children
            if op >= 0:
                continue
            if self.parent[i] >= 0:
                found[i] = found[self.parent[i]] * self.weight[i]
            found[i] *= ACTIVATIONS[~op].derivative(self.sums[i], self.values[i])
        return found

    @cached_property
    def by_edge(self) -> FloatArray:
        """(nodes, rows) the derivative of a row's loss by the weight of the edge above a node; 0 at outputs."""
        return np.where(self.parent[:, None] >= 0, self.deltas[self.parent] * self.values, 0.0)

    @cached_property
    def loss(self) -> float:
        """The mean loss."""
        return self.loss_of(self.values[self.outputs])

    def loss_of(self, values: FloatArray) -> float:
        """The mean loss if the outputs had these values (outputs, rows)."""
        loss, level = loss_and_level(self.lesson.loss)
        return float(np.average(LOSSES[loss].value(values, self.lesson.targets.T, level), weights=self.lesson.weight))

    def rise_with(self, i: int, value: FloatArray) -> float:
        """What the mean loss rises by if node ``i``, which is no output, has this ``value`` (rows,).

        That changes the sums on the way from the parent to the output and no others, so it costs as many nodes as the
        tree is deep.
        """
        while (up := int(self.parent[i])) >= 0:
            total = self.sums[up] + self.weight[i] * (value - self.values[i])
            value, i = ACTIVATIONS[~int(self.nodes["op"][up])].value(total), up
        return self.loss_of(np.where(self.outputs[:, None] == i, value, self.values[self.outputs])) - self.loss


def passed(nodes: Nodes, lesson: Lesson, fold: int = 0) -> Passed:
    """Forward through a tree; infinite values make scores that are not finite, and those edges are kept."""
    return Passed(nodes, lesson, *forward(nodes, lesson.inputs, fold), fold)
