"""pyoperon: NSGA-II over R² and length, coefficients by Levenberg-Marquardt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.peers.arena import Arena, Clock, Found
from experiments.peers.formulas import FUNCTIONS, MOST_NODES, Formula, judged
from neuraltree.arrays import FloatArray

POPULATION, ITERATIONS, CHUNK = 500, 5, 1  # chunk: generations between two looks at the clock
REFIT_ITERATIONS = 50


def nsga2(arena: Arena) -> Found:
    """Runs in chunks of generations, each from the population of the last; pyoperon's own limit is wall time."""
    from pyoperon.sklearn import SymbolicRegressor

    rows, _ = arena.folds[0]
    model = SymbolicRegressor(
        allowed_symbols=",".join((*FUNCTIONS, "constant", "variable")),
        objectives=["r2", "length"],
        optimizer_iterations=ITERATIONS,
        population_size=POPULATION,
        generations=CHUNK,
        max_length=MOST_NODES,
        max_evaluations=10**9,
        epsilon=0.0,
        n_threads=1,
        warm_start=True,
    )
    clock, chunks = Clock(arena.budget_s), 0
    while clock.running or not chunks:
        model.set_params(random_state=1000 * arena.seed + chunks)
        model.fit(arena.X[rows], arena.y[rows])
        chunks += 1
    search_s = clock.spent
    formulas = [formula(model, found["tree"], found["mean_squared_error"]) for found in model.pareto_front_]
    members = judged(arena, formulas, lambda kept: refitted(arena, model, kept))
    return Found(members, POPULATION * (1 + CHUNK * chunks), search_s)


def formula(model: Any, tree: Any, error: float) -> Formula:
    """A tree with its scale and offset; each of its variables has a coefficient."""

    def values(X: FloatArray) -> FloatArray:
        found: FloatArray = model.evaluate_model(tree, X)
        return found

    nodes = tree.Nodes
    leaves = needed_leaves([Node(node.Type.name, node.Arity) for node in nodes])
    return Formula(leaves, leaves, len(nodes), values, error, tree)


class Node(NamedTuple):
    kind: str
    arity: int


class Part(NamedTuple):
    """A formula: its leaves, whether they could absorb an outer factor or addend, and whether it is a number."""

    leaves: int
    scales: bool
    shifts: bool
    number: bool = False


# Whether another function absorbs a factor, depending on whether its operands do.
SCALES: dict[str, Callable[[list[bool]], bool]] = {"Mul": any, "Aq": lambda scale: scale[0]}


def needed_leaves(nodes: Sequence[Node]) -> int:
    """Numbers and variables of a formula in postfix order, without numbers that others could absorb: factors of an
    expression with coefficients, addends of an expression with an addend. pyoperon puts a scale and an offset before
    every formula."""
    known: list[Part] = []
    for node in nodes:
        parts = [known.pop() for _ in range(node.arity)]  # in postfix order the first operand comes last
        known.append(_joined(node.kind, parts) if parts else _leaf(node.kind == "Constant"))
    return known[0].leaves


def _leaf(number: bool) -> Part:
    return Part(1, True, number, number)


def _joined(kind: str, parts: list[Part]) -> Part:
    numbers, others = [part for part in parts if part.number], [part for part in parts if not part.number]
    leaves = sum(part.leaves for part in parts)
    if kind in ("Add", "Sub", "Mul") and not others:
        return _leaf(True)
    if kind in ("Add", "Sub"):
        shifts = any(part.shifts for part in others)
        return Part(leaves - len(numbers) * shifts, all(part.scales for part in parts), shifts or bool(numbers))
    if kind == "Mul" and numbers:
        (other,) = others
        return Part(leaves - other.scales, True, other.shifts)
    scales = SCALES.get(kind, lambda scale: False)([part.scales for part in parts])
    return Part(leaves, scales, False)


def refitted(arena: Arena, model: Any, formulas: list[Formula]) -> list[Formula]:
    """Coefficients fitted on to all training rows, from those they have."""
    import pyoperon

    data = pyoperon.Dataset(np.asfortranarray(np.column_stack([arena.X, arena.y])))
    variables = sorted(data.Variables, key=lambda variable: variable.Index)
    problem = pyoperon.Problem(data)
    problem.TrainingRange = pyoperon.Range(0, data.Rows)
    problem.TestRange = pyoperon.Range(data.Rows - 1, data.Rows)
    problem.Target = variables[-1]
    problem.InputHashes = [variable.Hash for variable in variables[:-1]]
    table, rng = pyoperon.DispatchTable(), pyoperon.RandomGenerator(np.uint64(arena.seed))
    optimizer = pyoperon.LMOptimizer(table, problem, REFIT_ITERATIONS, 0)
    fit = pyoperon.CoefficientOptimizer(optimizer)
    return [formula(model, fit(rng, each.source)[0], each.fit_error) for each in formulas]
