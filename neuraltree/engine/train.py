"""Fit a whole bin of trees to data in one compiled program.

Rows, epochs, steps and validation rows are values, not shapes: one program serves every fold, every
generation and the final refit. No gradient flows through the loops, so their lengths may be dynamic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from neuraltree.engine.compiled import run_program
from neuraltree.engine.forest import Params, backward, forward, outputs
from neuraltree.engine.optimizers import OPTIMIZERS, SCHEDULES
from neuraltree.engine.packing import Array, Forest, Shape
from neuraltree.tasks.task import LOSSES

MOST_SHUFFLES = 64
LEAST_BATCH = 32  # smaller ones are padded: XLA makes no vectors of shorter loops, and takes longer for them
CHUNK_ROWS = 256  # rows evaluated at once where no step is taken


class Settings(NamedTuple):
    """What is fixed for a run and compiled into its programs."""

    loss: str
    optimizer: str = "adam"
    learning_rate: float = 0.01
    schedule: str = "cosine"
    batch_size: int = 64
    precision: str = "float32"
    weight_decay: float = 0.0


class Data(NamedTuple):
    """Rows a program may read; the last row is padding with weight zero."""

    inputs: Array  # (rows + 1, columns), last column 1
    targets: Array  # (rows + 1, outputs)
    weight: Array  # (rows + 1,) mean one


class Schedule(NamedTuple):
    """Which rows are seen when. Index ``rows`` (one past the last) is padding."""

    order: Array  # (shuffles, steps x batch size) training rows, used in turn
    steps: Array  # () steps of an epoch
    epochs: Array  # () epochs of the learning-rate schedule
    validation: Array  # (chunks, CHUNK_ROWS) validation rows
    chunks: Array  # () chunks in use; 0: no validation, the last weights are kept
    limit: Array  # (trees,) epochs each tree may train; 0 for padding
    patience: Array  # () epochs without improvement after which a tree stops; 0: never


class Fitted(NamedTuple):
    """``params`` of the best epoch, its validation ``loss`` (trees,), and the ``best_epoch`` (0: untrained).

    A tree whose loss or weights were never finite has an infinite ``loss``.
    """

    params: Params
    loss: Array
    best_epoch: Array


class _Progress(NamedTuple):
    epoch: Array
    params: Params
    optimizer: Any
    best: Fitted
    active: Array


def make_data(inputs: NDArray, targets: NDArray, weight: NDArray | None, shape: Shape, precision: str) -> Data:
    """Scaled inputs (rows, features) and encoded targets (rows, outputs) as a program wants them."""
    rows = len(inputs)
    full = np.zeros((rows + 1, shape.columns), precision)
    full[:rows, :-1] = np.tile(inputs, shape.copies)
    full[:, -1] = 1.0
    weights = np.ones(rows) if weight is None else weight * (rows / weight.sum())
    padded = np.append(weights, 0.0).astype(precision)
    return Data(full, np.vstack([targets, np.zeros_like(targets[:1])]).astype(precision), padded)


def make_schedule(
    shape: Shape,
    settings: Settings,
    rows: int,
    *,
    fit_rows: NDArray,
    validation_rows: NDArray,
    epochs: int,
    limit: NDArray,
    patience: int,
    rng: np.random.Generator,
) -> Schedule:
    """Shuffled batches over ``fit_rows``, padded so that every fold of ``rows`` rows has the same shapes."""
    batch = settings.batch_size
    # More shuffles than this only cost memory: later epochs see the first ones again.
    order = np.full((min(max(epochs, 1), MOST_SHUFFLES), -(-rows // batch) * batch), rows, dtype=np.int32)
    for epoch in range(len(order)):
        order[epoch, : len(fit_rows)] = rng.permutation(fit_rows)
    validation = np.full((-(-rows // CHUNK_ROWS), CHUNK_ROWS), rows, dtype=np.int32)
    validation.reshape(-1)[: len(validation_rows)] = validation_rows
    limits = np.zeros(shape.trees, dtype=np.int32)
    limits[: len(limit)] = limit
    steps, chunks = -(-len(fit_rows) // batch), -(-len(validation_rows) // CHUNK_ROWS)
    scalars = [np.asarray(value, dtype=np.int32) for value in (steps, epochs, chunks, patience)]
    return Schedule(order, scalars[0], scalars[1], validation, scalars[2], limits, scalars[3])


def fit(shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data, schedule: Schedule) -> Fitted:
    """Train every tree of a bin; see ``Fitted``. Compiles once per shape, settings and size of data."""
    return run_program(_fit, shape, settings, forest, params, data, schedule)


def predict(shape: Shape, settings: Settings, forest: Forest, params: Params, inputs: NDArray) -> NDArray:
    """(trees, outputs, rows) outputs for the engine's ``inputs`` (rows, columns), in chunks of one shape."""
    idle = Data(inputs, np.zeros((len(inputs), shape.outputs), inputs.dtype), np.zeros(len(inputs), inputs.dtype))
    return np.concatenate([found for found, _ in _by_chunk(shape, settings, forest, params, idle)], axis=2)


def leaf_slopes(shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data) -> NDArray[np.float64]:
    """(rows of the bin, columns) derivative of each tree's mean loss by every leaf weight and bias.

    Also by those that no tree has, whose weight is 0: the batch product of node deltas and inputs. ``data`` are the
    rows to take the mean over, none of them padding. The program is that of ``predict``.
    """
    slopes = (slope for _, slope in _by_chunk(shape, settings, forest, params, data))
    return sum(slopes, start=np.zeros((shape.rows, shape.columns))) / len(data.weight)


def _by_chunk(
    shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data
) -> Iterator[tuple[NDArray, NDArray]]:
    for start in range(0, len(data.weight), CHUNK_ROWS):
        chunk = Data(*(part[start : start + CHUNK_ROWS] for part in data))
        rows = len(chunk.weight)
        short = CHUNK_ROWS - rows
        padded = Data(*(np.pad(part, ((0, short), *[(0, 0)] * (part.ndim - 1))) for part in chunk))
        found, slopes = run_program(_outputs_and_slopes, shape, settings, forest, params, padded)
        yield np.asarray(found)[:, :, :rows], np.asarray(slopes)


def _outputs_and_slopes(
    shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data
) -> tuple[jax.Array, jax.Array]:
    """Outputs, and the summed gradient by all leaf weights, absent ones too; 0 where no row weighs anything."""
    inputs = jnp.asarray(data.inputs)
    states = forward(shape, forest, params, inputs)
    found = outputs(forest, states)
    every = forest._replace(leaf_mask=jnp.ones_like(forest.leaf_mask))

    def slopes() -> jax.Array:
        by_output = LOSSES[settings.loss].gradient(found, data.targets.T[None]) * data.weight[None, None]
        return backward(shape, every, params, inputs, states, by_output).leaf

    return found, lax.cond(data.weight.any(), slopes, lambda: jnp.zeros_like(params.leaf))


def _fit(shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data, plan: Schedule) -> Fitted:
    optimizer = OPTIMIZERS[settings.optimizer](settings.weight_decay)
    untrained = _validate(shape, settings, forest, params, data, plan)
    start = _Progress(
        epoch=jnp.int32(0),
        params=params,
        optimizer=optimizer.init(flatten(params)),
        best=Fitted(params, untrained, jnp.zeros(shape.trees, jnp.int32)),
        active=plan.limit > 0,
    )

    def train_epoch(now: _Progress) -> _Progress:
        moving = jnp.append(now.active, False)[forest.tree].astype(params.edge.dtype)
        moving_leaf = jnp.repeat(moving, shape.columns)

        def train_step(step: jax.Array, carry: tuple[Params, Any]) -> tuple[Params, Any]:
            flat, state = carry
            index = lax.dynamic_slice(
                plan.order, (now.epoch % len(plan.order), step * settings.batch_size), (1, settings.batch_size)
            )[0]
            slope, _ = gradient(shape, settings, forest, unflatten(shape, flat), data, index)
            updates, state = optimizer.update(flatten(slope), state, flat)
            done = (now.epoch * plan.steps + step) / (plan.epochs * plan.steps)
            rate = jnp.asarray(settings.learning_rate * SCHEDULES[settings.schedule](done), moving.dtype)
            leaf, edge = flat.leaf + rate * moving_leaf * updates.leaf, flat.edge + rate * moving * updates.edge
            return Params(leaf, edge), state

        flat, state = lax.fori_loop(0, plan.steps, train_step, (flatten(now.params), now.optimizer))
        trained = unflatten(shape, flat)
        loss = _validate(shape, settings, forest, trained, data, plan)
        epoch = now.epoch + 1
        best = _keep_better(forest, now.best, Fitted(trained, loss, epoch), now.active, plan.chunks == 0)
        waiting = (plan.patience == 0) | (epoch - best.best_epoch < plan.patience)
        return _Progress(epoch, trained, state, best, (epoch < plan.limit) & waiting)

    return lax.while_loop(lambda now: (now.epoch < plan.epochs) & now.active.any(), train_epoch, start).best


def flatten(params: Params) -> Params:
    """With ``leaf`` in one row: a loop over rows as short as ours would not use whole vectors."""
    return Params(params.leaf.reshape(-1), params.edge)


def unflatten(shape: Shape, flat: Params) -> Params:
    return Params(flat.leaf.reshape(shape.rows, shape.columns), flat.edge)


def gradient(
    shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data, index: jax.Array
) -> tuple[Params, jax.Array]:
    """Mean gradient and (trees,) mean loss over the rows of one batch; padding rows weigh nothing, uncounted."""
    padding = len(data.weight) - 1
    index = jnp.pad(index, (0, max(0, LEAST_BATCH - len(index))), constant_values=padding)
    inputs, targets = data.inputs[index], data.targets[index].T[None]
    states = forward(shape, forest, params, inputs)
    real = jnp.sum(index < padding)
    share = data.weight[index] / jnp.maximum(real, 1).astype(data.weight.dtype)
    found = outputs(forest, states)
    by_output = LOSSES[settings.loss].gradient(found, targets) * share[None, None]
    return backward(shape, forest, params, inputs, states, by_output), LOSSES[settings.loss].value(
        found, targets
    ) @ share


def _validate(
    shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data, plan: Schedule
) -> jax.Array:
    """(trees,) mean loss over the validation rows, infinite where it or a weight is not finite."""

    def add_chunk(chunk: jax.Array, sums: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        total, weight = sums
        index = plan.validation[chunk]
        states = forward(shape, forest, params, data.inputs[index])
        loss = LOSSES[settings.loss].value(outputs(forest, states), data.targets[index].T[None])
        return total + loss @ data.weight[index], weight + jnp.sum(data.weight[index])

    zero = jnp.zeros((), params.leaf.dtype)
    total, weight = lax.fori_loop(0, plan.chunks, add_chunk, (jnp.zeros(shape.trees, zero.dtype), zero))
    loss = total / jnp.where(weight > 0, weight, 1)
    broken_row = ~jnp.isfinite(jnp.sum(params.leaf, axis=1) + params.edge)
    broken = jnp.zeros(shape.trees + 1, bool).at[forest.tree].max(broken_row)[:-1]
    return jnp.where(jnp.isfinite(loss) & ~broken, loss, jnp.inf)


def _keep_better(forest: Forest, best: Fitted, new: Fitted, active: jax.Array, keep_last: jax.Array) -> Fitted:
    """Tree by tree, the better of two; without validation rows the later one, if it is finite."""
    better = active & jnp.isfinite(new.loss) & ((new.loss < best.loss) | keep_last)
    rows = jnp.append(better, False)[forest.tree]
    params = Params(
        jnp.where(rows[:, None], new.params.leaf, best.params.leaf), jnp.where(rows, new.params.edge, best.params.edge)
    )
    loss = jnp.where(better, new.loss, best.loss)
    return Fitted(params, loss, jnp.where(better, new.best_epoch, best.best_epoch))
