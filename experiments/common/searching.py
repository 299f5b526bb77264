"""Searches on a hold-out up to a training budget, shared by the experiments about the search.

The budget is counted in weight·samples: weights x rows x epochs, of all trees and folds trained so far. The gradients
that guide ``grow_edge``, a step for a few trees, are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from experiments.common import paper_tables
from experiments.common.holdout import TEST_FRACTION
from search.config.config import config_hash, config_of
from search.engine.evolution_step import State, generations
from search.engine.population import Members
from search.engine.problem import Setup, set_up
from search.evolution import NODES, NODES_PER_OUTPUT
from search.runs.progress import Phases
from search.table.data import Table

Tables = dict[str, dict[str, Any]]  # a config as parsed TOML
WEIGHTS, WEIGHTS_PER_CLASS = 20, 10  # roughly the mean of a tree in the populations of these searches


class Size(NamedTuple):
    """The size of searches. The budget is the training of ``trees`` trees with ``usual_weights`` weights in all folds.

    Epochs, batch and learning rate are the best of six settings tried, by hypervolume on the validation rows of three
    hold-outs of friedman and glass that are not among those of the experiments.
    """

    population: int = 60
    trees: int = 2400
    epochs: int = 20
    batch_size: int = 32
    learning_rate: float = 0.03
    folds: int = 4


FULL, HALF, QUICK = Size(), Size(trees=1200), Size(population=8, trees=32, epochs=2)


class Search(NamedTuple):
    """A search about to begin."""

    table: Table
    setup: Setup
    budget: float  # weight·samples


class Moment(NamedTuple):
    """The state after a generation, the trees that it trained, and the weight·samples since the start."""

    state: State
    evaluated: Members
    spent: float


def usual_weights(table: Table) -> int:
    """The number for a usual tree: each class beyond two has its own output."""
    return max(WEIGHTS, WEIGHTS_PER_CLASS * len(table.classes or ()))


def size_of(quick: bool, usual: Size = FULL) -> Size:
    return QUICK if quick else usual


def settings(table: str, size: Size, tables: Tables) -> dict[str, Any]:
    """The settings that the rows of a search depend on, with those that it takes from the defaults of this project."""
    return {
        "data": paper_tables.DIGESTS[table],
        "test_fraction": TEST_FRACTION,
        "nodes": [NODES, NODES_PER_OUTPUT],
        "budget_weights": [WEIGHTS, WEIGHTS_PER_CLASS],
        "size": size._asdict(),
        "config": tables,
        "defaults": config_hash(config_of(_merged(table, TEST_FRACTION, 0, size, tables, classes=0), "the experiment")),
    }


def prepare(name: str, seed: int, size: Size, tables: Tables) -> Search:
    """The search of a table's hold-out ``seed``. ``tables`` are settings that extend or replace those of ``size``."""
    return prepare_rows(paper_tables.table(name), name, TEST_FRACTION, seed, size, tables)


def prepare_rows(table: Table, name: str, test_fraction: float, seed: int, size: Size, tables: Tables) -> Search:
    """The search on a table of which a share of the rows is kept for a test; otherwise as ``prepare``."""
    merged = _merged(name, test_fraction, seed, size, tables, classes=len(table.classes or ()))
    setup = set_up(config_of(merged, "the experiment"), table, workers=1)
    samples = (size.folds - 1) * len(setup.train_rows) * size.epochs  # every row is left out of one fold
    return Search(table, setup, float(size.trees * usual_weights(table) * samples))


def _merged(name: str, test_fraction: float, seed: int, size: Size, tables: Tables, *, classes: int) -> Tables:
    own: Tables = {
        "data": {"source": name, "test_fraction": test_fraction},
        "run": {"seed": seed},
        "space": {"max_nodes": max(NODES, NODES_PER_OUTPUT * classes)},
        "search": {"population": size.population, "folds": size.folds},
        "train": {"epochs": size.epochs, "batch_size": size.batch_size, "learning_rate": size.learning_rate},
        "baselines": {"models": []},
    }
    sections = dict.fromkeys([*own, *tables])
    return {section: own.get(section, {}) | tables.get(section, {}) for section in sections}


def run(search: Search, *, least_trees: int = 0) -> list[Moment]:
    """Every generation until the budget is spent and ``least_trees`` were trained."""
    moments: list[Moment] = []
    spent = 0.0
    for state, info in generations(search.setup.problem, search.setup.strategy, Phases()):
        spent += _samples(search, info.evaluated)
        moments.append(Moment(state, info.evaluated, spent))
        if spent >= search.budget and state.evaluations >= least_trees:
            break
    return moments


def _samples(search: Search, members: Members) -> float:
    """Weight·samples of the training of ``members``."""
    problem = search.setup.problem
    rows = sum(len(fit) for fit, _ in problem.folds) * problem.epochs
    return float(members.columns["weights"].sum()) * rows


def within(search: Search, moments: Sequence[Moment], share: float = 1.0) -> int:
    """The number of generations, the first population included, within a share of the budget."""
    return sum(moment.spent <= share * search.budget for moment in moments)


def last_within(search: Search, moments: Sequence[Moment]) -> int:
    """The last generation within the budget, at least the first population."""
    return max(within(search, moments) - 1, 0)
