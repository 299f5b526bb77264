"""Structures that are evolved by clients, in one place, and by each client alone: the same search each time."""

from __future__ import annotations

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from experiments.common.scoring import score
from experiments.common.searching import Size, prepare
from experiments.frame.experiment import Row
from experiments.studies.federated.client_rows import by_label, labels_of
from neuraltree.federated.averaging import Plan, traffic_bytes
from neuraltree.tree.nodes import Nodes, one_set
from neuraltree.tree.tree import Tree
from search.engine.evolution_step import front_of, generations
from search.engine.population import objectives, violation
from search.engine.problem import Setup
from search.federated.client_search import client_search
from search.runs.progress import Phases
from search.table.data import Table

SEARCH = "search"
PLAN = Plan(rounds=4, epochs=5)  # of every tree of a generation
POPULATION, GENERATIONS, QUICK_GENERATIONS = 30, 12, 1  # generations after the first
GUIDED = {"variation": {"grow_edge": 0.0}}  # it would need the clients' gradients


def searched(table: str, seed: int, clients: int, quick: bool) -> list[Row]:
    """A row for each way; labels are skewed among the clients."""
    size = Size(POPULATION, epochs=PLAN.epochs, batch_size=16, learning_rate=0.03, folds=1)
    search = prepare(table, seed, size, GUIDED)
    setup = search.setup
    owned = by_label(np.random.default_rng([seed, 5]), labels_of(search.table, setup.train_rows), clients)
    ways = {"averaged": [owned], "pooled": [[np.arange(len(setup.train_rows))]], "local": [[rows] for rows in owned]}
    last = QUICK_GENERATIONS if quick else GENERATIONS
    return [_row(name, setup, search.table, groups, seed, last) for name, groups in ways.items()]


def _row(name: str, setup: Setup, table: Table, groups: list[list[NDArray]], seed: int, last: int) -> Row:
    """The recommended trees of the searches of groups of clients: means by their rows, and the lowest score."""
    found = [_evolved(setup, clients, seed, last) for clients in groups]
    scores = [_score(setup, table, tree) for tree, _ in found]
    rows = [sum(map(len, clients)) for clients in groups]
    mean = {"test_score": float(np.average(scores, weights=rows)), "worst_score": min(scores)}
    weights = float(np.average([tree.num_weights for tree, _ in found], weights=rows))
    several = len(groups[0]) > 1
    about = {"clients": sum(map(len, groups)), "round": PLAN.rounds, "bytes": found[0][1] if several else 0}
    return about | {"method": name, "weights": weights} | mean


def _evolved(setup: Setup, clients: list[NDArray], seed: int, last: int) -> tuple[Tree, int]:
    """The tree with the lowest error on the clients' validation rows, and the bytes that travelled for all trees."""
    problem, strategy = client_search(setup, clients, PLAN, seed)
    moments = list(islice(generations(problem, strategy, Phases()), last + 1))
    weights = sum(int(info.evaluated.columns["weights"].sum()) for _, info in moments)
    state = moments[-1][0]
    points = objectives(state.members, strategy.objectives, strategy.reference)
    excess = violation(state.members, strategy.bounds)
    first = front_of(state.members, points, state.rank, excess)[0]
    return _tree(setup, state.members.trees[first]), traffic_bytes(weights, len(clients), PLAN.rounds)


def _tree(setup: Setup, nodes: Nodes) -> Tree:
    """The tree of the averaged weights, which all folds have."""
    features = tuple(f"x{i}" for i in range(setup.problem.space.n_features))
    task = setup.problem.task
    classes = None if task.kind == "regression" else tuple(range(max(2, task.n_outputs)))
    own = one_set(nodes, nodes["weight"][:, 0], nodes["bias"][:, 0])
    return Tree(own, task.kind, features, classes, setup.scaler, setup.target_scaler)


def _score(setup: Setup, table: Table, tree: Tree) -> float:
    rows = setup.test_rows
    return score(table.kind, table.y[rows], tree.predict(table.X[rows]))
