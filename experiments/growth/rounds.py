"""The rounds of training steps: their rows and learning rates, and when edges are rewired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.growth.course import Course
from experiments.growth.pixels import Floats, Pixels, moved, places_of, scaled


class Round(NamedTuple):
    """Rows in their order; the share of the training that is over at each step, and of the rewiring before, if any."""

    rows: NDArray[np.int64]
    progress: NDArray[np.float64]
    rewired: float | None


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


def drawn(pixels: Pixels, course: Course, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Scaled inputs (rows, features) of shifted images, and targets (rows, classes)."""
    places = rng.integers(0, places_of(course.shift), len(rows))
    return scaled(moved(pixels.images[rows], course.shift, places), pixels.scaler), pixels.targets_of(rows, places)
