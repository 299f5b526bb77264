"""Searches of a hold-out up to a budget of training: what the experiments about the search share.

The budget is counted in weight·samples: weights x rows x epochs, of all trees and folds trained so far. The gradients
that guide ``grow_edge``, a step for a few trees, are not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments import data
from experiments.holdout import TEST_FRACTION
from neuraltree.generate import random_tree
from neuraltree.packing import Shape, layout, plan
from neuraltree.train import keep_programs
from neuraltree.tree import Nodes, join, simplify_all
from search.config import config_of
from search.data import Table
from search.engine import VARY, State, step
from search.evaluate import costs, evaluate, grown_shape
from search.evolution import NODES, NODES_PER_OUTPUT
from search.population import Members, objectives, violation
from search.problem import Setup, set_up
from search.progress import Phases
from search.selection import ranks

Tables = dict[str, dict[str, Any]]  # a config as parsed TOML
WEIGHTS = 20  # about what a tree has in the populations of these searches


class Size(NamedTuple):
    """How large searches are. The budget is that of so many ``trees`` of ``WEIGHTS`` weights, in so many folds.

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
    """A search about to begin. ``shape`` is the same for all seeds, so that a table needs one compiled program."""

    table: Table
    setup: Setup
    shape: Shape
    budget: float  # weight·samples


class Moment(NamedTuple):
    """The state after a generation, what that generation trained, and the weight·samples since the beginning."""

    state: State
    evaluated: Members
    spent: float


def size_of(quick: bool, usual: Size = FULL) -> Size:
    return QUICK if quick else usual


def settings(table: str, size: Size, tables: Tables) -> dict[str, Any]:
    """What the rows of a search depend on."""
    return {
        "data": data.DIGESTS[table],
        "test_fraction": TEST_FRACTION,
        "nodes": [NODES, NODES_PER_OUTPUT],
        "budget_weights": WEIGHTS,
        "size": size._asdict(),
        "config": tables,
    }


def prepare(name: str, seed: int, size: Size, tables: Tables) -> Search:
    """The search of a table's hold-out ``seed``. ``tables`` are settings beside, or instead of, those of ``size``."""
    keep_programs()
    table = data.table(name)
    own: Tables = {
        "data": {"source": name, "test_fraction": TEST_FRACTION},
        "run": {"seed": seed},
        "space": {"max_nodes": max(NODES, NODES_PER_OUTPUT * len(table.classes or ()))},
        "search": {"population": size.population, "folds": size.folds},
        "train": {"epochs": size.epochs, "batch_size": size.batch_size, "learning_rate": size.learning_rate},
    }
    sections = dict.fromkeys([*own, *tables])
    merged = {section: own.get(section, {}) | tables.get(section, {}) for section in sections}
    setup = set_up(config_of(merged, "the experiment"), table, workers=1)
    samples = (size.folds - 1) * len(setup.train_rows) * size.epochs  # every row is left out of one fold
    return Search(table, setup, _shape(setup), float(size.trees * WEIGHTS * samples))


def _shape(setup: Setup) -> Shape:
    """Room for populations of trees of all sizes that the space allows."""
    rng, space = np.random.default_rng(0), setup.problem.space
    trees = [random_tree(rng, space, max_nodes=space.max_nodes) for _ in range(setup.strategy.population)]
    return plan(layout(*join(simplify_all(trees))), space)


def first(search: Search) -> Moment:
    """The first population: that of ``search.engine.begin``, but for the shape of the bins it is trained in."""
    problem, strategy = search.setup.problem, search.setup.strategy
    rng = np.random.default_rng((problem.seed, 0, VARY))
    trees = simplify_all([strategy.new_tree(rng) for _ in range(strategy.population)])
    members, shape = _trained(search, trees)
    rank = ranks(objectives(members, strategy.objectives, strategy.reference), violation(members, strategy.bounds))
    return Moment(State(0, len(trees), shape, members, rank), members, _samples(search, members))


def _trained(search: Search, trees: list[Nodes]) -> tuple[Members, Shape]:
    problem = search.setup.problem
    shape, found = grown_shape(problem, search.shape, trees)
    result = evaluate(problem, shape, found, trees, generation=0)
    columns = result.columns | costs(problem, result.trees)
    return Members(result.trees, np.arange(len(trees)), columns, result.best_epoch, result.ok), shape


def run(search: Search, *, least_trees: int = 0) -> list[Moment]:
    """Every generation until the budget is spent and ``least_trees`` were trained."""
    moments = [first(search)]
    while moments[-1].spent < search.budget or moments[-1].state.evaluations < least_trees:
        state, info = step(search.setup.problem, search.setup.strategy, moments[-1].state, Phases())
        moments.append(Moment(state, info.evaluated, moments[-1].spent + _samples(search, info.evaluated)))
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
