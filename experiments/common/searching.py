"""Searches of a hold-out up to a budget of training: what the experiments about the search share.

The budget is counted in weight·samples: weights x rows x epochs, of all trees and folds trained so far. The gradients
that guide ``grow_edge``, a step for a few trees, are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from experiments.common import paper_tables
from experiments.common.holdout import TEST_FRACTION
from search.config.config import config_of
from search.engine.evolution_step import State, generations
from search.engine.population import Members
from search.engine.problem import Setup, set_up
from search.evolution import NODES, NODES_PER_OUTPUT
from search.runs.progress import Phases
from search.table.data import Table

Tables = dict[str, dict[str, Any]]  # a config as parsed TOML
WEIGHTS, WEIGHTS_PER_CLASS = 20, 10  # about what a tree has in the populations of these searches


class Size(NamedTuple):
    """How large searches are. The budget is that of so many ``trees`` of the ``usual_weights``, in so many folds.

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
    """The state after a generation, what that generation trained, and the weight·samples since the beginning."""

    state: State
    evaluated: Members
    spent: float


def usual_weights(table: Table) -> int:
    """Of a usual tree: each class beyond two has an output of its own."""
    return max(WEIGHTS, WEIGHTS_PER_CLASS * len(table.classes or ()))


def size_of(quick: bool, usual: Size = FULL) -> Size:
    return QUICK if quick else usual


def settings(table: str, size: Size, tables: Tables) -> dict[str, Any]:
    """What the rows of a search depend on."""
    return {
        "data": paper_tables.DIGESTS[table],
        "test_fraction": TEST_FRACTION,
        "nodes": [NODES, NODES_PER_OUTPUT],
        "budget_weights": [WEIGHTS, WEIGHTS_PER_CLASS],
        "size": size._asdict(),
        "config": tables,
    }


def prepare(name: str, seed: int, size: Size, tables: Tables) -> Search:
    """The search of a table's hold-out ``seed``. ``tables`` are settings beside, or instead of, those of ``size``."""
    return prepare_rows(paper_tables.table(name), name, TEST_FRACTION, seed, size, tables)


def prepare_rows(table: Table, name: str, test_fraction: float, seed: int, size: Size, tables: Tables) -> Search:
    """The search of some rows of a table, of which a share is kept for a test; otherwise as ``prepare``."""
    own: Tables = {
        "data": {"source": name, "test_fraction": test_fraction},
        "run": {"seed": seed},
        "space": {"max_nodes": max(NODES, NODES_PER_OUTPUT * len(table.classes or ()))},
        "search": {"population": size.population, "folds": size.folds},
        "train": {"epochs": size.epochs, "batch_size": size.batch_size, "learning_rate": size.learning_rate},
    }
    sections = dict.fromkeys([*own, *tables])
    merged = {section: own.get(section, {}) | tables.get(section, {}) for section in sections}
    setup = set_up(config_of(merged, "the experiment"), table, workers=1)
    samples = (size.folds - 1) * len(setup.train_rows) * size.epochs  # every row is left out of one fold
    return Search(table, setup, float(size.trees * usual_weights(table) * samples))


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
    """How many generations, the first population counted, a share of the budget was enough for."""
    return sum(moment.spent <= share * search.budget for moment in moments)


def last_within(search: Search, moments: Sequence[Moment]) -> int:
    """The last generation within the budget; the first population at least."""
    return max(within(search, moments) - 1, 0)
