"""Operations with frozen neurons, beside a training that computes only what it is asked for and counts it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from neuraltree.tree.generate import random_tree
from neuraltree.tree.space import Space
from neuraltree.updating.operations import Wiring, moving, nominal_share, operations, wiring_of

EPOCHS = 6


def tree_wiring(seed: int) -> Wiring:
    rng = np.random.default_rng(seed)
    return wiring_of(random_tree(rng, Space(4, 2, ("tanh",), "identity", 60, 5, 4), max_nodes=40))


def layered_wiring(seed: int) -> Wiring:
    """2 outputs, 3 hidden neurons, 4 below them, with some of the edges missing; 5 inputs."""
    rng = np.random.default_rng(seed)
    layers = [range(2), range(2, 5), range(5, 9)]
    edges = [(a, b) for i in (0, 1) for a in layers[i] for b in layers[i + 1] if rng.random() < 0.8]
    reader, source = np.array(rng.permutation(edges)).T
    fan_in = np.bincount(reader, minlength=9) + np.repeat([0, 0, 5], [2, 3, 4])
    return Wiring(fan_in, reader, source)


class Demanding:
    """Epochs of a training that computes each value and each delta when it is first asked for.

    The state of a neuron's value is the number of updates of its own and of all below it: a value that was computed
    at one state serves again as long as the state lasts.
    """

    def __init__(self, wiring: Wiring) -> None:
        edges = list(zip(wiring.reader.tolist(), wiring.source.tolist(), strict=True))
        self.count = len(wiring.fan_in)
        self.fan_in = wiring.fan_in.tolist()
        self.below = [[b for a, b in edges if a == i] for i in range(self.count)]
        self.above = [[a for a, b in edges if b == i] for i in range(self.count)]
        self.updates = [0] * self.count
        self.stored: dict[int, tuple] = {}

    def state(self, i: int) -> tuple:
        return self.updates[i], *(self.state(b) for b in self.below[i])

    def epoch(self, frozen: list[bool], keep: bool) -> tuple[int, int, int]:
        """(forward, slopes, deltas) of one row."""
        begun = [self.state(i) for i in range(self.count)]
        self.updates = [n + (not f) for n, f in zip(self.updates, frozen, strict=True)]
        lasting = [begun[i] == self.state(i) for i in range(self.count)]
        spent = dict.fromkeys(("forward", "slopes", "deltas"), 0)

        @cache
        def value(i: int) -> None:
            if keep and lasting[i] and self.stored.get(i) == begun[i]:
                return
            spent["forward"] += self.fan_in[i]
            for b in self.below[i]:
                value(b)
            if lasting[i]:
                self.stored[i] = begun[i]

        @cache
        def delta(i: int) -> None:
            for a in self.above[i]:
                delta(a)
                spent["deltas"] += 1

        for i in range(self.count):
            if not self.above[i]:
                value(i)
            if not frozen[i]:
                delta(i)
                spent["slopes"] += self.fan_in[i]
        return spent["forward"], spent["slopes"], spent["deltas"]


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("wired", [tree_wiring, layered_wiring])
def test_operations_are_those_that_a_training_asks_for(wired, keep: bool) -> None:
    rng = np.random.default_rng(7)
    for seed in range(20):
        wiring = wired(seed)
        training, kept = Demanding(wiring), np.zeros(len(wiring.fan_in), bool)
        frozen = rng.random(kept.shape) < 0.7
        for _ in range(EPOCHS):
            frozen ^= rng.random(kept.shape) < 0.2
            counted = operations(wiring, frozen, kept if keep else None)
            assert tuple(map(int, counted)) == training.epoch(frozen.tolist(), keep)
            kept = ~moving(wiring, frozen)


def test_the_neurons_of_a_tree_are_its_function_nodes() -> None:
    """An output that reads x0 and a hidden node, which reads x1, a hidden node of x2 and x3, and x0."""
    nodes = np.zeros(8, [("depth", np.int16), ("op", np.int32)])
    nodes["depth"], nodes["op"] = [0, 1, 1, 2, 2, 3, 3, 2], [-6, 0, -2, 1, -2, 2, 3, 0]
    wiring = wiring_of(nodes)
    assert [part.tolist() for part in wiring] == [[2, 3, 2], [0, 1], [1, 2]]
    # The node in the middle is frozen: it passes the delta on, but the derivatives by its weights are saved.
    frozen = np.array([False, True, False])
    assert tuple(map(int, operations(wiring, frozen))) == (7, 4, 2)
    assert nominal_share(wiring, frozen) == pytest.approx(3 / 7)
    # Whole subtrees: no deltas at all below the output, and with values kept only the output is computed.
    frozen = np.array([False, True, True])
    assert tuple(map(int, operations(wiring, frozen))) == (7, 2, 0)
    assert tuple(map(int, operations(wiring, frozen, kept=frozen))) == (2, 2, 0)


def test_many_masks_at_once_are_as_each_alone() -> None:
    wiring, rng = layered_wiring(3), np.random.default_rng(0)
    frozen, kept = rng.random((2, 5, 9)) < 0.6
    together = operations(wiring, frozen, kept)
    alone = [operations(wiring, *pair) for pair in zip(frozen, kept, strict=True)]
    assert [part.tolist() for part in together] == [list(part) for part in zip(*alone, strict=True)]
    assert together.total.tolist() == [each.total for each in alone]
    assert nominal_share(wiring, frozen).tolist() == [nominal_share(wiring, each) for each in frozen]
