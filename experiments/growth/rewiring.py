"""One rewiring of a tree in training: the weakest leaf edges are dropped, and others are inserted with weight zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.growth.course import Course
from experiments.growth.edges import drop, insert
from experiments.growth.pixels import Floats, Pixels
from experiments.growth.rounds import drawn
from experiments.growth.skeleton import Mask, Skeleton, forest_of, places, spread_out
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Data, Settings, make_data

PROBE_ROWS = 2048  # rows for the gradient of absent leaves

SETTINGS = Settings("softmax", "adam")


class State(NamedTuple):
    """A tree in training: its leaves, its parameters in the order of its forest, and the optimiser's moments."""

    mask: Mask
    params: Floats
    moments: list[NDArray]


class Task(NamedTuple):
    """The training data of a tree; ``usable``: the possible leaves that read a pixel that changes."""

    skeleton: Skeleton
    pixels: Pixels
    usable: Mask
    course: Course


def probe(pixels: Pixels, course: Course, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Inputs (rows, features) and targets to take the gradient of absent leaves over."""
    return drawn(pixels, course, rng.permutation(len(pixels.images))[:PROBE_ROWS], rng)


def lesson_of(pixels: Pixels, inputs: Floats, targets: Floats) -> tuple[Settings, Data]:
    """What the engine needs to train on these rows, at the temperature of the pixels."""
    soft = None if pixels.temperature == 1 else np.full(len(inputs), pixels.soft)
    data = make_data(inputs, targets, None, SETTINGS.precision, soft)
    return SETTINGS._replace(temperature=pixels.temperature), data


def absent_slopes(task: Task, state: State, rng: np.random.Generator) -> NDArray[np.float64]:
    """(function nodes, features) gradient by every leaf weight, absent ones too."""
    settings, data = lesson_of(task.pixels, *probe(task.pixels, task.course, rng))
    rows = np.arange(len(data.weight), dtype=np.int32)
    return lowering().slopes(forest_of(task.skeleton, state.mask), settings, data, rows, state.params)


def _random(task: Task, state: State, rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.random(state.mask.shape)


GAINS: dict[str, Callable[[Task, State, np.random.Generator], NDArray[np.float64]]] = {
    "gradient": lambda task, state, rng: np.abs(absent_slopes(task, state, rng)),
    "random": _random,
}


def exchange(
    course: Course,
    mask: Mask,
    usable: Mask,
    budget: int,
    progress: float,
    strength: NDArray,
    gain: Callable[[Mask], NDArray],
) -> tuple[Mask, Mask]:
    """The part of ``mask`` that is kept, and that part with the inserted edges: ``budget`` edges at ``progress`` 1.

    The edges of least ``strength`` are dropped; the absent edges of largest ``gain`` after that are inserted.
    """
    possible = int(usable.sum())
    wanted = course.wanted(budget, possible, progress)
    exchanged = course.exchanged(wanted, possible, progress)
    kept = drop(mask, strength, int(mask.sum()) - wanted + exchanged)
    return kept, insert(kept, usable, gain(kept), exchanged) if exchanged else kept


def rewire(task: Task, state: State, budget: int, progress: float, rng: np.random.Generator) -> State:
    """The state with as many leaves as the course wants when a share ``progress`` of its rewiring is over."""
    # By how far a leaf moves its node on average, whatever the spread of its pixel.
    strength = np.abs(spread_out(state.mask, state.params)[:, 2:]) * task.pixels.spread

    def gain(kept: Mask) -> NDArray[np.float64]:
        return GAINS[task.course.insertion](task, _moved(state, kept, kept), rng)

    kept, mask = exchange(task.course, state.mask, task.usable, budget, progress, strength, gain)
    return _moved(state, kept, mask)


def _moved(state: State, kept: Mask, mask: Mask) -> State:
    """The state with the leaves of ``mask``: weights and moments of those not in ``kept`` begin with zero."""
    stay = places(kept)
    before, after = stay[places(state.mask)], stay[places(mask)]

    def moved(part: NDArray) -> NDArray:
        made = np.zeros(len(after), part.dtype)
        made[after] = part[before]
        return made

    count, *moments = state.moments
    return State(mask, moved(state.params), [count, *map(moved, moments)])
