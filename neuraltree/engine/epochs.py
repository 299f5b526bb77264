"""Training that can resume: epochs of one tree, with the optimiser's state as argument and result.

An estimator needs the loss of every epoch, and must be able to stop and to resume; ``train.fit`` trains a generation
from start to end. Rows, features and batches are padded to few sizes, so that one compiled program serves many tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from numpy.typing import NDArray

from neuraltree.arrays import EngineArray
from neuraltree.engine.compiled import run_program
from neuraltree.engine.forest import Params, load_params, store_params
from neuraltree.engine.forks import check_fork
from neuraltree.engine.optimizers import TrainingState
from neuraltree.engine.packing import Forest, Shape, fit_shape, layout, pack, plan
from neuraltree.engine.training_step import Data, Settings, first_arrays, make_data, make_step, take, unflatten
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.space import Space

EPOCHS_A_CALL = 25
MOST_DRAWN = 2_000_000  # row indices that one call holds; for a large table, a call trains fewer epochs
LEAST_ROWS = 64


class Trained(NamedTuple):
    """The tree, the mean training loss of each epoch (epochs,), and the optimiser's state as plain arrays."""

    nodes: Nodes
    losses: NDArray[np.float64]
    moments: list[NDArray]


class Course(NamedTuple):
    """The rows and learning rates of one call. Index ``rows`` (one past the last) is padding."""

    order: EngineArray  # (epochs a call can hold, steps x batch size)
    steps: EngineArray  # () steps of an epoch
    rates: EngineArray  # (epochs a call can hold,) learning rate of each epoch
    epochs: EngineArray  # () epochs of this call


def padded_size(rows: int) -> int:
    """The next larger of few sizes: powers of two, and above 512 three sizes between each two of them."""
    power = 1 << max(rows - 1, LEAST_ROWS - 1).bit_length()
    step = power if power <= 512 else power // 8
    return -(-rows // step) * step


def train_epochs(
    tree: Nodes,
    shape: Shape,
    settings: Settings,
    *,
    inputs: NDArray,
    targets: NDArray,
    weight: NDArray | None,
    rates: Sequence[float],
    rng: np.random.Generator,
    moments: Sequence[NDArray] = (),
    after: Callable[[int, float], None] = lambda epoch, loss: None,
) -> Trained:
    """Train a tree for one epoch per entry of ``rates``, the learning rates, in a bin of ``shape``.

    ``inputs`` (rows, features) are scaled, ``targets`` (rows, outputs) encoded; ``weight`` (rows,) is the weight of
    each row. ``moments`` is an earlier state of the optimiser to resume. ``after`` is called with the number of epochs
    done and the loss. ``KeyboardInterrupt`` ends the training early, with the tree trained so far.
    """
    check_fork()  # before first_arrays, which uses JAX
    nodes, starts = join([tree])
    (packed,) = pack(nodes, starts, shape)
    # Fewer rows than a batch make one batch, of a padded size: otherwise each table would need its own program.
    batch = min(settings.batch_size, padded_size(len(inputs)))
    settings = settings._replace(batch_size=batch, learning_rate=1.0, schedule="constant")
    data = _padded(inputs, targets, weight, shape, settings.precision)
    state = _resumed(settings, load_params(packed, nodes, 0, settings.precision), moments)
    losses: list[NDArray] = []
    try:
        call = max(1, min(EPOCHS_A_CALL, MOST_DRAWN // len(data.weight)))
        for start in range(0, len(rates), call):
            course = _course(rates[start : start + call], call, len(inputs), len(data.weight) - 1, batch, rng)
            state, found = run_program(_train, shape, settings, packed.forest, state, data, course)
            losses.append(np.asarray(found, dtype=np.float64)[: int(course.epochs)])
            after(start + int(course.epochs), float(losses[-1][-1]))
    except KeyboardInterrupt:
        if not losses:
            raise
    trained = nodes.copy()
    store_params(packed, trained, 0, unflatten(shape, jax.tree.map(np.asarray, state.params)))
    return Trained(trained, np.concatenate(losses), [np.asarray(leaf) for leaf in jax.tree.leaves(state.moments)])


def shape_for(tree: Nodes, space: Space, like: Sequence[Nodes]) -> Shape:
    """The shape of a bin for one tree, planned from trees ``like`` it, so that most trees of a space share a shape."""
    found = layout(*join([tree]))
    copies = 1 + int(found.sibling_rank[tree["op"] >= 0].max(initial=0))
    shape = plan(layout(*join(list(like))), space, copies, per_bin=1)
    return fit_shape(shape._replace(features=-(-space.n_features // 8) * 8), found, space)


def _padded(inputs: NDArray, targets: NDArray, weight: NDArray | None, shape: Shape, precision: str) -> Data:
    wide = np.zeros((len(inputs), shape.features))
    wide[:, : inputs.shape[1]] = inputs
    data = make_data(wide, targets, weight, shape, precision)
    missing = padded_size(len(inputs)) - len(inputs)
    return Data(*(np.pad(part, [(0, missing)] + [(0, 0)] * (part.ndim - 1)) for part in data))


def _course(rates: Sequence[float], call: int, rows: int, padding: int, batch: int, rng: np.random.Generator) -> Course:
    width = -(-padding // batch) * batch
    order = np.full((call, width), padding, dtype=np.int32)
    for epoch in range(len(rates)):
        order[epoch, :rows] = rng.permutation(rows)
    rate = np.zeros(call)
    rate[: len(rates)] = rates
    return Course(order, np.int32(-(-rows // batch)), rate, np.int32(len(rates)))


def _resumed(settings: Settings, params: Params, moments: Sequence[NDArray]) -> TrainingState:
    """The training state with these moments if they fit the parameters, else with new ones."""
    fresh = first_arrays(settings, params)
    leaves, form = jax.tree.flatten(fresh.moments)
    if [np.shape(leaf) for leaf in leaves] != [np.shape(leaf) for leaf in moments]:
        return fresh
    return fresh._replace(moments=jax.tree.unflatten(form, list(moments)))


def _train(
    shape: Shape, settings: Settings, forest: Forest, start: TrainingState, data: Data, course: Course
) -> tuple[TrainingState, jax.Array]:
    """The state after the epochs of a course, and the mean loss during each."""
    step, size = make_step(shape, settings, forest), settings.batch_size
    dtype = start.params.edge.dtype

    def train_epoch(epoch: jax.Array, now: tuple[TrainingState, jax.Array]) -> tuple[TrainingState, jax.Array]:
        def train_step(i: jax.Array, now: tuple[TrainingState, jax.Array]) -> tuple[TrainingState, jax.Array]:
            state, total = now
            index = lax.dynamic_slice(course.order, (epoch, i * size), (1, size))[0]
            rate = course.rates[epoch].astype(dtype)
            state, loss = step(state, take(data, index), Params(rate, rate))
            return state, total + loss[0]

        state, losses = now
        state, total = lax.fori_loop(0, course.steps, train_step, (state, jnp.zeros((), dtype)))
        return state, losses.at[epoch].set(total / course.steps.astype(dtype))

    return lax.fori_loop(0, course.epochs, train_epoch, (start, jnp.zeros(len(course.rates), dtype)))
