"""The rounds of training steps: their rows and learning rates, and when edges are rewired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from experiments.growth.course import Course
from experiments.growth.pixels import Pixels, shifted
from neuraltree.arrays import EngineArray


class Round(NamedTuple):
    """Rows in their order; the share of the training that is over at each step, and of the rewiring before, if any."""

    rows: NDArray[np.int64]
    progress: NDArray[np.float64]
    rewired: float | None


class Batches(NamedTuple):
    """``images`` (steps, batch, features) of bytes, ``targets`` (steps, batch, classes), ``rates`` (steps,)."""

    images: EngineArray
    targets: EngineArray
    rates: EngineArray


Scaling = tuple[EngineArray, EngineArray]  # mean and scale of every feature


def inputs_of(batch: Batches, scaling: Scaling) -> jax.Array:
    """(batch, features + 1) inputs as the engine wants them. Bytes up to here, as they take a quarter of the memory."""
    mean, scale = scaling
    inputs = (batch.images.astype(mean.dtype) - mean[None]) / scale[None]
    return jnp.pad(inputs, ((0, 0), (0, 1)), constant_values=1.0)


def rounds(pixels: Pixels, course: Course, rng: np.random.Generator) -> Iterator[Round]:
    """All rounds of a training; edges are rewired before some of them, the last time down to the budget."""
    steps = len(pixels.images) // course.batch // course.rounds
    total = course.epochs * course.rounds
    rewirings = int(course.until * total)
    for epoch in range(course.epochs):
        order = rng.permutation(len(pixels.images))[: course.rounds * steps * course.batch]
        for i, rows in enumerate(np.split(order, course.rounds)):
            done = epoch * course.rounds + i
            rewired = done / rewirings if 0 < done <= rewirings else None
            yield Round(rows, (done + np.arange(steps) / steps) / total, rewired)


def batches(pixels: Pixels, course: Course, of: Round, rng: np.random.Generator) -> Batches:
    """A batch for each step."""
    drawn = shifted(pixels.images[of.rows], course.shift, rng), pixels.targets[of.rows]
    images, targets = (part.reshape(len(of.progress), course.batch, -1) for part in drawn)
    return Batches(images, targets, course.rates(of.progress))
