"""Training images: scaled as the tree's scaler will scale them, shifted at random as they are drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.scaler import Scaler

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Pixels(NamedTuple):
    """``images`` (rows, side, side), ``targets`` (rows, classes) one-hot, ``spread`` (features,) of scaled pixels.

    ``taught`` (places, rows, classes): targets from a teacher for each place that an image can be moved to. ``soft`` is
    the share of the loss that is taken at the ``temperature``; see ``neuraltree.tasks.softening``.
    """

    images: Bytes
    targets: Floats
    scaler: Scaler
    spread: NDArray[np.float64]
    taught: Floats | None = None
    soft: float = 0.0
    temperature: float = 1.0

    def targets_of(self, rows: NDArray[np.int64], places: NDArray[np.int64]) -> Floats:
        """(rows, classes) the targets of images moved to these places."""
        return self.targets[rows] if self.taught is None else self.taught[places, rows]


def make_pixels(images: Bytes, classes: NDArray[np.integer], outputs: int) -> Pixels:
    """Pixels less their mean, by one scale for all: those that hardly ever change stay small."""
    centred = images.reshape(len(images), -1).astype(np.float32)
    mean = centred.mean(axis=0, dtype=np.float64)
    centred -= mean.astype(np.float32)
    deviation = np.sqrt(np.mean(np.square(centred), axis=0, dtype=np.float64))
    scale = np.sqrt(np.mean(deviation**2))
    targets = np.eye(outputs, dtype=np.float32)[classes]
    return Pixels(images, targets, Scaler(mean, np.full(len(mean), scale)), deviation / scale)


def places_of(most: int) -> int:
    """The number of places to which an image can be moved by up to ``most`` pixels either way; the middle one is its
    own."""
    return (2 * most + 1) ** 2


def moved(images: Bytes, most: int, places: NDArray[np.int64]) -> Bytes:
    """Each image moved to its place of ``places_of(most)``, zeros coming in."""
    padded = np.pad(images, ((0, 0), (most, most), (most, most)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:], axis=(1, 2))
    down, right = np.divmod(places, 2 * most + 1)
    return windows[np.arange(len(images)), down, right]


def shifted(images: Bytes, most: int, rng: np.random.Generator) -> Bytes:
    """Each image moved by up to ``most`` pixels either way."""
    return moved(images, most, rng.integers(0, places_of(most), len(images)))


def scaled(images: Bytes, scaler: Scaler) -> Floats:
    """(rows, features) in single precision, in which a row takes half of the time."""
    inputs = images.reshape(len(images), -1).astype(np.float32)
    inputs -= scaler.mean.astype(np.float32)
    inputs /= scaler.scale.astype(np.float32)
    return inputs
