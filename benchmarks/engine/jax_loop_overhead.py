"""Whole epochs in the kernel, compared with a loop in JAX: optax over ``forest_outputs``, which the kernel computes.

Both do the same: 20 epochs of Adam for 100 random trees, validation after each, the best weights kept. They differ in
the cost of XLA's loop, its losses, its optimiser, two calls of the kernel a step, and compilation. CPU seconds of all
threads, the fastest of several repetitions: ``python -m benchmarks.run jax_loop``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from neuraltree.engine.forest import Forest, Packed, load_params, pack
from neuraltree.engine.kernel.binding import Missing, load
from neuraltree.engine.kernel.kernel_lowering import KernelLowering
from neuraltree.engine.primitive import forest_outputs
from neuraltree.engine.training import Course, Data, Settings, make_course, make_data
from neuraltree.tree.generate import varied_tree
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.space import Space

FEATURES, ROWS, FIT_ROWS, TREES, EPOCHS, REPEATS = 30, 426, 320, 100, 20, 20
BATCHES = (10, 64)


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.run jax_loop", description=__doc__).parse_args()
    rng = np.random.default_rng(0)
    nodes, starts = join([varied_tree(rng, Space(FEATURES)) for _ in range(TREES)])
    inputs = rng.standard_normal((ROWS, FEATURES))
    packed = pack(nodes, starts, FEATURES)
    print(f"{TREES} trees, {packed.forest.params - TREES} weights, {FIT_ROWS} rows, {EPOCHS} epochs, float32")
    print("batch    kernel s     JAX s    ratio    us more a step    compiling s    largest difference of a weight")
    for batch in BATCHES:
        compare(packed, nodes, inputs, batch)


def compare(packed: Packed, nodes: Nodes, inputs: NDArray, batch: int) -> None:
    """Print the row for a batch size."""
    kernel, settings = load(), Settings("logistic", batch_size=batch)
    if isinstance(kernel, Missing):
        raise SystemExit(f"this compares two uses of the kernel, but {kernel.reason}")
    data = make_data(inputs, 1.0 * (inputs[:, :1] > 0), None, "float32")
    rows = np.arange(ROWS)
    course = make_course(settings, rows[:FIT_ROWS], rows[FIT_ROWS:], epochs=EPOCHS, patience=0, seed=0)
    params, limit = load_params(packed, nodes, "float32")[0], np.full(TREES, EPOCHS, np.int32)
    by_kernel = partial(KernelLowering(kernel).train, packed.forest, settings, data, course, params, limit)
    start = time.process_time()
    by_jax = compiled(packed.forest, data, course, params, batch)
    compiling = time.process_time() - start
    fast, slow = least_time(by_kernel), least_time(lambda: jax.block_until_ready(by_jax()))
    difference = np.abs(by_kernel().params - np.asarray(by_jax())).max()
    more = (slow - fast) / len(course.rates) * 1e6
    print(f"{batch:5} {fast:11.4f} {slow:9.4f} {slow / fast:8.2f} {more:17.1f} {compiling:14.2f} {difference:21.1e}")


def least_time(function: Callable[[], Any]) -> float:
    """CPU seconds of the fastest of several calls."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def compiled(forest: Forest, data: Data, course: Course, params: NDArray, batch: int) -> Callable[[], jax.Array]:
    """The training as a program of JAX. The structure is an argument, so any forest of these sizes could use it."""
    owner = np.searchsorted(forest.first_tree_param, np.arange(forest.params), side="right") - 1
    arguments = jax.tree.map(jnp.asarray, (tuple(forest[2:]), owner, data, course.order, course.rates, params))
    method, steps = optax.adam(1.0, b1=0.9, b2=0.99), FIT_ROWS // batch

    def train(structure: Any, owner: Any, data: Data, order: Any, rates: Any, params: Any) -> Any:
        trees = Forest(forest.features, forest.outputs, *structure)

        def losses(params: Any, inputs: Any, targets: Any) -> jax.Array:
            """(trees,) mean over the rows."""
            outputs = forest_outputs(trees, params, inputs)[:, 0]
            return (jax.nn.softplus(outputs) - targets[:, 0] * outputs).mean(axis=1)

        def step(i: Any, now: Any) -> Any:
            params, state, epoch = now
            rows = jax.lax.dynamic_slice(order, (epoch, i * batch), (1, batch))[0]
            slope = jax.grad(lambda params: losses(params, data.inputs[rows], data.targets[rows]).sum())(params)
            change, state = method.update(slope, state)
            return params + rates[epoch * steps + i].astype(params.dtype) * change, state, epoch

        def train_epoch(epoch: Any, now: Any) -> Any:
            params, state, best, least = now
            params, state, _ = jax.lax.fori_loop(0, steps, step, (params, state, epoch))
            found = losses(params, data.inputs[FIT_ROWS:], data.targets[FIT_ROWS:])
            best = jnp.where((found < least)[owner], params, best)
            return params, state, best, jnp.minimum(least, found)

        least = losses(params, data.inputs[FIT_ROWS:], data.targets[FIT_ROWS:])
        return jax.lax.fori_loop(0, EPOCHS, train_epoch, (params, method.init(params), params, least))[2]

    return partial(jax.jit(train).lower(*arguments).compile(), *arguments)


if __name__ == "__main__":
    main()
