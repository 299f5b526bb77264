"""kozax: genetic programming compiled by XLA, the constants of its elite trained by Adam."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from experiments.peers.arena import Arena, Clock, Found
from experiments.peers.formulas import Formula, judged
from neuraltree.arrays import FloatArray

POPULATION, ELITE, STEPS = 100, 50, 5
MOST_NODES = 15  # its default
REFITS = 3  # times STEPS steps on all training rows

FUNCTIONS: dict[str, Any] = {
    "+": (np.add, jnp.add, 2),
    "-": (np.subtract, jnp.subtract, 2),
    "*": (np.multiply, jnp.multiply, 2),
    "aq": (lambda a, b: a / np.sqrt(1 + b * b), lambda a, b: a / jnp.sqrt(1 + b * b), 2),
    "sin": (np.sin, jnp.sin, 1),
    "tanh": (np.tanh, jnp.tanh, 1),
}


Batch = tuple[jax.Array, jax.Array]  # (rows, features) and (rows,)


def kozax(arenas: Sequence[Arena]) -> list[Found]:
    """Hold-outs of one table, one after another, by a program that is compiled once, before the first clock starts."""
    with redirect_stdout(io.StringIO()):  # kozax prints its progress
        compiling = Clock(0.0)
        model = make_model(arenas[0].X.shape[1], MOST_NODES)
        population = model.initialize_population(jax.random.PRNGKey(0))
        model._warm_up_jit_functions(population, _first_fold(arenas[0]))
        compile_s = compiling.spent
        return [evolved(model, arena, compile_s) for arena in arenas]


def make_model(features: int, most_nodes: int, *, steps: int = STEPS, elite: int = ELITE) -> Any:
    """``steps`` of Adam in every generation for the constants of the best ``elite``; 0: none."""
    from kozax.fitness_functions.SR_fitness_function import SymbolicRegressionFitnessFunction
    from kozax.genetic_programming import GeneticProgramming

    operators = [{"string": name, "fn": row[1], "arity": row[2]} for name, row in FUNCTIONS.items()]
    return GeneticProgramming(
        num_generations=2,
        population_size=POPULATION,
        fitness_function=SymbolicRegressionFitnessFunction(),
        operator_list=operators,
        variable_list=[[f"x{i}" for i in range(features)]],
        max_nodes=most_nodes,
        constant_optimization=steps > 0,
        constant_optimization_steps=steps,
        optimize_constants_elite=elite,
    )


def rows_of(X: FloatArray, y: FloatArray) -> Batch:
    return jnp.asarray(X, jnp.float32), jnp.asarray(y, jnp.float32)


def _first_fold(arena: Arena) -> Batch:
    """The rows that it fits: the same number in all hold-outs of a table, so that one program serves them."""
    rows, _ = arena.folds[0]
    return rows_of(arena.X[rows], arena.y[rows])


def evolved(model: Any, arena: Arena, compile_s: float) -> Found:
    """The front that kozax itself keeps: error against the number of operators."""
    clock, generations = Clock(arena.budget_s), 0
    rows = _first_fold(arena)
    key = jax.random.PRNGKey(arena.seed)
    model.reset()
    population = model.initialize_population(key)
    while True:
        key, first, second = jax.random.split(key, 3)
        fitness, population = model.evaluate_population(population, rows, first)
        generations += 1
        if not clock.running:
            break
        population = model.evolve_population(population, fitness, second)
    search_s = clock.spent
    errors, trees = model.pareto_front
    kept = np.flatnonzero(np.asarray(errors) < model.max_fitness)
    formulas = [formula(np.asarray(trees[i]), float(errors[i])) for i in kept]
    members = judged(arena, formulas, lambda best: refitted(model, arena, best))
    note = "compiling is not counted: it took longer than the budget"
    return Found(members, POPULATION * generations, search_s, compile_s, note)


def formula(tree: FloatArray, error: float) -> Formula:
    """``tree`` (1, nodes, 4) of kind, two children and a number; kinds are 0 for none, 1 for a number, then functions
    and variables; children come before their parents and the root is last."""
    kinds = tree[0, :, 0].astype(int)
    first = 2 + len(FUNCTIONS)
    scalars, reads = int(np.sum(kinds == 1)), int(np.sum(kinds >= first))
    tables = list(FUNCTIONS.values())

    def values(X: FloatArray) -> FloatArray:
        known: list[Any] = []
        for kind, left, right, number in tree[0]:
            if kind >= first:
                known.append(X[:, int(kind) - first])
            elif kind >= 2:
                function, _, arity = tables[int(kind) - 2]
                known.append(function(*[known[int(child)] for child in (left, right)[:arity]]))
            else:
                known.append(number)
        return np.asarray(known[-1])

    return Formula(scalars + reads, scalars, int(np.sum(kinds > 0)), values, error, tree)


def refitted(model: Any, arena: Arena, formulas: list[Formula]) -> list[Formula]:
    """By kozax's own optimiser: always ``ELITE`` trees at once, the last repeated, so that one program serves."""
    rows = rows_of(arena.X, arena.y)
    final: list[Formula] = []
    for start in range(0, len(formulas), ELITE):
        part = [each.source for each in formulas[start : start + ELITE]]
        trees = jnp.asarray(np.array([*part, *[part[-1]] * (ELITE - len(part))]))
        for i in range(REFITS):
            keys = jax.random.split(jax.random.PRNGKey(i), ELITE)
            errors, trees = model.jit_optimize(trees, rows, keys, model.constant_step_size)
        final += [formula(np.asarray(trees[i]), float(errors[i])) for i in range(len(part))]
    return final
