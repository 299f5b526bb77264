"""Magnitude pruning: train a dense network, drop its smallest weights, train the rest, and repeat for smaller sizes.

After Han et al. 2015 (https://arxiv.org/abs/1506.02626, section 3), with one threshold for all layers. Units that no
edge enters, or no edge leaves, are removed with their other edges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from search.baselines.baseline_models import Mask, Network, Sample
from search.baselines.make import MLP_BATCH, MLP_RATE, Made, fitted_mlp
from search.baselines.masked import train

HIDDEN = 32
EPOCHS = 50  # epochs of training after each cut
STEPS = 1000  # the most steps after each cut, about: a large table needs fewer epochs

Layers = tuple[list[FloatArray], list[FloatArray]]  # weights and biases, first layer first
Kept = tuple[Mask, Mask]


def pruned_mlp(sample: Sample, penalty: float, seed: int, *, sizes: tuple[int, ...]) -> Made:
    """An MLP(32) cut to each of ``sizes``, the largest numbers of weights and biases that the results may have.

    If the whole network is within a size, the result is the whole network. A size too small for an edge into each
    output is left out. There is one path of cuts: each smaller network is cut out of the next larger one.
    """
    model = fitted_mlp(sample, penalty, seed, HIDDEN)
    rng = np.random.default_rng((seed, HIDDEN))

    def train_on(layers: Layers, kept: Kept) -> None:
        train(layers, kept, sample, _batches(len(sample.y), rng), penalty=penalty, rate=MLP_RATE)

    return cut_down((model.coefs_, model.intercepts_), sizes, train_on)


def cut_down(layers: Layers, sizes: Iterable[int], train_on: Callable[[Layers, Kept], None]) -> Made:
    """``layers`` cut to the ``sizes``, largest first; each takes several cuts, with further training after each cut."""
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
    """Sizes from the next after ``size`` down to ``wanted``, with ratios of about one half or more."""
    cuts = max(1, round(np.log2(size / wanted)))
    return [round(size * (wanted / size) ** (i / cuts)) for i in range(1, cuts + 1)]


def prune(coefficients: list[FloatArray], biases: list[FloatArray], size: int) -> tuple[Mask, Mask]:
    """Masks of the largest weights of two layers: as many as make ``size`` together with the biases of units in use.

    Changes the layers in place: other weights become 0. A unit that no edge enters is constant; its value is added to
    the biases of the next layer.
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


def _kept(coefficients: list[FloatArray], chosen: np.ndarray) -> tuple[Mask, Mask]:
    mask = np.zeros(sum(weights.size for weights in coefficients), dtype=bool)
    mask[chosen] = True
    cut = coefficients[0].size
    return mask[:cut].reshape(coefficients[0].shape), mask[cut:].reshape(coefficients[1].shape)


def _size(first: Mask, second: Mask) -> int:
    """The number of edges and biases of the outputs, and of the hidden units that edges enter and leave."""
    alive = first.any(axis=0) & second.any(axis=1)
    edges = np.count_nonzero(first[:, alive]) + np.count_nonzero(second[alive])
    return int(edges + np.count_nonzero(alive) + second.shape[1])


def _batches(rows: int, rng: np.random.Generator) -> Iterator[NDArray]:
    per_epoch = -(-rows // MLP_BATCH)
    for _ in range(max(1, min(EPOCHS, STEPS // per_epoch))):
        yield from np.array_split(rng.permutation(rows), per_epoch)


def compact(coefficients: list[FloatArray], biases: list[FloatArray], kept: tuple[Mask, Mask]) -> Network:
    """The network without the units that are not in use."""
    alive = np.flatnonzero(kept[1].any(axis=1))
    return Network(
        (coefficients[0][:, alive], coefficients[1][alive].copy()),
        (biases[0][alive], biases[1].copy()),
        (kept[0][:, alive], kept[1][alive]),
    )
