"""Trees from pixels and networks in one form: hidden ReLU nodes that read pixels, and outputs that read hidden nodes.

A hidden node of a tree belongs to one output, so the last layer of a tree is 0 but for its own blocks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.growth.dense import Layers
from experiments.growth.pixels import Floats
from experiments.growth.skeleton import Mask
from neuraltree.arrays import FloatArray
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS
from neuraltree.tasks.losses import LOSSES


class TwoLayers(NamedTuple):
    """``kept`` (hidden, features): the edges from pixels; the weights of all others are 0. ``others``: the number of
    weights and biases that are no such edges."""

    layers: Layers
    kept: Mask
    others: int

    @property
    def edges(self) -> int:
        return int(np.count_nonzero(self.kept))

    @property
    def weights(self) -> int:
        return self.edges + self.others


class Judged(NamedTuple):
    """The mean loss, and the share of wrong classes."""

    loss: float
    error: float


def judged(layers: Layers, inputs: Floats, targets: Floats) -> Judged:
    """``inputs`` (rows, features) are scaled, ``targets`` (rows, classes) one-hot."""
    found = outputs(layers, inputs)[1].astype(np.float64)
    wrong = found.argmax(axis=0) != targets.argmax(axis=1)
    return Judged(float(LOSSES["softmax"].value(found, targets.T.astype(np.float64)).mean()), float(wrong.mean()))


def outputs(layers: Layers, inputs: Floats) -> tuple[Floats, Floats]:
    """The values of hidden nodes (hidden, rows) and of outputs (classes, rows)."""
    hidden = np.maximum(layers.first[:, :-1] @ inputs.T + layers.first[:, -1:], 0)
    return hidden, layers.last[:, :-1] @ hidden + layers.last[:, -1:]


def taylor(layers: Layers, inputs: Floats, targets: Floats) -> FloatArray:
    """(hidden, features) what the loss is expected to lose without an edge: the criterion ``taylor`` of ``prune``.

    |w| times the root mean square over rows of the derivative by w. Pixels have the mean 0, so that what comes through
    an edge is all that departs from its mean.
    """
    hidden, found = outputs(layers, inputs)
    deltas = (layers.last[:, :-1].T @ LOSSES["softmax"].gradient(found, targets.T)) * (hidden > 0)
    slope = np.sqrt(np.square(deltas) @ np.square(inputs) / len(inputs))
    return np.asarray(np.abs(layers.first[:, :-1]) * slope, dtype=np.float64)


def strongest(kept: Mask, scores: FloatArray, share: float) -> Mask:
    """The edges without a ``share`` of them, those of the lowest scores."""
    left = kept.copy()
    order = np.argsort(scores[kept], kind="stable")
    places = np.flatnonzero(kept)
    left.ravel()[places[order[: round(share * len(places))]]] = False
    return left


def in_format(layers: Layers, kept: Mask, name: str) -> Layers:
    """The layers with edges from pixels that take only the values of a format of integers, a scale for each node.

    Edges into outputs, which are few, and biases stay exact.
    """
    snap = WEIGHT_FORMATS[name].snap
    assert snap is not None
    rows, columns = np.nonzero(kept)
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    weights: NDArray[np.float64] = layers.first[rows, columns].astype(np.float64)
    integers, scale = snap(weights, first)
    changed = layers.first.copy()
    changed[rows, columns] = integers * np.repeat(scale, np.diff(first, append=len(rows)))
    return layers._replace(first=changed)
