"""A step of training with rounding: the forward pass of the integer model, the gradient of the float tree.

Rounding has no useful derivative, so the gradient passes straight through it (Bengio et al. 2013; Jacob et al. 2018,
section 3): it is the gradient of the float tree at the sums that the integers stand for. Trees are laid end to end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.activations import ACTIVATIONS, Activation, code_of
from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.integers import Integers, scaled
from neuraltree.compress.int8.lookup_tables import values
from neuraltree.tasks.losses import LOSSES, Loss
from neuraltree.tasks.task import LOSS_OF
from neuraltree.tree.nodes import IntArray, Nodes, parents


class SumLoss(NamedTuple):
    """A training loss as a function of the sums that enter output nodes, (..., outputs, rows), and of targets."""

    loss: Loss
    output: Activation

    def value(self, sums: FloatArray, targets: FloatArray) -> FloatArray:
        """(..., rows)"""
        return self.loss.value(self.output.value(sums), targets)

    def slope(self, sums: FloatArray, targets: FloatArray) -> FloatArray:
        """The derivative of the value by the sums."""
        outputs = self.output.value(sums)
        return self.loss.gradient(outputs, targets) * self.output.derivative(sums, outputs)


# By kind and output activation of a tree: the loss that it was trained on.
SUM_LOSSES = {key: SumLoss(LOSSES[name], ACTIVATIONS[code_of(key[1])]) for key, name in LOSS_OF.items()}


class CodedRows(NamedTuple):
    """Training rows: int8 codes and the standardised inputs they stand for (features, rows), targets (trees, outputs,
    rows)."""

    codes: IntArray
    inputs: FloatArray
    targets: FloatArray
    weight: FloatArray  # (rows,) with mean 1

    def take(self, index: IntArray) -> CodedRows:
        return CodedRows(self.codes[:, index], self.inputs[:, index], self.targets[..., index], self.weight[index])


class Level(NamedTuple):
    """Function nodes of one depth, grouped by kind, and their children: one contiguous run for each parent."""

    nodes: IntArray
    kinds: tuple[tuple[int, IntArray], ...]
    children: IntArray
    first: IntArray  # the position in ``children`` at which each run begins
    parent: IntArray  # the parent of each run


def levels(nodes: Nodes) -> list[Level]:
    """The levels of trees laid end to end, the deepest first."""
    depth, op = nodes["depth"].astype(np.int64), nodes["op"].astype(np.int64)
    above, result = parents(depth), []
    for level in range(int(depth.max()), -1, -1):
        here = np.flatnonzero((depth == level) & (op < 0))
        kinds = tuple((code, here[op[here] == ~code]) for code in np.unique(~op[here]).tolist())
        children = np.flatnonzero(depth == level + 1)
        first = np.flatnonzero(np.diff(above[children], prepend=-1))
        result.append(Level(here, kinds, children, first, above[children[first]]))
    return result


def integer_sums(network: list[Level], nodes: Nodes, numbers: Integers, codes: IntArray) -> FloatArray:
    """(nodes, rows) the real numbers that the sums of the integer model ``numbers`` stand for; 0 at leaves.

    ``codes`` (features, rows): quantised inputs.
    """
    return sums_of(network, nodes, numbers, codes) * numbers.unit[:, None]


def sums_of(network: list[Level], nodes: Nodes, numbers: Integers, codes: IntArray) -> IntArray:
    """(nodes, rows) the sums of the integer model; 0 at leaves."""
    # 32 bits are enough, as in C: ``quantize`` holds every sum and its product with the multiplier below 2^31.
    weight, bias, multiplier, shift = (
        array.astype(np.int32)[:, None]
        for array in (numbers.weight * numbers.keep, numbers.bias, numbers.multiplier, numbers.shift)
    )
    value, sums = np.zeros((2, len(nodes), codes.shape[1]), dtype=np.int32)
    leaf = nodes["op"] >= 0
    value[leaf] = codes[nodes["op"][leaf]]
    for level in network:
        sums[level.nodes] = bias[level.nodes]
        if len(level.children):
            products = weight[level.children] * value[level.children]
            sums[level.parent] += np.add.reduceat(products, level.first)
        for code, here in level.kinds:
            value[here] = values(code, scaled(sums[here], multiplier[here], shift[here]))
    return sums


def gradient(network: list[Level], nodes: Nodes, sums: FloatArray, rows: CodedRows, loss: SumLoss) -> FloatArray:
    """(2, nodes) derivatives of the mean loss by weights and biases, given the ``sums`` that enter function nodes.

    The activation of outputs is not applied here: ``loss`` is a function of their sums and contains it.
    """
    weight, op = nodes["weight"][:, 0], nodes["op"]
    value, delta = np.zeros((2, *sums.shape))
    leaf = op >= 0
    value[leaf] = rows.inputs[op[leaf]]
    above = parents(nodes["depth"])
    *hidden, top = network
    slope = loss.slope(sums[top.nodes].reshape(rows.targets.shape), rows.targets)
    delta[top.nodes] = (slope * (rows.weight / len(rows.weight))).reshape(-1, sums.shape[1])
    for level in reversed(hidden):
        for code, here in level.kinds:
            kind, total = ACTIVATIONS[code], sums[here]
            value[here] = kind.value(total)
            arriving = delta[above[here]] * weight[here, None]
            delta[here] = arriving * kind.derivative(total, value[here])
    by_weight = np.where(above >= 0, np.einsum("nr,nr->n", delta[above], value), 0)
    return np.stack([by_weight, delta.sum(axis=1)])
