"""The weights of one random structure by gradients, and by the metaheuristics that MONT and HFNT use.

Every method minimises the mean squared error on the training rows, from uniform vectors within its bounds; the test
rows are scored once. A pass of the gradients over the training rows, with its steps, counts as one evaluation."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from experiments.common import paper_tables
from experiments.common.holdout import TEST_FRACTION
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.metaheuristics import weight_problems
from experiments.studies.metaheuristics.minimisers import MINIMISERS, Search
from experiments.studies.metaheuristics.weight_problems import WeightProblem, fuzzy_problem, neural_problem, scaled_rows
from neuraltree.arrays import FloatArray

TABLES = ("iris", "australian", "vehicle", "friedman", "dee")
FUZZY_TABLES = ("dee", "mpg6")
NEURAL, GRADIENTS = "neural", "gradients"
FUZZY = {"fuzzy_1": 1, "fuzzy_2": 2}
BOUNDS = {"[.1, 1]": (0.1, 1.0), "[-1, 1]": (-1.0, 1.0)}  # those of MONT; and with negative weights
OWN = "own"  # the limits of a fuzzy node's parameters
EVALUATIONS, LONGER = 1020, 5100  # MONT's 50 generations of 20 after the first, and five times as many
# Passes that take no more CPU time than ``EVALUATIONS`` of differential evolution: measured once on the tables above.
SAME_SECONDS = {NEURAL: 1020, "fuzzy_1": 130, "fuzzy_2": 200}
FEW = 34
ERROR_RATE = "de_error_rate"  # "de" that minimises the share of wrong classes, as MONT does
COLUMNS = ("method", "bounds", "budget", "evaluations", "weights", "train_loss", "test_score", "fit_s")


def units(seeds: int, quick: bool) -> list[Unit]:
    if quick:
        return [Unit("dee", model, seed) for seed in range(seeds) for model in (NEURAL, "fuzzy_1")]
    pairs = [(table, NEURAL) for table in TABLES] + [(table, model) for table in FUZZY_TABLES for model in FUZZY]
    return [Unit(table, model, seed) for seed in range(seeds) for table, model in pairs]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    fuzzy = unit.job in FUZZY
    names = [name for name in vars(weight_problems) if name.isupper() and name.startswith("FUZZY_") == fuzzy]
    return {
        "data": paper_tables.DIGESTS[unit.table],
        "fraction": TEST_FRACTION,
        "budgets": [EVALUATIONS, LONGER, *_passes(unit.job, quick)],
        "bounds": OWN if fuzzy else BOUNDS,
        "minimisers": {name: [each.population, each.options] for name, each in MINIMISERS.items()},
        "models": {name: getattr(weight_problems, name) for name in names if name != "NONE_HELD"},
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    rows, rng = scaled_rows(unit.table, unit.seed), np.random.default_rng(unit.seed)
    fuzzy = unit.job in FUZZY
    problem = fuzzy_problem(rows, rng, FUZZY[unit.job]) if fuzzy else neural_problem(rows, rng)
    bounds = {OWN: problem.limits} if problem.limits else {name: _box(problem, ends) for name, ends in BOUNDS.items()}
    widest = next(reversed(bounds))
    start = _search(problem, bounds[widest], 1, unit.seed).drawn(1)[0]
    found = [_by_gradients(problem, widest, start, passes, unit.seed) for passes in _passes(unit.job, quick)]
    for name in MINIMISERS:
        for label, ends in bounds.items():
            for budget in (100,) if quick else (EVALUATIONS,) if fuzzy else (EVALUATIONS, LONGER):
                found.append(_by_minimiser(problem, name, label, _search(problem, ends, budget, unit.seed)))
    if rows.kind == "regression":
        return found
    by_rate = {name: _search(problem, ends, EVALUATIONS, unit.seed) for name, ends in bounds.items()}
    return found + [
        _by_minimiser(problem, "de", name, search._replace(losses=problem.error_rates), called=ERROR_RATE)
        for name, search in by_rate.items()
    ]


def _passes(model: str, quick: bool) -> tuple[int, ...]:
    return (4,) if quick else tuple(sorted({FEW, SAME_SECONDS[model], EVALUATIONS}))


def _box(problem: WeightProblem, ends: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    return np.full(problem.size, ends[0]), np.full(problem.size, ends[1])


def _search(problem: WeightProblem, ends: tuple[FloatArray, FloatArray], budget: int, seed: int) -> Search:
    return Search(problem.losses, *ends, budget, seed)


def _by_gradients(problem: WeightProblem, bounds: str, start: FloatArray, passes: int, seed: int) -> Row:
    begun = time.process_time()
    vector = problem.by_gradients(start, passes, seed)
    seconds = time.process_time() - begun
    return _row(problem, vector, GRADIENTS, bounds if problem.limits else "none", passes, passes, seconds)


def _by_minimiser(problem: WeightProblem, name: str, bounds: str, search: Search, *, called: str = "") -> Row:
    seen = 0

    def counted(vectors: FloatArray) -> FloatArray:
        nonlocal seen
        seen += len(vectors)
        return search.losses(vectors)

    begun = time.process_time()
    vector = MINIMISERS[name](search._replace(losses=counted))
    seconds = time.process_time() - begun
    return _row(problem, vector, called or name, bounds, search.budget, seen, seconds)


def _row(
    problem: WeightProblem, vector: FloatArray, method: str, bounds: str, budget: int, evaluations: int, seconds: float
) -> Row:
    return {
        "method": method,
        "bounds": bounds,
        "budget": budget,
        "evaluations": evaluations,
        "weights": problem.size,
        "train_loss": float(problem.losses(vector[None])[0]),
        "test_score": problem.test_score(vector),
        "fit_s": seconds,
    }


EXPERIMENT = Experiment(
    "studies/metaheuristics",
    "weights by gradients, differential evolution, particle swarms and random search",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
