"""Architectural stochasticity: many random trees trained alike, and evolved trees of the same hold-outs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from experiments.common.fronts import front, tested
from experiments.common.searching import Size, Tables, last_within, prepare, run, settings, size_of
from experiments.frame.experiment import Experiment, Row, Unit
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.space import Space
from search.engine.evolution_step import begin
from search.runs.progress import Phases

TABLES = ("iris", "wine", "glass", "friedman")
RANDOM, EVOLVED = "random", "evolved"
TREES, EPOCHS = 40, 200  # random trees per hold-out, and epochs per tree
MOST_NODES = 150  # of a random tree
ROOM: Tables = {"space": {"max_nodes": MOST_NODES}}
COLUMNS = ("tree", "weights", "nodes", "val_error", "test_score")


def _size(unit: Unit, quick: bool) -> Size:
    size = size_of(quick)
    if unit.job == EVOLVED:
        return size
    return size._replace(population=size.population if quick else TREES, epochs=size.epochs if quick else EPOCHS)


def _config(unit: Unit) -> Tables:
    return ROOM if unit.job == RANDOM else {}


def any_size(rng: np.random.Generator, space: Space, folds: int) -> Nodes:
    """A random tree whose maximum number of nodes is drawn log-uniformly up to the limit of the space."""
    least = 2 * space.n_outputs
    most = round(least * (space.max_nodes / least) ** rng.random())
    return random_tree(rng, space, folds=folds, max_nodes=most)


def rows(unit: Unit, quick: bool) -> list[Row]:
    """A row for each random tree, or for each member of the evolved front, trained on all training rows."""
    search = prepare(unit.table, unit.seed, _size(unit, quick), _config(unit))
    if unit.job == RANDOM:
        setup = search.setup
        sizes = partial(any_size, space=setup.problem.space, folds=len(setup.problem.folds))
        state, _ = begin(setup.problem, replace(setup.strategy, new_tree=sizes), Phases())
        members = state.members
    else:
        moments = run(search)
        state = moments[last_within(search, moments)].state
        members = front(state.members)
    return [
        {
            "tree": i,
            "weights": model.tree.num_weights,
            "nodes": model.tree.num_nodes,
            "val_error": model.promised,
            "test_score": model.test_score,
        }
        for i, model in enumerate(tested(search, state, members))
    ]


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = TABLES[:1] if quick else TABLES
    return [Unit(table, job, seed) for seed in range(seeds) for table in tables for job in (RANDOM, EVOLVED)]


def unit_settings(unit: Unit, quick: bool) -> dict[str, Any]:
    return settings(unit.table, _size(unit, quick), _config(unit))


EXPERIMENT = Experiment(
    "stochasticity", "random trees of all sizes beside evolved ones", 10, COLUMNS, units, rows, unit_settings
)
