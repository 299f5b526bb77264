"""Magnitude pruning: train dense, drop the smallest weights, train what is left, and again down a path of sizes.

After Han et al. 2015 (https://arxiv.org/abs/1506.02626, section 3), with one threshold for all layers; units that no
edge enters or leaves go with the edges they have left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from search.baselines.baseline_models import Array, Mask, Network, Sample
from search.baselines.make import MLP_BATCH, MLP_RATE, Made, fitted_mlp
from search.baselines.masked import train

HIDDEN = 32
EPOCHS = 50  # of training after each cut
STEPS = 1000  # at most: a large table needs fewer epochs

Layers = tuple[list[Array], list[Array]]  # weights and biases, first layer first
Kept = tuple[Mask, Mask]


def pruned_mlp(sample: Sample, penalty: float, seed: int, *, sizes: tuple[int, ...]) -> Made:
    """An MLP(32) cut to every one of ``sizes``, the most weights and biases it may have.

    A size that the whole is within gets the whole; one too small for an edge into each output is left out.
    One network goes down the path: the smaller is cut out of the larger one.
    """
    model = fitted_mlp(sample, penalty, seed, HIDDEN)
    rng = np.random.default_rng((seed, HIDDEN))

    def train_on(layers: Layers, kept: Kept) -> None:
        train(layers, kept, sample, _batches(len(sample.y), rng), penalty=penalty, rate=MLP_RATE)

    return cut_down((model.coefs_, model.intercepts_), sizes, train_on)


def cut_down(layers: Layers, sizes: Iterable[int], train_on: Callable[[Layers, Kept], None]) -> Made:
    """``layers`` cut to the ``sizes``, largest first, and trained on after each of several cuts."""
    outputs, size = len(layers[1][-1]), sum(part.size for layer in layers for part in layer)
    kept: Kept = (np.ones_like(layers[0][0], dtype=bool), np.ones_like(layers[0][1], dtype=bool))
    made: Made = {}
    for wanted in sorted((s for s in sizes if s > 2 * outputs), reverse=True):
        for smaller in _steps(size, wanted) if wanted < size else ():
            kept = prune(*layers, smaller)
            train_on(layers, kept)
        made[wanted], size = compact(*layers, kept), min(wanted, size)
    return made


def _steps(size: int, wanted: int) -> list[int]:
    """Sizes from the next after ``size`` down to ``wanted``, each about half of the last or more."""
    cuts = max(1, round(np.log2(size / wanted)))
    return [round(size * (wanted / size) ** (i / cuts)) for i in range(1, cuts + 1)]


def prune(coefficients: list[Array], biases: list[Array], size: int) -> tuple[Mask, Mask]:
    """The largest weights of two layers, as many as leave ``size`` with the biases of the units in use.

    Changes the layers in place: other weights become 0, and a unit that no edge enters moves into the next bias.
    """
    magnitude = np.concatenate([np.abs(weights).ravel() for weights in coefficients])
    order = np.argsort(-magnitude, kind="stable")[: np.count_nonzero(magnitude)]
    for count in range(min(len(order), 2 * size), 0, -1):
        first, second = _kept(coefficients, order[:count])
        if _size(first, second) <= size:
            break
    entered, left = np.asarray(first.any(axis=0)), np.asarray(second.any(axis=1))
    constant = left & ~entered
    biases[1] += np.maximum(biases[0][constant], 0.0) @ (coefficients[1] * second)[constant]
    kept = first & (entered & left), second & (entered & left)[:, None]
    for weights, mask in zip(coefficients, kept, strict=True):
        weights *= mask
    return kept


def _kept(coefficients: list[Array], chosen: np.ndarray) -> tuple[Mask, Mask]:
    mask = np.zeros(sum(weights.size for weights in coefficients), dtype=bool)
    mask[chosen] = True
    cut = coefficients[0].size
    return mask[:cut].reshape(coefficients[0].shape), mask[cut:].reshape(coefficients[1].shape)


def _size(first: Mask, second: Mask) -> int:
    """Edges and biases of the units that something enters and leaves, and of the outputs."""
    alive = first.any(axis=0) & second.any(axis=1)
    edges = np.count_nonzero(first[:, alive]) + np.count_nonzero(second[alive])
    return int(edges + np.count_nonzero(alive) + second.shape[1])


def _batches(rows: int, rng: np.random.Generator) -> Iterator[NDArray]:
    per_epoch = -(-rows // MLP_BATCH)
    for _ in range(max(1, min(EPOCHS, STEPS // per_epoch))):
        yield from np.array_split(rng.permutation(rows), per_epoch)


def compact(coefficients: list[Array], biases: list[Array], kept: tuple[Mask, Mask]) -> Network:
    """Without the units that are out of use."""
    alive = np.flatnonzero(kept[1].any(axis=1))
    return Network(
        (coefficients[0][:, alive], coefficients[1][alive].copy()),
        (biases[0][alive], biases[1].copy()),
        (kept[0][:, alive], kept[1][alive]),
    )
