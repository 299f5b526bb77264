"""One step of training for a bin of trees, ``step(state, batch, rates)``, and the settings and rows that it needs.

Two drivers repeat it: ``train`` fits all trees of a bin from start to end; ``epochs`` trains one tree and can resume.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from neuraltree.arrays import EngineArray
from neuraltree.engine.flags import engine_flags
from neuraltree.engine.forest import Params, backward, forward, outputs
from neuraltree.engine.optimizers import OPTIMIZERS, TrainingState, descend
from neuraltree.engine.packing import Forest, Shape
from neuraltree.engine.program_cache import with_cache
from neuraltree.tasks.losses import LOSSES

LEAST_BATCH = 32  # smaller batches are padded: XLA does not vectorise shorter loops, and they take longer
CHUNK_ROWS = 256  # rows evaluated at a time if no step is taken


class Settings(NamedTuple):
    """The settings that are fixed for a run and compiled into its programs."""

    loss: str
    optimizer: str = "adam"
    learning_rate: float = 0.01
    schedule: str = "cosine"
    batch_size: int = 64
    precision: str = "float32"
    weight_decay: float = 0.0


class Data(NamedTuple):
    """Rows a program may read; the last row is padding with weight zero."""

    inputs: EngineArray  # (rows + 1, columns), last column 1
    targets: EngineArray  # (rows + 1, outputs)
    weight: EngineArray  # (rows + 1,) mean one


class Batch(NamedTuple):
    """The rows of one step."""

    inputs: EngineArray  # (batch, columns), last column 1
    targets: EngineArray  # (1, outputs, batch), the same for all trees
    share: EngineArray  # (batch,) weight of each row in the mean


Step = Callable[[TrainingState, Batch, Params], tuple[TrainingState, jax.Array]]


def make_data(inputs: NDArray, targets: NDArray, weight: NDArray | None, shape: Shape, precision: str) -> Data:
    """Scaled inputs (rows, features) and encoded targets (rows, outputs) in the form that programs need."""
    rows = len(inputs)
    full = np.zeros((rows + 1, shape.columns), precision)
    full[:rows, :-1] = np.tile(inputs, shape.copies)
    full[:, -1] = 1.0
    weights = np.ones(rows) if weight is None else weight * (rows / weight.sum())
    padded = np.append(weights, 0.0).astype(precision)
    return Data(full, np.vstack([targets, np.zeros_like(targets[:1])]).astype(precision), padded)


def take(data: Data, index: jax.Array) -> Batch:
    """The rows ``index`` as a batch. Padding rows have no share, and the mean is over the other rows."""
    padding = len(data.weight) - 1
    index = jnp.pad(index, (0, max(0, LEAST_BATCH - len(index))), constant_values=padding)
    real = jnp.sum(index < padding)
    share = data.weight[index] / jnp.maximum(real, 1).astype(data.weight.dtype)
    return Batch(data.inputs[index], data.targets[index].T[None], share)


def flatten(params: Params) -> Params:
    """Flatten ``leaf``, because a loop over such short rows would not use whole vectors."""
    return Params(params.leaf.reshape(-1), params.edge)


def unflatten(shape: Shape, flat: Params) -> Params:
    return Params(flat.leaf.reshape(shape.rows, shape.columns), flat.edge)


def first_state(settings: Settings, params: Params) -> TrainingState:
    """The flat parameters, and the optimiser's state before the first step."""
    flat = flatten(params)
    return TrainingState(flat, _optimizer(settings).init(flat))


def first_arrays(settings: Settings, params: Params) -> TrainingState:
    """``first_state`` outside a program, as NumPy arrays."""
    with engine_flags(settings.precision):
        return jax.tree.map(np.asarray, with_cache(partial(first_state, settings, params)))


def _optimizer(settings: Settings) -> optax.GradientTransformation:
    return OPTIMIZERS[settings.optimizer](settings.weight_decay)


def make_step(shape: Shape, settings: Settings, forest: Forest) -> Step:
    """``step(state, batch, rates)`` gives the state after one update, and the (trees,) mean losses before it.

    The parameters of a state are flat. ``rates`` holds the learning rates of leaf entries and of edges.
    """
    optimizer, loss = _optimizer(settings), LOSSES[settings.loss]

    def step(state: TrainingState, batch: Batch, rates: Params) -> tuple[TrainingState, jax.Array]:
        params = unflatten(shape, state.params)
        states = forward(shape, forest, params, batch.inputs)
        found = outputs(forest, states)
        by_output = loss.gradient(found, batch.targets) * batch.share[None, None]
        slope = backward(shape, forest, params, batch.inputs, states, by_output)
        return descend(optimizer, state, flatten(slope), rates), loss.value(found, batch.targets) @ batch.share

    return step
