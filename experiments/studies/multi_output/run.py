"""The tables of the sources on multi-output trees, heterogeneous ensembles and per-class objectives, by our search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from experiments.common.fronts import OUTCOME, outcome
from experiments.common.paper_tables import CLASSIFICATION
from experiments.common.searching import HALF, Size, Tables, prepare, run, settings, size_of
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.multi_output import class_objectives, heterogeneous

ERROR, BOTH = ["error"], ["error", "nodes"]
# Objectives are those of MONT: error, and nodes except in plain genetic programming.
METHODS: dict[str, Tables] = {
    "gp": {"search": {"selection": "nsga2", "objectives": ERROR}},
    "nsga2": {"search": {"selection": "nsga2", "objectives": BOTH}},
    "nsga3": {"search": {"selection": "nsga3", "objectives": BOTH}},
    "hypervolume": {"search": {"selection": "hypervolume", "objectives": BOTH}},
}
ENSEMBLE = "ensemble"
COLUMNS = tuple(dict.fromkeys((*OUTCOME, *heterogeneous.COLUMNS, *class_objectives.COLUMNS)))


class Job(NamedTuple):
    tables: tuple[str, ...]
    config: Tables
    rows: Callable[[Unit, Size], list[Row]]


def _front(unit: Unit, size: Size) -> list[Row]:
    search = prepare(unit.table, unit.seed, size, METHODS[unit.job])
    return [outcome(search, run(search), cost="nodes")]


JOBS: dict[str, Job] = {
    **{name: Job(CLASSIFICATION, config, _front) for name, config in METHODS.items()},
    ENSEMBLE: Job(heterogeneous.TABLES, {}, lambda unit, size: [heterogeneous.row(unit, size)]),
    **{
        name: Job((class_objectives.TABLE,), config, class_objectives.rows)
        for name, config in class_objectives.OBJECTIVES.items()
    },
}


def rows(unit: Unit, quick: bool) -> list[Row]:
    empty = dict.fromkeys(COLUMNS)
    return [empty | row for row in JOBS[unit.job].rows(unit, size_of(quick, HALF))]


def units(seeds: int, quick: bool) -> list[Unit]:
    """Seeds are the outermost loop; if ``quick``, each job runs on the last of its tables only."""
    return [
        Unit(table, name, seed)
        for seed in range(seeds)
        for name, job in JOBS.items()
        for table in (job.tables[-1:] if quick else job.tables)
    ]


def unit_settings(unit: Unit, quick: bool) -> dict[str, Any]:
    return settings(unit.table, size_of(quick, HALF), JOBS[unit.job].config) | {
        "ensemble_members": heterogeneous.MEMBERS,
        "members": class_objectives.MEMBERS,
    }


EXPERIMENT = Experiment(
    "multi_output",
    "multi-output trees, heterogeneous ensembles and per-class objectives",
    10,
    COLUMNS,
    units,
    rows,
    unit_settings,
)
