"""One gradient step of all models on all rows, by each of the programs that has gradients."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.case import NODES, STEPS, Case, Job, lengths, nodes_of_matrices
from benchmarks.peers.dense_stacks import network
from benchmarks.peers.jax_loop import compile_loop, in_threads
from benchmarks.peers.per_tree import per_tree
from benchmarks.peers.workload import LEARNING_RATE
from experiments.peers.matrices import make_model, rows_of
from neuraltree.engine.forest import cut, load_params, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Settings, make_course, make_data
from neuraltree.tree.nodes import count_weights, join

HIDDEN = 48  # units of the dense networks
KOZAX_STEPS = 5  # of a call
ALONE = 4  # trees of the contender that compiles each
Run = Callable[[], Any]


def ours(case: Case, batch: int) -> Job:
    """The engine in as many threads as there are cores; 0: all rows are one batch."""
    batch = batch or len(case.y)

    def make() -> Run:
        nodes, starts = join(case.trees)
        found = pack(nodes, starts, case.X.shape[1])
        settings = Settings("squared", "adam", LEARNING_RATE, "constant", batch)
        data = make_data(case.X, case.y[:, None], None, "float32")
        rows = np.arange(len(case.y))
        course = make_course(settings, rows, rows[:0], epochs=STEPS, patience=0, seed=0)
        params, ends = load_params(found, nodes, "float32")[0], found.forest.first_tree_param

        def train(first: int, last: int) -> Any:
            own, limit = params[ends[first] : ends[last]], np.full(last - first, STEPS)
            return lowering().train(found.forest.part(first, last), settings, data, course, own, limit)

        threads = os.cpu_count() or 1
        return partial(in_threads, [partial(train, *run) for run in cut(found.forest, threads)], threads)

    return Job(make, STEPS * -(-len(case.y) // batch), nodes=lambda _: lengths(case.trees))


def jit_per_tree(case: Case) -> Job:
    """A program for each tree; ``ALONE`` trees are measured and stand for all."""
    trees = case.trees[:ALONE]
    make = lambda: per_tree(case.workload(len(case.y), trees), 1).run  # noqa: E731
    return Job(make, STEPS, len(trees) / len(case.trees), nodes=lambda _: lengths(trees))


def dense_networks(case: Case, units: int = HIDDEN) -> Job:
    """As many networks as trees in one program, each with ``units`` sigmoids; 0: with about the weights of a tree."""
    features, count = case.X.shape[1], len(case.trees)
    units = units or round((sum(map(count_weights, case.trees)) / count - 1) / (features + 2))

    def make() -> Run:
        rng = np.random.default_rng(0)
        shapes = {"hidden": (units, features), "bias": (units,), "output": (units,), "shift": ()}
        start = {name: rng.standard_normal((count, *shape)).astype(np.float32) for name, shape in shapes.items()}
        return compile_loop(network, case.workload(len(case.y), case.trees), None, start)

    return Job(make, STEPS)


def kozax(case: Case) -> Job:
    """Adam on the constants of all its trees; every tree is computed as a matrix of ``NODES`` rows."""

    def make() -> Run:
        with redirect_stdout(io.StringIO()):
            model = make_model(case.X.shape[1], NODES, steps=KOZAX_STEPS, elite=len(case.trees))
        rows = rows_of(case.X, case.y)
        model.optimizer = model.optimizer_class(model.constant_step_size)  # it makes one in each generation
        keys = jax.random.split(jax.random.PRNGKey(0), len(case.trees))
        trees = np.asarray(model.initialize_population(keys[0])[0][: len(case.trees)])
        return lambda: jax.block_until_ready(
            model.jit_optimize(jnp.array(trees), rows, keys, model.constant_step_size)  # it takes its argument away
        )

    return Job(make, KOZAX_STEPS, nodes=lambda given: nodes_of_matrices(given[1]))


def operon(case: Case, method: str) -> Job:
    """Levenberg-Marquardt or stochastic gradient descent on all coefficients, one thread, a tree after another."""

    def make() -> Run:
        import pyoperon

        data = pyoperon.Dataset(np.asfortranarray(np.column_stack([case.X, case.y])))
        variables = sorted(data.Variables, key=lambda variable: variable.Index)
        problem = pyoperon.Problem(data)
        problem.TrainingRange = pyoperon.Range(0, data.Rows)
        problem.TestRange = pyoperon.Range(data.Rows - 1, data.Rows)
        problem.Target = variables[-1]
        problem.InputHashes = inputs = [variable.Hash for variable in variables[:-1]]
        types = pyoperon.NodeType
        kinds = (types.Add, types.Sub, types.Mul, types.Aq, types.Sin, types.Tanh, types.Constant, types.Variable)
        problem.ConfigurePrimitiveSet(sum(int(kind) for kind in kinds))
        table, rng = pyoperon.DispatchTable(), pyoperon.RandomGenerator(np.uint64(0))
        symbols = problem.PrimitiveSet  # keep a reference: the creator has only a bare pointer to it
        creator = pyoperon.BalancedTreeCreator(symbols, inputs, 0.0)
        trees = [creator(rng, NODES, 1, 1000) for _ in case.trees]
        rule = pyoperon.AdamUpdateRule(0, LEARNING_RATE, 1e-8, 0.9, 0.999)
        optimizers = {
            "lm": lambda: pyoperon.LMOptimizer(table, problem, 1, 0),
            "sgd": lambda: pyoperon.SGDOptimizer(table, problem, rule, "gaussian", 1, 0),
        }
        optimizer = optimizers[method]()
        fitted = pyoperon.CoefficientOptimizer(optimizer)
        kept = (data, problem, table, rule, optimizer)  # bare pointers to these too

        def run() -> Any:
            assert kept
            return [fitted(rng, tree)[0] for tree in trees]

        return run

    return Job(make, nodes=lambda given: [tree.Length for tree in given])
