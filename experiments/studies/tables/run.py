"""The 14 tables of the papers: evolved neural trees and all baselines on the same seeded hold-outs."""

from __future__ import annotations

from typing import Any

from experiments.common.holdout import TEST_FRACTION
from experiments.common.paper_tables import DIGESTS, TABLES
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.tables import baselines, evolved, lessons
from experiments.studies.tables.rows import COLUMNS, Job

QUICK_TABLES = ("iris", "mpg6")
JOBS: dict[str, Job] = {  # the most useful first
    "evolved": Job(evolved.run, evolved.settings),
    **baselines.JOBS,
    "lessons": Job(lessons.run, lessons.settings),
    "evolved_alone": Job(evolved.run_alone, evolved.settings_alone),
}


def units(seeds: int, quick: bool) -> list[Unit]:
    """Seeds are the outermost loop, so that every table has some results early."""
    tables = QUICK_TABLES if quick else TABLES
    return [Unit(table, job, seed) for seed in range(seeds) for job in JOBS for table in tables]


def run(unit: Unit, quick: bool) -> list[Row]:
    return JOBS[unit.job].run(unit, quick)


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    common = {"data": DIGESTS[unit.table], "test_fraction": TEST_FRACTION}
    return common | JOBS[unit.job].settings(unit, quick)


EXPERIMENT = Experiment("tables/bneuralt", "the 14 tables, all models", 30, COLUMNS, units, run, settings)
