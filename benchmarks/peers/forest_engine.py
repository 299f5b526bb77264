"""The engine, and the engine with its hand-derived backward pass replaced by automatic differentiation."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.jax_loop import compile_loop, threaded
from benchmarks.peers.workload import LEARNING_RATE, Contender, Workload
from neuraltree.engine.forest import Params, forward, load_params, outputs
from neuraltree.engine.packing import Bin, Forest, Shape, layout, pack, plan
from neuraltree.engine.train import fit, make_schedule
from neuraltree.engine.training_step import Settings, make_data
from neuraltree.tree.nodes import join


def packed(work: Workload) -> tuple[Shape, list[Bin]]:
    """The population in bins as a search packs its first one."""
    nodes, starts = join(work.trees)
    found = layout(nodes, starts)
    shape = plan(found, work.space)
    return shape, pack(nodes, starts, shape, found)


def engine_settings(work: Workload) -> Settings:
    return Settings("squared", "rmsprop", LEARNING_RATE, "constant", work.batch)


def engine(work: Workload, threads: int) -> Contender:
    """``neuraltree.engine.train.fit`` on every bin."""
    shape, bins = packed(work)
    nodes, _ = join(work.trees)
    settings, data = engine_settings(work), make_data(work.inputs, work.targets[:, None], None, shape, "float32")
    rows, epochs = len(work.inputs), len(work.order)
    schedule = make_schedule(
        shape,
        settings,
        rows,
        fit_rows=np.arange(rows),
        validation_rows=np.zeros(0, dtype=np.int64),
        epochs=epochs,
        limit=np.full(shape.trees, epochs),
        patience=0,
        rng=np.random.default_rng(0),
    )._replace(order=work.order)

    def train(unit: Bin) -> Params:
        start = load_params(unit, nodes, 0, "float32")
        return jax.block_until_ready(fit(shape, settings, unit.forest, start, data, schedule)).params

    return threaded([partial(train, unit) for unit in bins], threads, work.weights, work)


def autodiff(work: Workload, threads: int) -> Contender:
    """The same bins and the same forward pass; XLA derives the gradient, and gathers become scatters."""
    shape, bins = packed(work)
    nodes, _ = join(work.trees)

    def network(forest: Forest, params: Params, inputs: jax.Array) -> jax.Array:
        masked = Params(params.leaf * forest.leaf_mask, params.edge * forest.edge_mask)
        with_one = jnp.pad(inputs, ((0, 0), (0, 1)), constant_values=1)
        return outputs(forest, forward(shape, forest, masked, with_one))[:, 0]

    starts = [load_params(unit, nodes, 0, "float32") for unit in bins]
    runs = [compile_loop(network, work, unit.forest, start) for unit, start in zip(bins, starts, strict=True)]
    return threaded(runs, threads, work.weights, work)
