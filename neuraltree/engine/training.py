"""The description of a training: its settings, its rows, and its course; and its result. Both lowerings take these."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.engine.forest import Indices
from neuraltree.engine.learned_rates import LearnedRate
from neuraltree.engine.optimizers import OPTIMIZERS, SCHEDULES

MOST_SHUFFLES = 64
MOST_DRAWN = 8_000_000  # row numbers that all shuffles of a course may hold
JUDGES = ("loss", "error_rate")  # what validation measures; an error rate is the share of wrong classes
NEVER: Indices = np.zeros(1, dtype=np.int32)  # a flag to stop a call that nobody sets


class Settings(NamedTuple):
    """The settings that are fixed for a run."""

    loss: str
    optimizer: str = "adam"
    learning_rate: float = 0.01  # at which the rates of a course begin, and those that trees learn
    schedule: str = "cosine"
    batch_size: int = 64
    precision: str = "float32"
    weight_decay: float = 0.0
    temperature: float = 1.0  # of the softened part of the loss of rows that have one


class Data(NamedTuple):
    """Rows that a training may read, in the precision of its settings."""

    inputs: NDArray  # (rows, features)
    targets: NDArray  # (rows, outputs)
    weight: NDArray  # (rows,) mean one
    soft: NDArray | None = None  # (rows,) the share of the loss that is taken at the temperature; None: that is 1


class Course(NamedTuple):
    """The order of the rows in training and validation, and when it ends."""

    order: Indices  # (shuffles, training rows) used in turn
    rates: FloatArray  # (epochs x steps,) learning rates
    validation: Indices  # (validation rows,); none: the last weights are kept
    epochs: int
    patience: int = 0  # epochs without improvement after which a tree stops; 0: never
    judge: str = "loss"  # one of ``JUDGES``


class Fitted(NamedTuple):
    """The weights ``params`` (params,) of the best epoch, its ``loss`` (trees,) in validation, and the ``best_epoch``.

    Epoch 0 is untrained. A tree whose loss or weights were never finite has an infinite ``loss``. Also the ``last``
    weights, the mean training losses of each epoch (epochs, trees), and the optimiser's state as plain arrays.
    """

    params: NDArray
    loss: FloatArray
    best_epoch: NDArray[np.int32]
    last: NDArray
    losses: FloatArray
    moments: list[NDArray]


def make_data(
    inputs: NDArray, targets: NDArray, weight: NDArray | None, precision: str, soft: NDArray | None = None
) -> Data:
    """Scaled inputs (rows, features) and encoded targets (rows, outputs) in the form that the engine needs.

    ``soft`` (rows,): see ``neuraltree.tasks.softening``.
    """
    weights = np.ones(len(inputs)) if weight is None else weight * (len(inputs) / weight.sum())
    parts = (inputs, targets, weights) if soft is None else (inputs, targets, weights, soft)
    return Data(*(np.ascontiguousarray(part, dtype=precision) for part in parts))


def make_course(
    settings: Settings,
    fit_rows: NDArray,
    validation_rows: NDArray,
    *,
    epochs: int,
    patience: int,
    seed: int | tuple[int, ...],
) -> Course:
    """Shuffled training rows for each epoch, and learning rates that follow the schedule of the settings."""
    # More shuffles only cost memory, so later epochs use the first ones again.
    shuffles = max(1, min(epochs, MOST_SHUFFLES, MOST_DRAWN // max(len(fit_rows), 1)))
    order = shuffled(fit_rows, settings, shuffles, np.random.default_rng(seed))
    rates = scheduled(settings, epochs * -(-len(fit_rows) // settings.batch_size))
    return Course(order, rates, validation_rows.astype(np.int32), epochs, patience)


def scheduled(settings: Settings, steps: int) -> FloatArray:
    """(steps,) the learning rates of a whole training."""
    return settings.learning_rate * SCHEDULES[settings.schedule].share(np.arange(steps) / max(steps, 1))


def learned_rate(settings: Settings) -> LearnedRate | None:
    """How trees learn their rates, if they do."""
    row = OPTIMIZERS.get(settings.optimizer)
    return row.learned if row else None


def shares(course: Course, settings: Settings) -> FloatArray:
    """(epochs x steps,) what multiplies the rates that trees learn; without them the learning rates themselves."""
    return course.rates / settings.learning_rate if learned_rate(settings) else course.rates


def shuffled(rows: NDArray, settings: Settings, shuffles: int, rng: np.random.Generator) -> Indices:
    """(shuffles, rows) the rows in random orders; once, as they are, if they all fit one batch."""
    rows = rows.astype(np.int32)
    if len(rows) <= settings.batch_size:
        return rows[None]
    return np.stack([rng.permutation(rows) for _ in range(shuffles)])
