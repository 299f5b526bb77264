"""gplearn: genetic programming with a penalty on length, for values and for two classes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from experiments.peers.arena import Arena, Clock, Found
from experiments.peers.formulas import MOST_NODES, Formula, best_by_size, judged
from neuraltree.arrays import FloatArray

POPULATION = 300


def gplearn(arena: Arena) -> Found:
    """Run one generation at a time; keep the best program of every size over all generations."""
    rows, _ = arena.folds[0]
    model = estimator(arena)
    clock, known, generations = Clock(arena.budget_s), dict[int, Formula](), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of scikit-learn's, about how gplearn calls it
        while clock.running or not generations:
            generations += 1
            model.set_params(generations=generations).fit(arena.X[rows], arena.y[rows])
            best_by_size(known, map(formula, model._programs[-1]))
    search_s = clock.spent
    return Found(judged(arena, list(known.values())), POPULATION * generations, search_s)


def estimator(arena: Arena) -> Any:
    from gplearn.functions import make_function
    from gplearn.genetic import SymbolicClassifier, SymbolicRegressor

    quotient = make_function(function=lambda a, b: a / np.sqrt(1.0 + b * b), name="aq", arity=2)
    tanh = make_function(function=np.tanh, name="tanh", arity=1)
    kind = SymbolicRegressor if arena.kind == "regression" else SymbolicClassifier
    metric = {"metric": "mse"} if arena.kind == "regression" else {}
    return kind(
        population_size=POPULATION,
        function_set=("add", "sub", "mul", quotient, "sin", tanh),
        stopping_criteria=-1.0,
        init_depth=(2, 5),
        warm_start=True,
        low_memory=True,
        random_state=arena.seed,
        **metric,
    )


def formula(program: Any) -> Formula:
    """A number is a float in a program, a variable its position."""
    parts = program.program
    scalars = sum(isinstance(part, float) for part in parts)
    leaves = scalars + sum(isinstance(part, int | np.integer) for part in parts)

    def values(X: FloatArray) -> FloatArray:
        found: FloatArray = program.execute(X)
        return found

    error = program.raw_fitness_ if len(parts) <= MOST_NODES else np.inf
    return Formula(leaves, scalars, len(parts), values, float(error), program)
