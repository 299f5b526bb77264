"""Searches with and without ``robust_error`` among their objectives, at equal training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from experiments.common.fronts import tested
from experiments.common.searching import Size, Tables, last_within, prepare
from experiments.common.searching import run as search_run
from experiments.frame.experiment import Row
from experiments.studies.robustness.conditions import Rows, conditions
from search.engine.population import Members
from search.judge.finish import live_front
from search.objectives import ROBUST

RADIUS = 0.1
SEARCHED = Size(trees=600)
USUAL, WITH_ROBUST = "search", "search, robust_error"
WAYS: dict[str, Tables] = {
    USUAL: {"search": {"objectives": ["error", "weights"]}},
    WITH_ROBUST: {"search": {"objectives": ["error", ROBUST, "weights"], "robust_radius": RADIUS}},
}
CHOSEN = ("val_error", ROBUST)  # what chooses the member of a front, on validation rows


def searched(table: str, seed: int, size: Size, way: str) -> Iterator[Row]:
    """A row for the member of the front with the least error, and with the least robust error."""
    search = prepare(table, seed, size, WAYS[way])
    problem = replace(search.setup.problem, robust_radius=RADIUS)  # so that the robust error is known for both
    search = search._replace(setup=replace(search.setup, problem=problem))
    moments = search_run(search)
    state = moments[last_within(search, moments)].state
    front: Members = live_front(search.setup, state)
    for by in CHOSEN:
        values = front.columns[by]
        place = int(np.lexsort((front.columns["weights"], values))[0])
        (model,) = tested(search, state, front.take(np.array([place])))
        rows = search.setup.test_rows
        found = conditions(model.tree, model.tree, Rows(search.table.X[rows], search.table.labels[rows]), seed)
        yield {"model": way, "chosen_by": by, "weights": model.tree.num_weights, ROBUST: float(values[place])} | found
