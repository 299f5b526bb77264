"""Accuracy against sparsity of random trees of about 250 weights, cut along a path of sizes by every criterion; and of
the tree of 10,000 weights from the pixels of MNIST.

After figure 2 of the poster *Towards Efficient AI*: unstructured and structured pruning, with and without training
after the cuts. A tree is trained once on the training rows of a hold-out; all its cuts begin from there. Criteria rank
edges by training rows alone, and the test rows score all sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.holdout import TEST_FRACTION, holdout
from experiments.common.images import SIDE
from experiments.common.scoring import score
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.growth.pixels import shifted
from experiments.studies.mnist import run as mnist
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.compress.pruning.path import EPOCHS, prune, prune_path
from neuraltree.compress.pruning.retraining import retrained
from neuraltree.tasks.task import make_task
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, count_weights
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from search.table.data import Table

JOB, LARGE = "criteria", "grow_10k"  # on MNIST the job is that of the experiment mnist
STUDIED = (
    *("ablation", "taylor", "gradient", "spread", "magnitude", "random"),
    *("l1", "l2", "linf", "subtree", "input", "line"),
)  # of ``CRITERIA``
LARGE_CRITERIA, LARGE_EPOCHS = ("ablation", "taylor", "spread", "magnitude", "l1", "random"), 3
LARGE_RATE = 0.003  # of .01, .003, .001 and .0003 that with the lowest error on validation rows at half of the nodes
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of the nodes
WEIGHTS, QUICK_WEIGHTS, TOLERANCE = 250, 60, 0.1
KINDS = ("sigmoid", "tanh", "gaussian", "relu", "sine", "identity", "hard_tanh")  # all that there were at first
FIRST_EPOCHS, FIRST_RATE = 100, 0.03
COLUMNS = ("criterion", "share", "retrained", "weights", "nodes", "inputs", "depth", "levels", "test_score")


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = ("iris",) if quick else paper_tables.TABLES
    units = [Unit(table, JOB, seed) for seed in range(seeds) for table in tables]
    return units if quick else [*units, *(Unit("mnist", LARGE, seed) for seed in range(seeds))]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    if unit.job == LARGE:
        return mnist.settings(unit, quick) | {
            "shares": SHARES,
            "shifted at the rate": LARGE_RATE,
            "epochs": LARGE_EPOCHS,
            "criteria": LARGE_CRITERIA,
        }
    return settings_of(unit.table, quick) | {"shares": SHARES, "criteria": list(STUDIED)}


def settings_of(table: str, quick: bool) -> dict[str, Any]:
    """Those of a random tree of a table, and of its training before and after it is cut."""
    return {
        "data": paper_tables.DIGESTS[table],
        "fraction": TEST_FRACTION,
        "weights": QUICK_WEIGHTS if quick else WEIGHTS,
        "first": [FIRST_EPOCHS, FIRST_RATE],
        "epochs": EPOCHS,
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    if unit.job == LARGE:
        tree, (X, y), (test_X, test_y) = mnist.grown_tree(unit, quick)
        cut = partial(shifted_path, tree, X, y, unit.seed)
        return rows_of(tree, cut, LARGE_CRITERIA, (0, LARGE_EPOCHS), test_X, test_y)
    table = paper_tables.table(unit.table)
    train, test = holdout(table, unit.seed)
    X, y = table.X[train], table.labels[train]
    tree = grown(table, train, unit.seed, QUICK_WEIGHTS if quick else WEIGHTS)
    cut = partial(prune_path, tree, X, y, SHARES, seed=unit.seed)
    return rows_of(tree, cut, STUDIED, (0, 1 if quick else EPOCHS), table.X[test], table.labels[test])


def shifted_path(tree: Tree, X: NDArray, y: NDArray, seed: int, *, criterion: str, epochs: int) -> list[Tree]:
    """``prune_path`` on images that are shifted anew for each size, as they were in the training of the whole tree."""
    rng, whole, found = np.random.default_rng([seed, 2]), tree.num_nodes, []
    for share in SHARES:
        moved = shifted(X.reshape(-1, SIDE, SIDE), 1, rng).reshape(X.shape)
        rest = 1 - (1 - share) * whole / tree.num_nodes
        tree = prune(tree, moved, y, rest, criterion=criterion, epochs=epochs, learning_rate=LARGE_RATE, seed=seed)
        found.append(tree)
    return found


def rows_of(
    tree: Tree,
    cut: Callable[..., list[Tree]],
    criteria: Iterable[str],
    epochs: tuple[int, int],
    test_X: NDArray,
    test_y: NDArray,
) -> list[Row]:
    """The rows of the whole tree, and of its cuts by each of the criteria, not trained and trained after each size."""

    def row(model: Tree, criterion: str, share: float, epochs: int) -> Row:
        nodes = model.nodes
        return {
            "criterion": criterion,
            "share": share,
            "retrained": int(epochs > 0),
            "weights": model.num_weights,
            "nodes": model.num_nodes,
            "inputs": len(np.unique(nodes["op"][nodes["op"] >= 0])),
            "depth": model.depth,
            "levels": " ".join(map(str, np.bincount(nodes["depth"]).tolist())),
            "test_score": score(model.kind, test_y, model.predict(test_X)),
        }

    rows = [row(tree, "none", 0.0, 0)]
    for name, count in product(criteria, epochs):
        path = cut(criterion=name, epochs=count)
        rows += [row(model, name, share, count) for model, share in zip(path, SHARES, strict=True)]
    return rows


def grown(table: Table, rows: NDArray[np.int64], seed: int, weights: int) -> Tree:
    """A random tree of about so many weights, trained on these rows."""
    rng = np.random.default_rng((seed, weights))
    task = make_task(table.kind, len(table.classes or ()))
    space = Space(table.X.shape[1], task.n_outputs, KINDS, task.output_activation, 4 * weights, 5, 6)
    nodes = sized_tree(rng, space, weights)
    scaler, columns = Scaler.fit(table.X[rows]), table.y[rows].reshape(len(rows), -1)
    target_scaler = Scaler.fit(columns) if table.classes is None else None
    tree = Tree(nodes, table.kind, table.features, table.classes, scaler, target_scaler)
    lesson = lesson_of(tree, table.X[rows], table.labels[rows])
    trained = retrained(nodes, lesson, FIRST_EPOCHS, rng, rate=FIRST_RATE)
    return Tree(trained, table.kind, table.features, table.classes, scaler, target_scaler)


def sized_tree(rng: np.random.Generator, space: Space, weights: int) -> Nodes:
    """A random tree of about so many weights, which are not trained. ``RuntimeError`` if there is none."""
    for _ in range(2000):
        nodes = random_tree(rng, space, max_nodes=2 * weights)
        if abs(count_weights(nodes) - weights) <= TOLERANCE * weights:
            return nodes
    raise RuntimeError(f"no random tree has about {weights} weights")


EXPERIMENT = Experiment(
    "pruning",
    "accuracy against sparsity by criterion, structured or not, with and without training after the cuts",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
