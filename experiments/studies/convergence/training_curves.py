"""What a training leaves behind: losses and scores after each epoch, at the epochs that are kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray

POINTS = 20  # epochs that are kept of a training, as evenly spread over their logarithm as can be


class Curve(NamedTuple):
    """``loss`` (epochs,) the mean loss of the training rows; ``score`` (epochs,) accuracy or R² of the test rows."""

    weights: int
    loss: FloatArray
    score: FloatArray


def points(epochs: int) -> list[int]:
    """Epochs from 1 to the last."""
    return sorted(set(np.rint(np.geomspace(1, epochs, POINTS)).astype(int).tolist()))


def score_of(found: FloatArray, targets: FloatArray, classes: bool) -> FloatArray:
    """(...) accuracy, or R² of the only output, for outputs and targets (..., outputs, rows): the largest output wins,
    and a single output decides at 1/2. Outputs that are not finite are wrong, and have no R² (-inf)."""
    if classes:
        codes, truth = (
            each.argmax(axis=-2) if targets.shape[-2] > 1 else each[..., 0, :] > 0.5 for each in (found, targets)
        )
        return np.asarray(np.mean((codes == truth) & np.isfinite(found).all(axis=-2), axis=-1), dtype=np.float64)
    wanted = targets[..., 0, :]
    apart = np.square(found[..., 0, :] - wanted).sum(axis=-1)
    score = 1 - apart / np.square(wanted - wanted.mean(axis=-1, keepdims=True)).sum(axis=-1)
    return np.where(np.isfinite(score), score, -np.inf)
