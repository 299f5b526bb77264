"""One generation of 100 models, by each of the programs that evolves."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from itertools import cycle
from typing import Any

import jax
import numpy as np
from deap import gp, tools
from deap.algorithms import varAnd

from benchmarks.peers.case import NODES, SLACK, Case, Job, lengths, nodes_of_matrices
from experiments.peers import plain_gp
from experiments.peers.matrices import make_model, rows_of
from search.config.config import config_of
from search.engine.evolution_step import begin, step
from search.engine.problem import set_up
from search.runs.progress import Phases
from search.table.data import Table

GENERATIONS = 10  # of a call where a program does not stop after one
Run = Callable[[], Any]


def ours(case: Case, epochs: int, folds: int) -> Job:
    """Children of the trees of the case: varied, trained, scored and selected on all cores; every call is the same."""

    def make() -> Run:
        features = tuple(f"x{i}" for i in range(case.X.shape[1]))
        table = Table(case.X, case.y, features, "y", None, "regression", digest="")
        sections: dict[str, Any] = {
            "data": {"source": case.name},
            "search": {"population": len(case.trees), "folds": folds},
            "space": {"max_nodes": case.space.max_nodes},
            "train": {"epochs": epochs},
        }
        setup = set_up(config_of(sections, "the benchmark"), table, all_rows=True)
        trees = cycle([_in_folds(tree, folds) for tree in case.trees])
        strategy = replace(setup.strategy, new_tree=lambda rng: next(trees))
        phases = Phases()
        state, _ = begin(setup.problem, strategy, phases)

        def run() -> Any:
            phases.take()
            return step(setup.problem, strategy, state, phases)[0], phases.take()

        return run

    return Job(make, nodes=lambda given: lengths(given[0].members.trees), phases=lambda given: given[1])


def _in_folds(tree: np.ndarray, folds: int) -> np.ndarray:
    """With the same weights for every fold."""
    from neuraltree.tree.nodes import node_dtype

    made = np.zeros(len(tree), dtype=node_dtype(folds))
    for name in ("depth", "op"):
        made[name] = tree[name]
    for name in ("weight", "bias"):
        made[name] = tree[name][:, :1]
    return made


def kozax(case: Case, steps: int) -> Job:
    """Evaluation, ``steps`` of Adam on the constants of all, its front, and new trees."""

    def make() -> Run:
        with redirect_stdout(io.StringIO()):
            model = make_model(case.X.shape[1], NODES, steps=steps, elite=len(case.trees))
        rows = rows_of(case.X, case.y)
        now = {"population": model.initialize_population(jax.random.PRNGKey(0)), "generation": 0}

        def run() -> Any:
            now["generation"] += 1
            first, second = jax.random.split(jax.random.PRNGKey(now["generation"]))
            fitness, trees = model.evaluate_population(now["population"], rows, first)
            now["population"] = jax.block_until_ready(model.evolve_population(trees, fitness, second))
            return now["population"]

        return run

    return Job(make, nodes=nodes_of_matrices)


def operon(case: Case, iterations: int) -> Job:
    """NSGA-II over R² and length, one thread; the first population counts as a generation."""

    def make() -> Run:
        from pyoperon.sklearn import SymbolicRegressor

        model = SymbolicRegressor(
            allowed_symbols="add,sub,mul,aq,sin,tanh,constant,variable",
            objectives=["r2", "length"],
            optimizer_iterations=iterations,
            population_size=len(case.trees),
            generations=GENERATIONS,
            initialization_max_length=NODES,
            max_length=NODES + SLACK,
            max_evaluations=10**9,
            epsilon=0.0,
            random_state=0,
            n_threads=1,
        )
        return lambda: model.fit(case.X, case.y)

    return Job(make, 1 + GENERATIONS, nodes=lambda model: [each.Genotype.Length for each in model.individuals_])


def deap(case: Case) -> Job:
    """Tournaments, crossover and mutation of trees of the case's size, and all of them evaluated by NumPy."""

    def make() -> Run:
        random.seed(0)
        space = plain_gp.primitives(case.X.shape[1])
        toolbox = plain_gp.make_toolbox(space)
        people: list[Any] = []
        while len(people) < len(case.trees):
            tree = plain_gp.Individual(gp.genHalfAndHalf(space, 4, 6))
            people += [tree] if abs(len(tree) - NODES) <= SLACK else []
        plain_gp.score(people, space, case.X, case.y)

        def run() -> Any:
            children = varAnd(tools.selTournament(people, len(people), 3), toolbox, 0.9, 0.1)
            for child in children:
                del child.fitness.values
            plain_gp.score(children, space, case.X, case.y)
            return children

        return run

    return Job(make, nodes=lengths)
