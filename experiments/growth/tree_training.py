"""Mini-batch training of one large tree by the engine, its leaf edges rewired between rounds of steps."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from experiments.growth.course import Course
from experiments.growth.edges import random_mask
from experiments.growth.pixels import Pixels
from experiments.growth.rewiring import SETTINGS, State, Task, rewire
from experiments.growth.rounds import Batches, batches, rounds
from experiments.growth.skeleton import Mask, Skeleton, masked_forest
from neuraltree.activations import code_of
from neuraltree.engine.compiled import run_program
from neuraltree.engine.forest import Params, backward, forward, outputs
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.engine.packing import Array, Forest, Shape
from neuraltree.engine.train import Settings, flatten, unflatten
from neuraltree.tasks.task import LOSSES


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
    return State(mask, params, OPTIMIZERS[SETTINGS.optimizer](0.0).init(flatten(params)))


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
    scaling: tuple[Array, Array],
    steps: Batches,
) -> tuple[Params, Any]:
    optimizer = OPTIMIZERS[settings.optimizer](settings.weight_decay)
    mean, scale = scaling

    def step(carry: tuple[Params, Any], batch: Batches) -> tuple[tuple[Params, Any], None]:
        flat, moments = carry
        # Bytes up to here, as they take a quarter of the memory.
        inputs = jnp.pad((batch.images - mean) / scale, ((0, 0), (0, 1)), constant_values=1.0)
        slope = _gradient(shape, settings, forest, unflatten(shape, flat), inputs, batch.targets)
        updates, moments = optimizer.update(flatten(slope), moments, flat)
        return (Params(flat.leaf + batch.rates * updates.leaf, flat.edge + batch.rates * updates.edge), moments), None

    (flat, moments), _ = lax.scan(step, (flatten(params), moments), steps)
    return unflatten(shape, flat), moments


def _gradient(
    shape: Shape, settings: Settings, forest: Forest, params: Params, inputs: jax.Array, targets: jax.Array
) -> Params:
    states = forward(shape, forest, params, inputs)
    by_output = LOSSES[settings.loss].gradient(outputs(forest, states), targets.T) / len(inputs)
    return backward(shape, forest, params, inputs, states, by_output)
