"""Each activation function alone against several mixed by the search."""

from __future__ import annotations

from typing import Any

from experiments.common.fronts import OUTCOME, outcome
from experiments.common.searching import HALF, Tables, prepare, run, settings, size_of
from experiments.frame.experiment import Experiment, Row, Unit
from neuraltree.activations import NAMES
from search.config.settings import SpaceConfig

TABLES = ("friedman", "iris", "glass", "vehicle")
MIXED = "mixed"
KINDS: dict[str, tuple[str, ...]] = {MIXED: SpaceConfig().activations, **{name: (name,) for name in NAMES}}


def rows(unit: Unit, quick: bool) -> list[Row]:
    search = prepare(unit.table, unit.seed, size_of(quick, HALF), _config(unit))
    return [outcome(search, run(search))]


def _config(unit: Unit) -> Tables:
    return {"space": {"activations": list(KINDS[unit.job])}}


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = TABLES[1:2] if quick else TABLES
    return [Unit(table, job, seed) for seed in range(seeds) for table in tables for job in KINDS]


def unit_settings(unit: Unit, quick: bool) -> dict[str, Any]:
    return settings(unit.table, size_of(quick, HALF), _config(unit))


EXPERIMENT = Experiment(
    "activations", "each activation alone against the mixed set", 10, OUTCOME, units, rows, unit_settings
)
