"""The engine, and a training loop in JAX over the engine's kernel as a function of JAX."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.jax_loop import compile_loop, threaded
from benchmarks.peers.workload import LEARNING_RATE, Contender, Workload
from neuraltree.engine.forest import Packed, cut, load_params, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.primitive import forest_outputs
from neuraltree.engine.training import Course, Settings, make_data
from neuraltree.tree.nodes import join


def packed(work: Workload) -> tuple[Packed, NDArray[np.float32]]:
    """The population as the engine keeps it, and its parameters."""
    nodes, starts = join(work.trees)
    found = pack(nodes, starts, work.space.n_features)
    return found, load_params(found, nodes, "float32")[0]


def engine(work: Workload, threads: int, optimizer: str = "rmsprop", rate: float = LEARNING_RATE) -> Contender:
    """The trees cut by cost, one share for each thread."""
    found, params = packed(work)
    settings = Settings("squared", optimizer, rate, "constant", work.batch)
    data = make_data(work.inputs, work.targets[:, None], None, "float32")
    epochs = len(work.order)
    order = np.ascontiguousarray(work.order, dtype=np.int32)
    course = Course(order, np.full(work.steps, rate), order[0, :0], epochs)
    ends = found.forest.first_tree_param

    def train(first: int, last: int) -> NDArray[np.float32]:
        own, limit = params[ends[first] : ends[last]], np.full(last - first, epochs)
        return lowering().train(found.forest.part(first, last), settings, data, course, own, limit).last

    runs = [partial(train, *run) for run in cut(found.forest, threads)]
    return threaded(runs, threads, work.weights, work)


def jax_loop(work: Workload, threads: int) -> Contender:
    """optax and the loop are JAX's; the kernel gives the outputs of all trees and their derivatives."""
    found, params = packed(work)
    ends = found.forest.first_tree_param

    def run(first: int, last: int) -> object:
        forest = found.forest.part(first, last)

        def network(structure: None, params: jax.Array, inputs: jax.Array) -> jax.Array:
            return forest_outputs(forest, params, inputs)[:, 0]

        return compile_loop(network, work, None, params[ends[first] : ends[last]])

    runs = [run(*share) for share in cut(found.forest, threads)]
    return threaded(runs, threads, work.weights, work)
