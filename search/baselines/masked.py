"""Training of a two-layer network with some weights held at 0, which scikit-learn's MLP cannot do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tasks.losses import LOSSES
from neuraltree.tasks.task import encode, make_task
from search.baselines.baseline_models import Mask, Sample

MEAN, SQUARE, TINY = 0.9, 0.999, 1e-8  # Adam's, and scikit-learn's


def train(
    layers: tuple[list[FloatArray], list[FloatArray]],
    kept: tuple[Mask, Mask],
    sample: Sample,
    batches: Iterable[NDArray],
    *,
    penalty: float,
    rate: float,
) -> None:
    """One step of Adam (https://arxiv.org/abs/1412.6980, algorithm 1) per batch of rows; changes ``layers`` in place.

    ``layers``: weights and biases, first layer first; weights that are not ``kept`` must be 0. The loss and its
    ``penalty`` / 2 × |weights|² are summed over a batch and divided by its rows, as in scikit-learn's MLP.
    """
    (first, second), (hidden_bias, output_bias) = layers
    parameters = [first, second, hidden_bias, output_bias]
    means, squares = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    task = make_task(sample.kind, len(output_bias), n_targets=len(output_bias))
    target, expected = sample.y if sample.y.ndim == 2 else encode(task, sample.y), LOSSES[task.loss].expected
    for step, batch in enumerate(batches, start=1):
        X, weight = sample.X[batch], sample.weight[batch, None] / len(batch)
        hidden = np.maximum(X @ first + hidden_bias, 0.0)
        delta = (expected((hidden @ second + output_bias).T).T - target[batch]) * weight
        below = (delta @ second.T) * (hidden > 0)
        shrink = penalty / len(batch)
        edges = ((X.T @ below + shrink * first) * kept[0], (hidden.T @ delta + shrink * second) * kept[1])
        size = rate * np.sqrt(1 - SQUARE**step) / (1 - MEAN**step)
        for i, gradient in enumerate((*edges, below.sum(axis=0), delta.sum(axis=0))):
            means[i] = MEAN * means[i] + (1 - MEAN) * gradient
            squares[i] = SQUARE * squares[i] + (1 - SQUARE) * gradient**2
            parameters[i] -= size * means[i] / (np.sqrt(squares[i]) + TINY)
