"""Mini-batch training of one large tree by the engine, its leaf edges rewired between rounds of steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.growth.course import Course
from experiments.growth.edges import random_mask
from experiments.growth.pixels import Floats, Pixels
from experiments.growth.rewiring import State, Task, lesson_of, rewire
from experiments.growth.rounds import Round, drawn, rounds
from experiments.growth.skeleton import Mask, Skeleton, forest_of, places
from neuraltree.activations import code_of
from neuraltree.compress.weights.weight_formats import code_snaps
from neuraltree.engine import training
from neuraltree.engine.forest import Forest
from neuraltree.engine.lowering import lowering
from neuraltree.tree.nodes import parents

STEPS_A_CALL = 32  # the images of more, as floats, would be memory that the system clears for each call


def train(
    skeleton: Skeleton,
    pixels: Pixels,
    leaves: int,
    course: Course,
    rng: np.random.Generator,
    weights: str | None = None,
) -> State:
    """A trained tree of ``leaves`` leaf edges. ``weights``: a number format of integers, in which the leaf edges are
    trained once they stay; those returned are the ones before rounding."""
    task = Task(skeleton, pixels, skeleton.possible & (pixels.spread > 0), course)
    state, stays = start_state(task, leaves, rng), False
    for each in rounds(pixels, course, rng):
        if each.rewired:
            state = rewire(task, state, leaves, each.rewired, rng)
        stays |= each.rewired == 1
        state = train_round(task, state, each, rng, weights if stays else None)
    return state


def start_state(task: Task, leaves: int, rng: np.random.Generator) -> State:
    """The tree before its first step: as many leaves as its course begins with, at random."""
    first = task.course.wanted(leaves, int(task.usable.sum()), 0.0)
    mask = random_mask(task.usable, first, rng)
    params = start_params(task.skeleton, mask, rng)
    return State(mask, params, [np.array(0), np.zeros_like(params), np.zeros_like(params)])


def start_params(skeleton: Skeleton, mask: Mask, rng: np.random.Generator) -> Floats:
    """Normal: leaf weights of deviation gain / sqrt(leaves), edges of 1 / sqrt(siblings); biases are 0.

    The gain is √2 for relu, which halves the variance, and 1 for others.
    """
    depth, parent = skeleton.functions["depth"], parents(skeleton.functions["depth"])
    gain = np.where(skeleton.bare.kind == code_of("relu"), np.sqrt(2.0), 1.0)
    deviation = np.zeros((len(mask), 2 + mask.shape[1]))
    deviation[depth > 0, 1] = 1 / np.sqrt(np.bincount(parent[depth > 0])[parent[depth > 0]])
    deviation[:, 2:] = (gain / np.sqrt(np.maximum(mask.sum(axis=1), 1)))[:, None]
    return (rng.normal(size=deviation.shape) * deviation)[places(mask)].astype(np.float32)


def train_round(task: Task, state: State, each: Round, rng: np.random.Generator, weights: str | None = None) -> State:
    """The state after a step for every batch of the round's rows; ``weights``: see ``train``."""
    course, forest = task.course, forest_of(task.skeleton, state.mask)
    steps = np.arange(len(each.progress))
    for some in np.split(steps, steps[STEPS_A_CALL::STEPS_A_CALL]):
        rows = each.rows[some[0] * course.batch : (some[-1] + 1) * course.batch]
        settings, data = lesson_of(task.pixels, *drawn(task.pixels, course, rows, rng))
        how, rates = settings._replace(batch_size=course.batch), course.rates(each.progress[some])
        if weights is None:
            state = _train_batches(forest, state, how, data, rates)
        else:
            state = _train_rounded(forest, state, how, data, rates, weights)
    return state


def _train_batches(
    forest: Forest, state: State, settings: training.Settings, data: training.Data, rates: NDArray[np.float64]
) -> State:
    order, nothing = np.arange(len(data.weight), dtype=np.int32)[None], np.zeros(0, np.int32)
    course = training.Course(order, rates, nothing, epochs=1)
    found = lowering().train(forest, settings, data, course, state.params, np.ones(1), moments=state.moments)
    return State(state.mask, found.last, found.moments)


def _train_rounded(
    forest: Forest,
    state: State,
    settings: training.Settings,
    data: training.Data,
    rates: NDArray[np.float64],
    weights: str,
) -> State:
    """Straight-through steps (Courbariaux et al. 2015, BinaryConnect, algorithm 1, https://arxiv.org/abs/1511.00363):
    each change is that at the rounded weights, and is made to those before rounding."""
    for step, rate in enumerate(rates):
        here = slice(step * settings.batch_size, (step + 1) * settings.batch_size)
        soft = None if data.soft is None else data.soft[here]
        part = training.Data(data.inputs[here], data.targets[here], data.weight[here], soft)
        at = rounded(forest, state.params, weights)
        moved = _train_batches(forest, state._replace(params=at), settings, part, np.array([rate]))
        state = moved._replace(params=state.params + (moved.params - at))
    return state


def rounded(forest: Forest, params: Floats, weights: str) -> Floats:
    """The parameters with leaf weights that take only the values of a number format, a scale for each node.

    Leaves have one unit, so that this is what ``quantize_tree`` makes of them.
    """
    leaf = forest.source >= 0
    owner = np.repeat(np.arange(forest.nodes), np.diff(forest.first_param))[leaf]
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    snap = code_snaps(weights).hidden
    assert snap is not None
    integers, scale = snap(params[leaf].astype(np.float64), first)
    found = params.copy()
    found[leaf] = integers * np.repeat(scale, np.diff(first, append=len(owner)))
    return found
