"""The compiled part of ``peeking``: epochs of updates, each followed by a test of all trees on their test rows."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from experiments.common.rowwise import backward, forward
from neuraltree.arrays import EngineArray
from neuraltree.engine.forest import Params, outputs
from neuraltree.engine.optimizers import OPTIMIZERS, SCHEDULES, TrainingState, descend
from neuraltree.engine.packing import Forest, Shape
from neuraltree.engine.training_step import Settings, flatten
from neuraltree.tasks.losses import LOSSES


class Data(NamedTuple):
    """Training rows of all trees, one tree after another, then one padding row; test rows by leaf and by tree."""

    inputs: EngineArray  # (all rows + 1, features)
    targets: EngineArray  # (all rows + 1, outputs)
    seen: EngineArray  # (slots, forest rows, test rows) the values that each leaf reads
    truth: EngineArray  # (trees, test rows)
    tested: EngineArray  # () number of test rows without padding


class Course(NamedTuple):
    """The order of the rows in some epochs, and the place of these epochs in the schedule."""

    order: EngineArray  # (epochs a call can hold, trees, steps x batch size)
    first: EngineArray  # () number of epochs before these
    epochs: EngineArray  # () number of these epochs
    total: EngineArray  # () number of epochs in the schedule


class Progress(NamedTuple):
    state: TrainingState  # leaf flat, as in the engine
    best: Params
    best_score: EngineArray  # (trees,) right answers, or minus the sum of squared errors
    last_score: EngineArray


def train_and_peek(
    shape: Shape, settings: Settings, forest: Forest, reads: jax.Array, start: Progress, data: Data, course: Course
) -> Progress:
    optimizer = OPTIMIZERS[settings.optimizer](settings.weight_decay)
    size, steps = settings.batch_size, course.order.shape[2] // settings.batch_size
    owner = jnp.minimum(forest.tree, shape.trees - 1)

    def step(i: jax.Array, carry: tuple[jax.Array, Progress]) -> tuple[jax.Array, Progress]:
        epoch, now = carry
        index = lax.dynamic_slice(course.order, (epoch, jnp.int32(0), i * size), (1, shape.trees, size))[0]
        slope = _gradient(shape, settings, forest, reads, _unflatten(shape, now.state.params), data, index)
        done = ((course.first + epoch) * steps + i) / (course.total * steps)
        rate = jnp.asarray(settings.learning_rate * SCHEDULES[settings.schedule](done), slope.edge.dtype)
        state = descend(optimizer, now.state, flatten(slope), Params(rate, rate))
        score = _test(shape, forest, _unflatten(shape, state.params), data)
        better = score > now.best_score
        row = better[owner]
        kept = [jnp.where(at, new, old) for at, new, old in zip(_both(shape, row), state.params, now.best, strict=True)]
        return epoch, Progress(state, Params(*kept), jnp.where(better, score, now.best_score), score)

    def train_epoch(epoch: jax.Array, now: Progress) -> Progress:
        return lax.fori_loop(jnp.int32(0), jnp.int32(steps), step, (epoch, now))[1]

    return lax.fori_loop(0, course.epochs, train_epoch, start)


def _unflatten(shape: Shape, flat: Params) -> Params:
    return Params(flat.leaf.reshape(shape.columns, shape.rows), flat.edge)


def _both(shape: Shape, row: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A mask by forest row for flat ``leaf`` and for ``edge``."""
    return jnp.tile(row, shape.columns), row


def _gradient(
    shape: Shape, settings: Settings, forest: Forest, reads: jax.Array, params: Params, data: Data, index: jax.Array
) -> Params:
    """The mean gradient over the rows ``index`` (trees, batch) of each tree; padding rows do not count."""
    padding, features = len(data.inputs) - 1, data.inputs.shape[1]
    owner = jnp.minimum(forest.tree, shape.trees - 1)
    place = index[owner][None] * features + reads[:, :, None]
    seen = data.inputs.reshape(-1).at[place].get(mode="promise_in_bounds")
    states = forward(shape, forest, params, seen)
    real = (index < padding).astype(seen.dtype)
    share = real / jnp.sum(real, axis=1, keepdims=True)
    targets = jnp.swapaxes(data.targets[index], 1, 2)
    by_output = LOSSES[settings.loss].gradient(outputs(forest, states), targets) * share[:, None, :]
    return backward(shape, forest, params, seen, states, by_output)


def _test(shape: Shape, forest: Forest, params: Params, data: Data) -> jax.Array:
    """(trees,) right answers on the test rows, or minus the sum of squared errors."""
    found = outputs(forest, forward(shape, forest, params, data.seen))
    counted = (jnp.arange(data.truth.shape[1], dtype=jnp.int32) < data.tested)[None]
    if jnp.issubdtype(data.truth.dtype, jnp.integer):
        right = (_chosen(found) == data.truth) & counted & jnp.isfinite(jnp.sum(found, axis=1))
        return jnp.sum(right, axis=1).astype(found.dtype)
    return -jnp.sum(jnp.where(counted, jnp.square(found[:, 0] - data.truth), 0), axis=1)


def _chosen(found: jax.Array) -> jax.Array:
    """(trees, rows) class codes of outputs (trees, outputs, rows): the sign of a single output, else the largest."""
    if found.shape[1] == 1:
        return (found[:, 0] > 0).astype(jnp.int32)
    largest, chosen = found[:, 0], jnp.zeros(found.shape[::2], jnp.int32)
    for code in range(1, found.shape[1]):  # faster than argmax, which XLA does not vectorise
        chosen = jnp.where(found[:, code] > largest, code, chosen)
        largest = jnp.maximum(largest, found[:, code])
    return chosen
