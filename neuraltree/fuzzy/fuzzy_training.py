"""Training of fuzzy trees by gradients: all trees of a forest together, each by Adam on its own squared error.

The gradient is written in NumPy: a population's structures change with each generation, and a program compiled for
their shapes would be compiled as often. After each step parameters return within their limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.fuzzy.fuzzy_forest import FuzzyForest, FuzzyModel, loss_and_gradient, outputs
from neuraltree.tree.space import Space

DECAY, SQUARE_DECAY, SMALLEST = 0.9, 0.999, 1e-8  # Kingma and Ba, "Adam", ICLR 2015, algorithm 1


class FuzzyTraining(NamedTuple):
    """``steps`` of ``batch_size`` rows each; the rate falls from ``learning_rate`` to 0 along a cosine."""

    steps: int = 300
    batch_size: int = 64
    learning_rate: float = 0.02


class FuzzyProblem(NamedTuple):
    """What a search of structures is given: ``X`` (features, rows) and ``target`` (outputs, rows) within 0 and 1."""

    X: FloatArray
    target: FloatArray
    model: FuzzyModel
    space: Space
    training: FuzzyTraining


def trained(
    forest: FuzzyForest,
    params: FloatArray,
    X: FloatArray,
    target: FloatArray,
    training: FuzzyTraining,
    rng: np.random.Generator,
) -> FloatArray:
    """(params,) after training on ``X`` (features, rows) and ``target`` (outputs, rows)."""
    low, high = forest.limits()
    params = params.clip(low, high)
    first, second = np.zeros((2, forest.params))
    for step, rows in enumerate(_batches(X.shape[1], training, rng), 1):
        gradient = loss_and_gradient(forest, params, X[:, rows], target[:, rows])[1]
        first += (1 - DECAY) * (gradient - first)
        second += (1 - SQUARE_DECAY) * (gradient**2 - second)
        rate = training.learning_rate * (1 + np.cos(np.pi * (step - 1) / training.steps)) / 2
        change = first / (1 - DECAY**step) / (np.sqrt(second / (1 - SQUARE_DECAY**step)) + SMALLEST)
        params = (params - rate * change).clip(low, high)
    return params


def losses(forest: FuzzyForest, params: FloatArray, X: FloatArray, target: FloatArray) -> FloatArray:
    """(trees,) mean squared errors."""
    return ((outputs(forest, params, X) - target) ** 2).mean(axis=(1, 2))


def _batches(rows: int, training: FuzzyTraining, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """``training.steps`` batches: a new order for each pass over the rows, of which a rest is left out."""
    size, order, start = min(training.batch_size, rows), rng.permutation(rows), 0
    for _ in range(training.steps):
        if start + size > rows:
            order, start = rng.permutation(rows), 0
        yield order[start : start + size]
        start += size
