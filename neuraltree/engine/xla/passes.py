"""The functions that are compiled: the outputs of a forest, their gradient, and a step of the optimiser.

The parameters stand in a matrix with a row for each node: the weight of a leaf on every input, the bias, and the weight
of the edge to the parent. One matrix product then gives all leaves and biases their part of the sums. The nodes are
taken a turn at a time, deepest first; each turn adds its values to the sums of their parents, and what output nodes add
to are the outputs. Backward, every node gathers from its one parent, and another matrix product gives the gradient.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from neuraltree.activations import ACTIVATIONS
from neuraltree.arrays import EngineArray
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.engine.xla.network import Network
from neuraltree.tasks.losses import LOSSES, loss_and_level
from neuraltree.tasks.softening import soft_gradient, soft_loss

Arrays = tuple[jax.Array, ...]


class Shrinking(NamedTuple):
    """The rates (params,) by which weights shrink; times the learning rate, ``l1`` is taken from the absolute value of
    a weight, and ``group_l1`` from the norm of the weights of its ``group``, a number for each; none: that of
    all parameters or more."""

    l1: Any
    group_l1: Any
    group: Any


class State(NamedTuple):
    """What a training changes: the parameters (params,), the optimiser's state, and what trees learn of their rates
    (trees, STATE), or None."""

    params: Any
    moments: Any
    learned: Any = None


_product = partial(jnp.matmul, precision=lax.Precision.HIGHEST)  # else GPUs round single floats to 10 bits


def predict(network: Network, params: jax.Array, inputs: jax.Array) -> jax.Array:
    """(trees, outputs, rows) the outputs for ``inputs`` (rows, features); 0 for trees that are padding."""
    return outputs(network, _spread(network, params, inputs.shape[1]), inputs)


def gradient(
    loss: str, temperature: float, network: Network, params: jax.Array, before: Arrays | None, chunk: Arrays
) -> Arrays:
    """The derivatives of the sum of loss x share by the matrix, and this sum (trees,), added to those ``before``.

    The chunk is the inputs, targets and shares of some rows; padding is a row with the share 0. Rows that learn at a
    temperature add ``soft``, see ``neuraltree.tasks.softening``.
    """
    inputs, targets, share, *soft = chunk
    truth = targets.T[None]
    found, pull_back = jax.vjp(partial(outputs, network), _spread(network, params, inputs.shape[1]), inputs)
    value, slope = _value_and_slope(loss, found, truth, soft, temperature)
    here = pull_back(slope * share[None, None])[0], _product(value, share)
    return here if before is None else (before[0] + here[0], before[1] + here[1])


def _value_and_slope(
    loss: str, found: jax.Array, truth: jax.Array, soft: list[jax.Array], temperature: float
) -> tuple[EngineArray, EngineArray]:
    if soft:
        by_row = soft[0][None]
        value = soft_loss(loss, found, truth, by_row, temperature)
        return value, soft_gradient(loss, found, truth, by_row[None], temperature)
    name, level = loss_and_level(loss)
    return LOSSES[name].value(found, truth, level), LOSSES[name].gradient(found, truth, level)


def update(
    name: str,
    decay: float,
    place: jax.Array,
    tree: jax.Array,
    state: State,
    slope: jax.Array,
    rate: jax.Array,
    moving: jax.Array,
    shrinking: Shrinking,
) -> State:
    """The state after a step along the gradient ``slope``, a matrix; only parameters ``moving`` change.

    ``tree`` is the tree of each parameter, of padding a number past the end. After the step the weights shrink.
    """
    by_param = slope.reshape(-1).at[place].get(mode="fill", fill_value=0)
    learned, rates = _learned(name, tree, state, by_param, rate)
    with jax.numpy_dtype_promotion("standard"):  # optax raises a float to an integer power
        step, moments = OPTIMIZERS[name](decay).update(by_param, state.moments, state.params)
    # A tree that has ended keeps its moments too; what all trees share, the number of steps, goes on.
    moved = _shrunk(state.params + rates * step, rates, shrinking), moments
    params, moments = jax.tree.map(
        lambda new, old: jnp.where(moving, new, old) if new.ndim else new, moved, (state.params, state.moments)
    )
    if learned is not None:
        going = jnp.zeros(len(learned), bool).at[tree].set(moving, mode="drop")
        learned = jnp.where(going[:, None], learned, state.learned)
    return State(params, moments, learned)


def _learned(
    name: str, tree: jax.Array, state: State, by_param: jax.Array, rate: jax.Array
) -> tuple[jax.Array | None, jax.Array]:
    """What trees have learned of their rates, and the rate of each parameter: that of its tree, times ``rate``."""
    learning = OPTIMIZERS[name].learned
    if learning is None:
        return None, rate
    with jax.numpy_dtype_promotion("standard"):
        last = learning.last(state.moments)
    slopes = jax.ops.segment_sum(by_param * last, tree, len(state.learned))
    learned = learning.next(state.learned, slopes)
    return learned, rate * learned[:, 0].at[tree].get(mode="fill", fill_value=0)


def _shrunk(params: jax.Array, rate: jax.Array, shrinking: Shrinking) -> jax.Array:
    left = jnp.abs(params) - rate * shrinking.l1
    alone = jnp.where(left <= 0, jnp.zeros_like(params), jnp.copysign(left, params))
    if shrinking.group_l1 is None:
        return alone
    by, group = rate * shrinking.group_l1, shrinking.group
    norm = jnp.sqrt(jax.ops.segment_sum(alone * alone, group, len(alone)))[group]
    return jnp.where(by == 0, alone, jnp.where(norm <= by, jnp.zeros_like(alone), alone * (1 - by / norm)))


def _spread(network: Network, params: jax.Array, features: int) -> jax.Array:
    """(nodes, features + 2) the parameters as a matrix; leaves of one node that read the same input are added."""
    flat = jnp.zeros(network.kind.size * (features + 2), params.dtype)
    return flat.at[network.place].add(params, mode="drop").reshape(-1, features + 2)


@jax.custom_vjp
def outputs(network: Network, matrix: jax.Array, inputs: jax.Array) -> jax.Array:
    """(trees, outputs, rows)"""
    return _forward(network, matrix, inputs)[0]


def _forward(network: Network, matrix: jax.Array, inputs: jax.Array) -> tuple[jax.Array, tuple]:
    nodes, width = network.kind.size, network.kind.shape[1]
    with_ones = jnp.pad(inputs, [(0, 0), (0, 1)], constant_values=1)
    edge = jnp.where(network.parent < nodes, matrix[:, -1].reshape(-1, width), jnp.ones((), matrix.dtype))  # outputs: 1

    def climb(turn: jax.Array, now: Arrays) -> Arrays:
        sums, value = now
        # Added one turn later: XLA would fuse it with the activations, and compute them number by number.
        sums = sums.at[network.parent[turn - 1]].add(edge[turn - 1][:, None] * value[turn - 1], mode="drop")
        total = lax.dynamic_slice_in_dim(sums, turn * width, width)
        return sums, value.at[turn].set(_select(network.kind[turn], [row.value(total, jnp) for row in ACTIVATIONS]))

    sums = jnp.pad(_product(matrix[:, :-1], with_ones.T), [(0, network.output.size), (0, 0)])
    value = jnp.zeros((*network.kind.shape, len(inputs)), matrix.dtype)
    sums, value = lax.fori_loop(0, network.turns, climb, (sums, value))
    return sums[network.output], (network, matrix, with_ones, edge, sums, value)


def _backward(saved: tuple, by_output: jax.Array) -> tuple[None, jax.Array, jax.Array]:
    """The derivatives by the matrix, absent leaves included, and by the inputs."""
    network, matrix, with_ones, edge, sums, value = saved
    width = network.kind.shape[1]

    def descend(step: jax.Array, now: Arrays) -> Arrays:
        (delta, by_edge), turn = now, network.turns - 1 - step
        total = lax.dynamic_slice_in_dim(sums, turn * width, width)
        slope = _select(network.kind[turn], [row.derivative(total, value[turn], jnp) for row in ACTIVATIONS])
        arriving = delta.at[network.parent[turn]].get(mode="fill", fill_value=0)
        delta = lax.dynamic_update_slice_in_dim(delta, edge[turn][:, None] * arriving * slope, turn * width, 0)
        return delta, by_edge.at[turn].set(jnp.sum(arriving * value[turn], axis=1))

    begin = jnp.zeros_like(sums).at[network.output].set(by_output), jnp.zeros_like(edge)
    delta, by_edge = lax.fori_loop(0, network.turns, descend, begin)
    delta = delta[: len(matrix)]
    by_matrix = jnp.concatenate([_product(delta, with_ones), by_edge.reshape(-1, 1)], axis=1)
    return None, by_matrix, _product(delta.T, matrix[:, :-2])


outputs.defvjp(_forward, _backward)


def _select(kind: jax.Array, options: list[jax.Array]) -> jax.Array:
    return lax.select_n(jnp.broadcast_to(kind[:, None], options[0].shape), *options)
