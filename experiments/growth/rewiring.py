"""One rewiring of a tree in training: the weakest leaf edges are dropped, and others are inserted with weight zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from experiments.growth.course import Course
from experiments.growth.edges import drop, insert
from experiments.growth.pixels import Floats, Pixels, scaled, shifted
from experiments.growth.skeleton import Mask, Skeleton, masked_forest
from neuraltree.engine.chunks import leaf_slopes
from neuraltree.engine.forest import Params
from neuraltree.engine.training_step import Data, Settings

PROBE_ROWS = 2048  # rows for the gradient of absent leaves

SETTINGS = Settings("softmax", "adam")


class State(NamedTuple):
    """A tree in training: its leaves, its weights, and the optimiser's moments."""

    mask: Mask
    params: Params
    moments: Any


class Task(NamedTuple):
    """The training data of a tree; ``usable``: the possible leaves that read a pixel that changes."""

    skeleton: Skeleton
    pixels: Pixels
    usable: Mask
    course: Course


def probe(pixels: Pixels, course: Course, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Inputs (rows, features + 1) and targets to take the gradient of absent leaves over."""
    rows = rng.permutation(len(pixels.images))[:PROBE_ROWS]
    return scaled(shifted(pixels.images[rows], course.shift, rng), pixels.scaler), pixels.targets[rows]


def absent_slopes(task: Task, state: State, rng: np.random.Generator) -> NDArray[np.float64]:
    """(rows, columns) gradient by every leaf weight, absent ones too: one matrix product of deltas and inputs."""
    inputs, targets = probe(task.pixels, task.course, rng)
    data = Data(inputs, targets, np.ones(len(inputs), np.float32))
    forest = masked_forest(task.skeleton, state.mask)
    return leaf_slopes(task.skeleton.shape, SETTINGS, forest, state.params, data)


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
    strength = np.abs(np.asarray(state.params.leaf)) * np.append(task.pixels.spread, 0.0)

    def gain(kept: Mask) -> NDArray[np.float64]:
        return GAINS[task.course.insertion](task, _without(task.skeleton, state, kept), rng)

    kept, mask = exchange(task.course, state.mask, task.usable, budget, progress, strength, gain)
    return _without(task.skeleton, state, kept)._replace(mask=mask)


def _without(skeleton: Skeleton, state: State, kept: Mask) -> State:
    """Only the leaves of ``kept``; the weights and moments of the others are zero."""
    alive = masked_forest(skeleton, kept).leaf_mask

    def cleared(part: Any) -> Any:
        if not isinstance(part, Params):
            return np.asarray(part)
        return Params(np.asarray(part.leaf) * alive.reshape(part.leaf.shape), np.asarray(part.edge))

    moments = jax.tree.map(cleared, state.moments, is_leaf=lambda part: isinstance(part, Params))
    return State(kept, cleared(state.params), moments)
