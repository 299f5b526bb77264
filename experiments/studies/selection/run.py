"""Selection methods and random search at equal training, counted in weight·samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from deap import base

from experiments.common.fronts import OUTCOME, archives, outcome, percent, points_of, reference
from experiments.common.searching import Search, Tables, prepare, run, settings, size_of, within
from experiments.frame.experiment import Experiment, Row, Unit
from neuraltree.tree.nodes import Nodes

TABLES = ("friedman", "glass", "australian", "dee")
RANDOM, LONG = "random", "random, 60 epochs"
# A random tree is trained once, but the weights that an evolved tree inherits were trained in every generation. Random
# trees are therefore also trained for longer; the budget then covers fewer of them.
METHODS: dict[str, Tables] = {
    "hypervolume": {"search": {"selection": "hypervolume"}},
    "nsga2": {"search": {"selection": "nsga2"}},
    "nsga3": {"search": {"selection": "nsga3"}},
    RANDOM: {},
    LONG: {"train": {"epochs": 60}},
}
SHARES = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # shares of the budget, a row for each
# At a share of the budget or, for the last column, of the planned number of trees; ``OUTCOME`` is at the whole budget.
BY_SHARE = ("hypervolume", "population_hypervolume", "hypervolume_by_trees")
COLUMNS = ("share", *BY_SHARE, *(name for name in OUTCOME if name not in BY_SHARE))


def at_random(search: Search) -> Search:
    """A search whose only operator ignores the parent: so all trees are random, and none is made by pruning."""
    strategy = search.setup.strategy

    def another(rng: np.random.Generator, parent: Nodes) -> Nodes:
        del parent
        return strategy.new_tree(rng)

    toolbox = base.Toolbox()
    toolbox.register("subtree_replacement", another)
    toolbox.register("draw", lambda rng: "subtree_replacement")
    return search._replace(setup=replace(search.setup, strategy=replace(strategy, toolbox=toolbox, pruned=0)))


def rows(unit: Unit, quick: bool) -> list[Row]:
    """A row for each of ``SHARES``."""
    size = size_of(quick)
    search = prepare(unit.table, unit.seed, size, METHODS[unit.job])
    search = at_random(search) if unit.job in (RANDOM, LONG) else search
    moments = run(search, least_trees=0 if unit.job == LONG else size.trees)
    corner = reference(search)
    # Indexed by the number of generations, the first population included; 0 generations have an empty front.
    archive = [0.0, *(percent(points, corner) for points in archives(moments))]
    population = [0.0, *(percent(points_of(moment.state.members), corner) for moment in moments)]

    def at(share: float) -> Row:
        reached = within(search, moments, share)
        row = {"share": share, "hypervolume": archive[reached], "population_hypervolume": population[reached]}
        if unit.job != LONG:  # LONG trains another number of trees
            by_trees = sum(moment.state.evaluations <= share * size.trees for moment in moments)
            row["hypervolume_by_trees"] = archive[by_trees]
        return dict.fromkeys(COLUMNS) | row

    found = [at(share) for share in SHARES]
    found[-1] |= outcome(search, moments)
    return found


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = TABLES[3:] if quick else TABLES
    return [Unit(table, job, seed) for seed in range(seeds) for table in tables for job in METHODS]


def unit_settings(unit: Unit, quick: bool) -> dict[str, Any]:
    return settings(unit.table, size_of(quick), METHODS[unit.job]) | {"shares": SHARES}


EXPERIMENT = Experiment(
    "selection", "random search and three selections at equal training", 10, COLUMNS, units, rows, unit_settings
)
