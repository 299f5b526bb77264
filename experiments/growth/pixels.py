"""Training images: scaled as the tree's scaler will scale them, shifted at random as they are drawn."""

from __future__ import annotations

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
    padded = np.pad(images, ((0, 0), (most, most), (most, most)))
    places = 2 * most + 1
    which = rng.integers(0, places**2, len(images))
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:], axis=(1, 2))
    return windows[np.arange(len(images)), which // places, which % places]


def scaled(images: Bytes, scaler: Scaler) -> Floats:
    """(rows, features) in single precision, in which a row takes half of the time."""
    inputs = images.reshape(len(images), -1).astype(np.float32)
    inputs -= scaler.mean.astype(np.float32)
    inputs /= scaler.scale.astype(np.float32)
    return inputs
