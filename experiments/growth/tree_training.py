"""Mini-batch training of one large tree by the engine, its leaf edges rewired between rounds of steps."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from experiments.growth.course import Course
from experiments.growth.edges import random_mask
from experiments.growth.pixels import Pixels
from experiments.growth.rewiring import SETTINGS, State, Task, rewire
from experiments.growth.rounds import Batches, Scaling, batches, inputs_of, rounds
from experiments.growth.skeleton import Mask, Skeleton, masked_forest
from neuraltree.activations import code_of
from neuraltree.engine.compiled import run_program
from neuraltree.engine.forest import Params
from neuraltree.engine.optimizers import TrainingState
from neuraltree.engine.packing import Forest, Shape
from neuraltree.engine.training_step import Batch, Settings, first_arrays, flatten, make_step, unflatten


def train(skeleton: Skeleton, pixels: Pixels, leaves: int, course: Course, rng: np.random.Generator) -> State:
    """A trained tree of ``leaves`` leaf edges."""
    task = Task(skeleton, pixels, skeleton.possible & np.append(pixels.spread > 0, False), course)
    state = _start(task, leaves, rng)
    for each in rounds(pixels, course, rng):
        if each.rewired:
            state = rewire(task, state, leaves, each.rewired, rng)
        before = masked_forest(skeleton, state.mask), state.params, state.moments
        steps = batches(pixels, course, each, rng)
        after = run_program(_train_batches, skeleton.shape, SETTINGS, *before, pixels.scaling, steps)
        state = State(state.mask, *after)
    return state


def _start(task: Task, leaves: int, rng: np.random.Generator) -> State:
    first = task.course.wanted(leaves, int(task.usable.sum()), 0.0)
    mask = random_mask(task.usable, first, rng)
    params = start_params(task.skeleton, mask, rng)
    return State(mask, params, first_arrays(SETTINGS, params).moments)


def start_params(skeleton: Skeleton, mask: Mask, rng: np.random.Generator) -> Params:
    """Normal: leaf weights of deviation gain / sqrt(leaves), edges of 1 / sqrt(siblings); biases are 0.

    The gain is √2 for relu, which halves the variance, and 1 for others.
    """
    forest, shape = skeleton.packed.forest, skeleton.shape
    gain = np.where(forest.kind == code_of("relu"), np.sqrt(2.0), 1.0)[:, None]
    leaf = rng.normal(size=mask.shape) * mask * gain / np.sqrt(np.maximum(mask.sum(axis=1, keepdims=True), 1))
    siblings = [np.bincount(parent)[parent] for parent in forest.parent]
    edge = rng.normal(size=shape.rows) * forest.edge_mask / np.sqrt(np.concatenate(siblings))
    return Params(leaf.astype(np.float32), edge.astype(np.float32))


def _train_batches(
    shape: Shape,
    settings: Settings,
    forest: Forest,
    params: Params,
    moments: Any,
    scaling: Scaling,
    steps: Batches,
) -> tuple[Params, Any]:
    step = make_step(shape, settings, forest)

    def train_batch(state: TrainingState, of: Batches) -> tuple[TrainingState, None]:
        inputs = inputs_of(of, scaling)
        share = jnp.full(len(inputs), 1 / len(inputs), inputs.dtype)
        return step(state, Batch(inputs, of.targets.T[None], share), Params(of.rates, of.rates))[0], None

    (flat, moments), _ = lax.scan(train_batch, TrainingState(flatten(params), moments), steps)
    return unflatten(shape, flat), moments
