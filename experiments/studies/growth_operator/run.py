"""Growth guided by gradients in the search: ``grow_edge`` against ``insert_edge``, at equal evaluations.

Only training rows of the hold-outs are used: a quarter of them is hidden from the search and tests its last front.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.fronts import front, percent, points_of, reference, served, tested
from experiments.common.holdout import TEST_FRACTION, holdout
from experiments.common.searching import FULL, QUICK, Search, Size, prepare_rows
from experiments.frame.experiment import Experiment, Row, Unit
from search.engine.evolution_step import Info, State, generations
from search.engine.problem import Setup
from search.evolution import NODES, NODES_PER_OUTPUT
from search.runs.progress import Phases
from search.table.data import Table

TABLES = ("friedman", "glass", "vehicle", "wdbc")
INNER_FRACTION = 0.25
EDGE_SHARE = 0.07  # share of the children made by all operators that add an edge
INSERT, GROW = "insert_edge", "grow_edge"
VARIANTS: dict[str, dict[str, float]] = {
    INSERT: {INSERT: EDGE_SHARE, GROW: 0.0},
    GROW: {INSERT: 0.0, GROW: EDGE_SHARE},
    "both": {INSERT: EDGE_SHARE / 2, GROW: EDGE_SHARE / 2},
    "neither": {INSERT: 0.0, GROW: 0.0},
}
SEARCHED = ("trees", "hypervolume", "val_error", "members", "holdout_volume", "holdout_score")
ADDED = tuple(f"{name} {what}" for name in (INSERT, GROW) for what in ("children", "improved", "change"))


def rows(unit: Unit, quick: bool) -> list[Row]:
    search = prepare(unit.table, unit.seed, QUICK if quick else FULL, VARIANTS[unit.job])
    state, infos = evolved(search.setup, 2 if quick else 15)
    return [searched(search, state) | added(infos)]


def prepare(name: str, seed: int, size: Size, variation: dict[str, float]) -> Search:
    """A search on the training rows of a hold-out; a quarter of these serve as its test rows."""
    kept = training_part(paper_tables.table(name), seed)
    return prepare_rows(kept, name, INNER_FRACTION, seed, size, {"variation": variation})


def training_part(table: Table, seed: int) -> Table:
    kept, _ = holdout(table, seed)
    return replace(table, X=table.X[kept], y=table.y[kept])


def evolved(setup: Setup, last: int) -> tuple[State, list[Info]]:
    """The state after generation ``last``, and the ``Info`` of each generation."""
    states, infos = zip(*islice(generations(setup.problem, setup.strategy, Phases()), last + 1), strict=True)
    return states[-1], list(infos)


def searched(search: Search, state: State) -> Row:
    """The population's hypervolume in % on validation rows, and its front's volume on the rows hidden from it."""
    corner, members = reference(search), front(state.members)
    models = tested(search, state, members)
    return {
        "trees": state.evaluations,
        "hypervolume": percent(points_of(state.members), corner),
        "val_error": float(members.columns["val_error"][0]),
        "members": len(models),
        "holdout_volume": served(models, corner),
        "holdout_score": models[0].test_score,
    }


def added(infos: list[Info]) -> Row:
    """By operator: its children, the share of them with a lower validation error than their parent, and the median
    change of it in % of the parent's."""
    errors = np.concatenate([info.evaluated.columns["val_error"] for info in infos])  # ids are places
    operators = np.concatenate([info.origin.operators for info in infos])
    parents = np.concatenate([info.origin.parents[:, 0] for info in infos])
    found: Row = {}
    for name in (INSERT, GROW):
        made = np.flatnonzero(operators == name)
        before: NDArray[np.float64] = errors[parents[made]]
        change = 100 * (errors[made] - before) / np.maximum(before, np.finfo(float).tiny)
        values = (len(made), float(np.mean(change < 0)), float(np.median(change))) if len(made) else (0, None, None)
        found |= zip([f"{name} {what}" for what in ("children", "improved", "change")], values, strict=True)
    return found


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = TABLES[1:2] if quick else TABLES
    return [Unit(table, job, seed) for seed in range(seeds) for table in tables for job in VARIANTS]


def unit_settings(unit: Unit, quick: bool) -> dict[str, Any]:
    return {
        "data": paper_tables.DIGESTS[unit.table],
        "fractions": [TEST_FRACTION, INNER_FRACTION],
        "nodes": [NODES, NODES_PER_OUTPUT],
        "size": (QUICK if quick else FULL)._asdict(),
        "variation": VARIANTS[unit.job],
    }


EXPERIMENT = Experiment(
    "growth_operator",
    "growth of edges by gradients in the search, against edges inserted by chance, at equal evaluations",
    10,
    (*SEARCHED, *ADDED),
    units,
    rows,
    unit_settings,
)
