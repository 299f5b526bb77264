"""The training work that all contenders share, and the timing of a contender."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import IntArray, Nodes, count_weights
from neuraltree.tree.space import Space

FEATURES = 10
MAX_NODES = 52  # sizes are uniform up to it: 37 weights a tree on average
MIXED = ("sigmoid", "tanh", "gaussian", "relu")
LEARNING_RATE = 1e-3
DECAY, EPSILON = 0.9, 1e-8  # optax's defaults for RMSprop, for the C contender, which cannot import it


class Workload(NamedTuple):
    """Trees and the rows they see: half the mean squared error, RMSprop, float32."""

    space: Space
    trees: list[Nodes]
    inputs: NDArray[np.float32]  # (rows, features)
    targets: NDArray[np.float32]  # (rows,)
    order: IntArray  # (epochs, rows) int32
    batch: int

    @property
    def weights(self) -> int:
        return sum(count_weights(tree) for tree in self.trees)

    @property
    def steps(self) -> int:
        return self.order.size // self.batch


class Contender(NamedTuple):
    """``run()`` trains ``weights`` trainable scalars from their start over the whole order, and returns them."""

    run: Callable[[], Any]
    weights: int
    samples: int


class Speed(NamedTuple):
    """One round: million weight·samples a second, and how many processor cores were busy."""

    mws: float
    cores: float


def make_workload(
    n_trees: int, batch: int, *, rows: int, epochs: int, activations: tuple[str, ...] = MIXED, seed: int = 0
) -> Workload:
    """Random trees and a smooth target; ``rows`` is a multiple of ``batch``, so that no batch is padded."""
    if rows % batch:
        raise ValueError(f"rows = {rows} is not a multiple of the batch size, {batch}")
    rng = np.random.default_rng(seed)
    space = Space(FEATURES, activations=activations, max_nodes=MAX_NODES)
    trees = [random_tree(rng, space, max_nodes=MAX_NODES) for _ in range(n_trees)]
    inputs = rng.standard_normal((rows, FEATURES)).astype(np.float32)
    targets = np.sin(inputs[:, 0] * inputs[:, 1]) + inputs[:, 2] ** 2 - 1
    order = np.array([rng.permutation(rows) for _ in range(epochs)], dtype=np.int32)
    return Workload(space, trees, inputs, targets, order, batch)


def measure(entry: Contender, seconds: float) -> Speed:
    """Call it until ``seconds`` have passed."""
    start, cpu, calls = time.perf_counter(), time.process_time(), 0
    while calls == 0 or time.perf_counter() - start < seconds:
        entry.run()
        calls += 1
    wall, busy = time.perf_counter() - start, time.process_time() - cpu
    return Speed(1e-6 * entry.weights * entry.samples * calls / wall, busy / wall)
