"""Mini-batch training of one large tree by the engine, its leaf edges rewired between rounds of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from experiments.growth.course import Course
from experiments.growth.edges import random_mask
from experiments.growth.pixels import Pixels, shifted
from experiments.growth.rewiring import SETTINGS, State, Task, rewire
from experiments.growth.skeleton import Mask, Skeleton, masked_forest
from neuraltree.activations import code_of
from neuraltree.forest import Params, backward, forward, outputs
from neuraltree.optimizers import OPTIMIZERS
from neuraltree.packing import Array, Forest, Shape
from neuraltree.programs import run_program
from neuraltree.tasks import LOSSES
from neuraltree.train import Settings, flatten, unflatten


def train(
    skeleton: Skeleton,
    pixels: Pixels,
    leaves: int,
    course: Course,
    rng: np.random.Generator,
    after: Callable[[int, State], None] = lambda epoch, state: None,
) -> State:
    """A trained tree of ``leaves`` leaf edges; ``after`` sees it at the end of every epoch."""
    task = Task(skeleton, pixels, skeleton.possible & np.append(pixels.spread > 0, False), course)
    state = _start(task, leaves, rng)
    steps = len(pixels.images) // course.batch // course.rounds
    rounds = course.epochs * course.rounds
    rewired = int(course.until * rounds)  # the last rewiring is the one to the budget
    for epoch in range(course.epochs):
        order = rng.permutation(len(pixels.images))[: course.rounds * steps * course.batch]
        for i, rows in enumerate(np.split(order, course.rounds)):
            done = epoch * course.rounds + i
            if 0 < done <= rewired:
                state = rewire(task, state, leaves, done / rewired, rng)
            state = _round(task, state, rows, (done + np.arange(steps) / steps) / rounds, rng)
        after(epoch + 1, state)
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


def _round(task: Task, state: State, rows: NDArray, progress: NDArray, rng: np.random.Generator) -> State:
    """A step for each entry of ``progress``, which the learning rate follows."""
    pixels, course = task.pixels, task.course
    drawn = shifted(pixels.images[rows], course.shift, rng), pixels.targets[rows]
    images, targets = (part.reshape(len(progress), course.batch, -1) for part in drawn)
    batches = Batches(images, targets, course.rates(progress))
    before = masked_forest(task.skeleton, state.mask), state.params, state.moments
    after = run_program(_train_batches, task.skeleton.shape, SETTINGS, *before, pixels.scaling, batches)
    return State(state.mask, *after)


class Batches(NamedTuple):
    """``images`` (steps, batch, features) of bytes, ``targets`` (steps, batch, classes), ``rates`` (steps,)."""

    images: Array
    targets: Array
    rates: Array


def _train_batches(
    shape: Shape,
    settings: Settings,
    forest: Forest,
    params: Params,
    moments: Any,
    scaling: tuple[Array, Array],
    batches: Batches,
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

    (flat, moments), _ = lax.scan(step, (flatten(params), moments), batches)
    return unflatten(shape, flat), moments


def _gradient(
    shape: Shape, settings: Settings, forest: Forest, params: Params, inputs: jax.Array, targets: jax.Array
) -> Params:
    states = forward(shape, forest, params, inputs)
    by_output = LOSSES[settings.loss].gradient(outputs(forest, states), targets.T) / len(inputs)
    return backward(shape, forest, params, inputs, states, by_output)
