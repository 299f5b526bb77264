"""The training loop of all contenders that are JAX programs, except the engine, which has its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.peers.workload import LEARNING_RATE, Contender, Workload
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.engine.xla.compiled import COMPILER_OPTIONS

# (structure, params, inputs (batch, features)) -> (trees, batch) outputs
Network = Callable[[Any, Any, jax.Array], jax.Array]


def compile_loop(network: Network, work: Workload, structure: Any, params: Any, padded: int = 0) -> Callable[[], Any]:
    """A program that makes all steps of the workload: gradient by XLA, the engine's optimiser and options.

    Batches smaller than ``padded`` are padded to it with rows of weight zero, if that is faster.
    """
    optimizer = OPTIMIZERS["rmsprop"](0.0)
    padding = max(0, padded - work.batch)
    share = np.pad(np.full(work.batch, 1 / work.batch, np.float32), (0, padding))

    def loss(params: Any, structure: Any, inputs: jax.Array, targets: jax.Array) -> jax.Array:
        # The sum over trees of half the mean squared error; trees share no weight, so their gradients are separate.
        return 0.5 * jnp.sum(share * jnp.square(network(structure, params, inputs) - targets))

    def train(structure: Any, params: Any, inputs: jax.Array, targets: jax.Array, order: jax.Array) -> Any:
        def step(i: jax.Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
            params, state = carry
            index = jnp.pad(lax.dynamic_slice(order, (i * work.batch,), (work.batch,)), (0, padding))
            gradient = jax.grad(loss)(params, structure, inputs[index], targets[index])
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
