"""Morris's elementary effects of the settings of training and search (Morris 1991; Taylor et al. 2021), by SALib.

A unit is one trajectory: searches of one hold-out, each with one setting changed. The budget is not equal: more epochs,
trees and folds cost more, and ``spent`` says how much. The seed of the search is an input too, whose effects are noise.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from experiments.common import paper_tables
from experiments.common.fronts import archives, front, percent, reference, served, tested
from experiments.common.holdout import TEST_FRACTION
from experiments.common.searching import Moment, Search, prepare
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.provenance import constants
from experiments.studies.sensitivity.inputs import INPUTS, Point, point, trajectory
from search.engine.evolution_step import generations
from search.runs.progress import Phases

TABLES = ("friedman", "glass", "australian")
JOB = "morris"
MOST_WEIGHTS = 120.0  # of the box of the volumes, whatever trees may have
SEED_STEP = 1000  # from one level of chance to the next
OUTPUTS = ("hypervolume", "test_volume", "test_score", "spent")  # log10 of the weight·samples spent
COLUMNS = ("step", *INPUTS, *OUTPUTS)


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = ("australian",) if quick else TABLES
    return [Unit(table, JOB, seed) for seed in range(seeds) for table in tables]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    modules = [f"experiments.studies.sensitivity.{name}" for name in ("run", "inputs")]
    return {
        "data": paper_tables.DIGESTS[unit.table],
        "fraction": TEST_FRACTION,
        "inputs": [[name, *row] for name, row in INPUTS.items()],
        "quick": quick,
        "constants": constants(*modules),
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    return [
        {"step": step} | dict(zip(INPUTS, places.tolist(), strict=True)) | _searched(unit, point(places), quick)
        for step, places in enumerate(trajectory(unit.seed))
    ]


def _searched(unit: Unit, at: Point, quick: bool) -> Row:
    if quick:
        at = at._replace(size=at.size._replace(population=8, epochs=2), generations=1)
    search = prepare(unit.table, unit.seed, at.size, at.tables)
    problem = replace(search.setup.problem, seed=unit.seed + SEED_STEP * at.shift)
    search = search._replace(setup=replace(search.setup, problem=problem))
    moments = _moments(search, at.generations)
    corner = reference(search)
    corner[1] = MOST_WEIGHTS
    models = tested(search, moments[-1].state, front(moments[-1].state.members))
    return {
        "hypervolume": percent(archives(moments)[-1], corner),
        "test_volume": served(models, corner),
        "test_score": models[0].test_score,
        "spent": float(np.log10(moments[-1].spent)),
    }


def _moments(search: Search, last: int) -> list[Moment]:
    """The generations up to ``last``."""
    problem, spent, found = search.setup.problem, 0.0, []
    rows = sum(len(fit) for fit, _ in problem.folds) * problem.epochs
    for state, info in islice(generations(problem, search.setup.strategy, Phases()), last + 1):
        spent += float(info.evaluated.columns["weights"].sum()) * rows
        found.append(Moment(state, info.evaluated, spent))
    return found


EXPERIMENT = Experiment(
    "studies/sensitivity", "which settings of training and search matter most", 20, COLUMNS, units, run, settings
)
