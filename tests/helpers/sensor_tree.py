"""A tree over counts of converters, of the size at which the conversion of inputs was most of an int8 prediction."""

from __future__ import annotations

import numpy as np

from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import GAUSSIAN, IDENTITY, SIGMOID, TANH, record

KINDS = (SIGMOID, TANH, GAUSSIAN)


def sensor_tree() -> Tree:
    """61 weights: 40 edges from 27 inputs, 10 hidden nodes of three kinds, one output."""
    rng = np.random.default_rng(3)
    inputs = rng.permutation([*range(27), *rng.integers(0, 27, 13)]).tolist()
    rows = [(0, IDENTITY, 0.0, 0.1)]

    def leaves(depth: int, count: int) -> None:
        for _ in range(count):
            rows.append((depth, inputs.pop(), float(rng.choice([-1, 1]) * rng.uniform(0.2, 1.5)), 0.0))

    for group in range(3):
        rows.append((1, KINDS[group], float(rng.uniform(0.5, 1.5)), 0.1))
        for below in range(2):
            rows.append((2, KINDS[(group + below) % 3], float(rng.uniform(-1.5, -0.5)), -0.2))
            if (group, below) == (2, 1):
                rows.append((3, TANH, 0.8, 0.3))
                leaves(4, 5)
            leaves(3, 5)
        leaves(2, 1)
    leaves(1, len(inputs))
    scaler = Scaler(rng.uniform(500, 2500, 27), rng.uniform(50, 600, 27))
    names = tuple(f"adc{i}" for i in range(27))
    return Tree(record(rows), "binary", names, (0, 1), scaler, input_range=rng.uniform(2, 4, 27))
