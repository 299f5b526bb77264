"""Training of a network of two layers of which some weights are held at 0: what scikit-learn's MLP has no way to do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from search.baselines.baseline_models import Array, Mask, Sample

MEAN, SQUARE, TINY = 0.9, 0.999, 1e-8  # Adam's, and scikit-learn's


def train(
    layers: tuple[list[Array], list[Array]],
    kept: tuple[Mask, Mask],
    sample: Sample,
    batches: Iterable[NDArray],
    *,
    penalty: float,
    rate: float,
) -> None:
    """One step of Adam (https://arxiv.org/abs/1412.6980, algorithm 1) per batch of rows; changes ``layers`` in place.

    ``layers``: weights and biases, first layer first; weights that are not ``kept`` must be 0. The loss and its
    ``penalty`` / 2 × |weights|² are summed over a batch and divided by its rows, as scikit-learn's MLP has it.
    """
    (first, second), (hidden_bias, output_bias) = layers
    parameters = [first, second, hidden_bias, output_bias]
    means, squares = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    target = _encoded(sample, len(output_bias))
    for step, batch in enumerate(batches, start=1):
        X, weight = sample.X[batch], sample.weight[batch, None] / len(batch)
        hidden = np.maximum(X @ first + hidden_bias, 0.0)
        # The three losses have the same derivative by the outputs.
        delta = (_predicted(sample.kind, hidden @ second + output_bias) - target[batch]) * weight
        below = (delta @ second.T) * (hidden > 0)
        shrink = penalty / len(batch)
        edges = ((X.T @ below + shrink * first) * kept[0], (hidden.T @ delta + shrink * second) * kept[1])
        size = rate * np.sqrt(1 - SQUARE**step) / (1 - MEAN**step)
        for i, gradient in enumerate((*edges, below.sum(axis=0), delta.sum(axis=0))):
            means[i] = MEAN * means[i] + (1 - MEAN) * gradient
            squares[i] = SQUARE * squares[i] + (1 - SQUARE) * gradient**2
            parameters[i] -= size * means[i] / (np.sqrt(squares[i]) + TINY)


def _encoded(sample: Sample, outputs: int) -> Array:
    """Targets (rows, outputs): scaled values, 0/1 for two classes, one-hot for more; or they are so already."""
    if sample.y.ndim == 2:
        return sample.y
    return np.eye(outputs)[sample.y] if sample.kind == "multiclass" else np.asarray(sample.y, float)[:, None]


def _predicted(kind: str, outputs: Array) -> Array:
    from scipy.special import expit, softmax

    return {"regression": np.asarray, "binary": expit, "multiclass": lambda z: softmax(z, axis=1)}[kind](outputs)
