"""Training of a tree after a cut."""

from __future__ import annotations

import numpy as np

from neuraltree.compress.pruning.lesson import Lesson
from neuraltree.engine.epochs import train_epochs
from neuraltree.engine.optimizers import SCHEDULES
from neuraltree.engine.training import Settings
from neuraltree.tree.nodes import Nodes

RATE, BATCH = 0.01, 64


def retrained(nodes: Nodes, lesson: Lesson, epochs: int, rng: np.random.Generator, *, rate: float = RATE) -> Nodes:
    """The tree trained further by Adam, at a ``rate`` that falls to 0 as a cosine; as it is if that diverges.

    ``KeyboardInterrupt`` is passed on.
    """
    if not epochs:
        return nodes
    trained = train_epochs(
        nodes,
        Settings(lesson.loss, "adam", batch_size=BATCH, precision="float64"),
        inputs=lesson.inputs,
        targets=lesson.targets,
        weight=lesson.weight,
        rates=(rate * SCHEDULES["cosine"].share(np.arange(epochs) / epochs)).tolist(),
        rng=rng,
    )
    if trained.interrupted:
        raise KeyboardInterrupt
    numbers = trained.losses, trained.nodes["weight"], trained.nodes["bias"]
    return trained.nodes if all(np.isfinite(part).all() for part in numbers) else nodes
