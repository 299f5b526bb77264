"""The training loop of all contenders that are JAX programs, but for the engine, which brings its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.peers.workload import LEARNING_RATE, Contender, Workload
from neuraltree.optimizers import OPTIMIZERS
from neuraltree.train import COMPILER_OPTIONS

# (structure, params, inputs (batch, features), targets (batch,)) -> scalar: the sum over trees of the mean loss
LossFunction = Callable[[Any, Any, jax.Array, jax.Array], jax.Array]


def half_square(values: jax.Array, targets: jax.Array) -> jax.Array:
    """Values (trees, batch) against targets (batch,): summed over trees, which do not share a weight."""
    return 0.5 * jnp.sum(jnp.mean(jnp.square(values - targets), axis=1))


def compile_loop(loss: LossFunction, work: Workload, structure: Any, params: Any) -> Callable[[], Any]:
    """A program that makes all steps of the workload: gradient by XLA, the engine's optimiser and options."""
    optimizer = OPTIMIZERS["rmsprop"](0.0)

    def train(structure: Any, params: Any, inputs: jax.Array, targets: jax.Array, order: jax.Array) -> Any:
        def step(i: jax.Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
            params, state = carry
            index = lax.dynamic_slice(order, (i * work.batch,), (work.batch,))
            gradient = jax.grad(loss, argnums=1)(structure, params, inputs[index], targets[index])
            updates, state = optimizer.update(gradient, state, params)
            return jax.tree.map(lambda p, u: p + LEARNING_RATE * u, params, updates), state

        return lax.fori_loop(0, work.steps, step, (params, optimizer.init(params)))[0]

    arguments = (structure, params, work.inputs, work.targets, work.order.reshape(-1))
    program = jax.jit(train).lower(*arguments).compile(compiler_options=COMPILER_OPTIONS)
    return lambda: jax.block_until_ready(program(*arguments))


def in_threads(runs: list[Callable[[], Any]], threads: int) -> list[Any]:
    """As the search runs its bins."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda run: run(), runs))


def threaded(runs: list[Callable[[], Any]], threads: int, weights: int, work: Workload) -> Contender:
    return Contender(lambda: in_threads(runs, threads), weights, work.order.size)
