"""The training of a whole bin of trees in one compiled program.

Rows, epochs, steps and validation rows are values, not shapes, so one program serves every fold, every
generation and the final refit. No gradient flows through the loops, so their lengths may be dynamic.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from neuraltree.arrays import EngineArray
from neuraltree.engine.compiled import run_program
from neuraltree.engine.forest import Params, forward, outputs
from neuraltree.engine.optimizers import SCHEDULES, TrainingState
from neuraltree.engine.packing import Forest, Shape
from neuraltree.engine.training_step import CHUNK_ROWS, Data, Settings, first_state, make_step, take, unflatten
from neuraltree.tasks.losses import LOSSES

MOST_SHUFFLES = 64


class Schedule(NamedTuple):
    """The order of the rows in training and validation. Index ``rows`` (one past the last) is padding."""

    order: EngineArray  # (shuffles, steps x batch size) training rows, used in turn
    steps: EngineArray  # () steps in an epoch
    epochs: EngineArray  # () epochs of the learning-rate schedule
    validation: EngineArray  # (chunks, CHUNK_ROWS) validation rows
    chunks: EngineArray  # () chunks in use; 0: no validation, the last weights are kept
    limit: EngineArray  # (trees,) epochs each tree may train; 0 for padding
    patience: EngineArray  # () epochs without improvement after which a tree stops; 0: never


class Fitted(NamedTuple):
    """``params`` of the best epoch, its validation ``loss`` (trees,), and the ``best_epoch`` (0: untrained).

    A tree whose loss or weights were never finite has an infinite ``loss``.
    """

    params: Params
    loss: EngineArray
    best_epoch: EngineArray


class _Progress(NamedTuple):
    epoch: EngineArray
    state: TrainingState
    best: Fitted
    active: EngineArray


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
    # More shuffles only cost memory, so later epochs use the first ones again.
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


def _fit(shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data, plan: Schedule) -> Fitted:
    step, size = make_step(shape, settings, forest), settings.batch_size
    untrained = _validate(shape, settings, forest, params, data, plan)
    start = _Progress(
        epoch=jnp.int32(0),
        state=first_state(settings, params),
        best=Fitted(params, untrained, jnp.zeros(shape.trees, jnp.int32)),
        active=plan.limit > 0,
    )

    def train_epoch(now: _Progress) -> _Progress:
        moving = jnp.append(now.active, False)[forest.tree].astype(params.edge.dtype)
        moving_leaf = jnp.repeat(moving, shape.columns)

        def train_step(i: jax.Array, state: TrainingState) -> TrainingState:
            index = lax.dynamic_slice(plan.order, (now.epoch % len(plan.order), i * size), (1, size))[0]
            done = (now.epoch * plan.steps + i) / (plan.epochs * plan.steps)
            rate = jnp.asarray(settings.learning_rate * SCHEDULES[settings.schedule](done), moving.dtype)
            return step(state, take(data, index), Params(rate * moving_leaf, rate * moving))[0]

        state = lax.fori_loop(0, plan.steps, train_step, now.state)
        trained = unflatten(shape, state.params)
        loss = _validate(shape, settings, forest, trained, data, plan)
        epoch = now.epoch + 1
        best = _keep_better(forest, now.best, Fitted(trained, loss, epoch), now.active, plan.chunks == 0)
        waiting = (plan.patience == 0) | (epoch - best.best_epoch < plan.patience)
        return _Progress(epoch, state, best, (epoch < plan.limit) & waiting)

    return lax.while_loop(lambda now: (now.epoch < plan.epochs) & now.active.any(), train_epoch, start).best


def _validate(
    shape: Shape, settings: Settings, forest: Forest, params: Params, data: Data, plan: Schedule
) -> jax.Array:
    """(trees,) mean loss over the validation rows; infinite if the loss or a weight of the tree is not finite."""

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
    """For each tree the better of two fits; without validation rows the later one, if it is finite."""
    better = active & jnp.isfinite(new.loss) & ((new.loss < best.loss) | keep_last)
    rows = jnp.append(better, False)[forest.tree]
    params = Params(
        jnp.where(rows[:, None], new.params.leaf, best.params.leaf), jnp.where(rows, new.params.edge, best.params.edge)
    )
    loss = jnp.where(better, new.loss, best.loss)
    return Fitted(params, loss, jnp.where(better, new.best_epoch, best.best_epoch))
