"""Mixtures of experts against one tree and the Pareto ensemble, and multitask trees against trees apart.

Rows are fitted, validated on and tested: validation rows find how much can be pruned and what few bits lose, and test
rows score every model once and choose nothing.
"""

from __future__ import annotations

from typing import Any

from experiments.common import paper_tables
from experiments.common.holdout import TEST_FRACTION
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.provenance import constants
from experiments.studies.mixtures.experts import PLAN as MIXTURE_PLAN
from experiments.studies.mixtures.experts import QUICK_PLAN as QUICK_MIXTURE
from experiments.studies.mixtures.experts import expert_rows
from experiments.studies.mixtures.limits import LIMITS, MARKS
from experiments.studies.mixtures.row_parts import DIGEST, ENERGY
from experiments.studies.mixtures.shared_tasks import PLAN, QUICK_PLAN, task_rows

EXPERTS, TASKS = "experts", "tasks"
TABLES = {EXPERTS: ("vehicle", "glass", "baseball", "friedman"), TASKS: (ENERGY, "vehicle", "friedman")}
JOBS = {EXPERTS: expert_rows, TASKS: task_rows}
COLUMNS = (
    *("method", "weights", "mean_macs", "worst_macs", "mean_latency_us", "worst_latency_us", "flash_bytes"),
    *("least_share", "val_score", "test_score", "number_score", "class_score"),
    *LIMITS,
    *MARKS,
)


def units(seeds: int, quick: bool) -> list[Unit]:
    if quick:
        return [Unit("friedman", EXPERTS, 0), Unit("vehicle", TASKS, 0)]
    return [Unit(table, job, seed) for seed in range(seeds) for job, tables in TABLES.items() for table in tables]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    modules = [f"experiments.studies.mixtures.{name}" for name in ("experts", "limits", "row_parts", "shared_tasks")]
    plans = (QUICK_MIXTURE, QUICK_PLAN) if quick else (MIXTURE_PLAN, PLAN)
    return {
        "data": DIGEST if unit.table == ENERGY else paper_tables.DIGESTS[unit.table],
        "fraction": TEST_FRACTION,
        "plans": [list(plan) for plan in plans],
        "constants": constants(*modules),
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    empty: Row = dict.fromkeys(COLUMNS)
    return [empty | row for row in JOBS[unit.job](unit.table, unit.seed, quick)]


EXPERIMENT = Experiment(
    "studies/mixtures",
    "mixtures of experts, and multitask trees above a shared trunk",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
