"""The contribution of each part of the search: searches without that part, at equal training."""

from __future__ import annotations

from typing import Any

from experiments.common.fronts import OUTCOME, outcome
from experiments.common.searching import HALF, Tables, prepare, run, settings, size_of
from experiments.frame.experiment import Experiment, Row, Unit
from search.variation.operators import OPERATORS

TABLES = ("friedman", "glass", "australian")
FULL, ONE_HOLD_OUT, JUDGED = "full", "one hold-out", "judged afresh"
VARIANTS: dict[str, Tables] = {
    FULL: {},
    JUDGED: {},
    "no inheritance": {"search": {"inherit": False}},
    "no inheritance, 60 epochs": {"search": {"inherit": False}, "train": {"epochs": 60}},
    ONE_HOLD_OUT: {"search": {"folds": 1}},
    "no weight decay": {"train": {"weight_decay": 0.0}},
    "no pruned trees": {"search": {"pruned_share": 0.0}},
    **{f"no {row.name}": {"variation": {row.name: 0}} for row in OPERATORS if row.default_probability},
}


def rows(unit: Unit, quick: bool) -> list[Row]:
    search = prepare(unit.table, unit.seed, size_of(quick, HALF), VARIANTS[unit.job])
    return [outcome(search, run(search), afresh=unit.job == JUDGED)]


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = TABLES[2:] if quick else TABLES
    return [Unit(table, job, seed) for seed in range(seeds) for table in tables for job in VARIANTS]


def unit_settings(unit: Unit, quick: bool) -> dict[str, Any]:
    return settings(unit.table, size_of(quick, HALF), VARIANTS[unit.job])


EXPERIMENT = Experiment(
    "ablation", "the search without each of its parts, at equal training", 10, OUTCOME, units, rows, unit_settings
)
