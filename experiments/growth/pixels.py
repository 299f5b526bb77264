"""Training images: scaled as the tree's scaler will scale them, shifted at random as they are drawn."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.scaler import Scaler

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Pixels(NamedTuple):
    """``images`` (rows, side, side), ``targets`` (rows, classes) one-hot, ``spread`` (features,) of scaled pixels."""

    images: Bytes
    targets: Floats
    scaler: Scaler
    spread: NDArray[np.float64]

    @property
    def scaling(self) -> tuple[Floats, Floats]:
        return self.scaler.mean.astype(np.float32), self.scaler.scale.astype(np.float32)


def make_pixels(images: Bytes, classes: NDArray[np.integer], outputs: int) -> Pixels:
    """Pixels less their mean, by one scale for all: those that hardly ever change stay small."""
    centred = images.reshape(len(images), -1).astype(np.float32)
    mean = centred.mean(axis=0, dtype=np.float64)
    centred -= mean.astype(np.float32)
    deviation = np.sqrt(np.mean(np.square(centred), axis=0, dtype=np.float64))
    scale = np.sqrt(np.mean(deviation**2))
    targets = np.eye(outputs, dtype=np.float32)[classes]
    return Pixels(images, targets, Scaler(mean, np.full(len(mean), scale)), deviation / scale)


def shifted(images: Bytes, most: int, rng: np.random.Generator) -> Bytes:
    """Each image moved by up to ``most`` pixels either way, zeros coming in."""
    _, height, width = images.shape
    padded = np.pad(images, ((0, 0), (most, most), (most, most)))
    moved = np.empty_like(images)
    which = rng.integers(0, (2 * most + 1) ** 2, len(images))
    for move, (down, right) in enumerate(product(range(2 * most + 1), repeat=2)):
        here = which == move
        moved[here] = padded[here, down : down + height, right : right + width]
    return moved


def scaled(images: Bytes, scaler: Scaler) -> Floats:
    """(rows, features + 1) as the engine reads them, the last column being 1."""
    inputs = np.ones((len(images), len(scaler.mean) + 1), np.float32)
    inputs[:, :-1] = scaler.transform(images.reshape(len(images), -1))
    return inputs
