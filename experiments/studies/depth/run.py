"""Accuracy against depth.

``lines``: random trees of about 250 weights on the papers' tables. The hidden nodes below a depth become straight lines
of their sums, so their children move up (deck *Resources Constrained Learning*, depth reduction); beside trees cut to
as many nodes by ablation. ``pixels``: trees of 10,000 weights from MNIST whose hidden nodes stand in one to four
levels. Test rows choose nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.common.scoring import score
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.mnist import run as mnist
from experiments.studies.mnist.run import Model
from experiments.studies.pruning.run import QUICK_WEIGHTS, WEIGHTS, grown, settings_of
from neuraltree.compress.pruning.edge_slopes import passed
from neuraltree.compress.pruning.lesson import Lesson, lesson_of
from neuraltree.compress.pruning.lines import straightened
from neuraltree.compress.pruning.path import EPOCHS, prune
from neuraltree.compress.pruning.retraining import retrained
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree

LINES, PIXELS = "lines", "pixels"
DEPTHS = (4, 3, 2, 1)  # the random trees have 5
CHILDREN = ((20,), (5, 4), (3, 3, 2), (2, 2, 2, 2))  # about 200 to 300 hidden nodes each
COLUMNS = ("way", "depth", "epochs", "weights", "hidden", "test_score")


def units(seeds: int, quick: bool) -> list[Unit]:
    tables, seeds = (("iris",), 1) if quick else (paper_tables.TABLES, seeds)
    lines = [Unit(table, LINES, seed) for seed in range(seeds) for table in tables]
    return lines + [Unit("mnist", PIXELS, seed) for seed in range(seeds)]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    if unit.job == PIXELS:
        return mnist.settings_of(unit.table, pixel_model(CHILDREN[0], quick), quick) | {"children": CHILDREN}
    return settings_of(unit.table, quick) | {"depths": DEPTHS}


def pixel_model(children: tuple[int, ...], quick: bool) -> Model:
    model = Model(10_000, children)
    return model._replace(weights=3_000, course=model.course._replace(epochs=1)) if quick else model


def run(unit: Unit, quick: bool) -> list[Row]:
    if unit.job == PIXELS:
        return [*_pixel_rows(unit, quick)]
    table = paper_tables.table(unit.table)
    train, test = holdout(table, unit.seed)
    X, y = table.X[train], table.labels[train]
    tree = grown(table, train, unit.seed, QUICK_WEIGHTS if quick else WEIGHTS)
    return [
        row_of(way, depth, epochs, model, score(model.kind, table.labels[test], model.predict(table.X[test])))
        for way, depth, epochs, model in models(tree, X, y, unit.seed)
    ]


def row_of(way: str, depth: int, epochs: int, tree: Tree, test_score: float) -> Row:
    hidden = int(np.count_nonzero((tree.nodes["op"] < 0) & (tree.nodes["depth"] > 0)))
    about = {"way": way, "depth": depth, "epochs": epochs, "weights": tree.num_weights, "hidden": hidden}
    return about | {"test_score": test_score}


def _pixel_rows(unit: Unit, quick: bool) -> Iterator[Row]:
    """A tree for each of ``CHILDREN``, all from the same images and random numbers."""
    parts, pixels, fit = mnist.begun(unit, quick)
    for children in CHILDREN:
        tree = mnist.grown(pixel_model(children, quick), pixels, deepcopy(fit))
        yield row_of("grown", tree.depth, 0, tree, 1 - mnist.error_of(tree, *mnist.flat(*parts.test)))


def models(tree: Tree, X: NDArray, y: NDArray, seed: int) -> Iterator[tuple[str, int, int, Tree]]:
    """The whole tree; for each depth the tree with lines, not trained and trained, and one cut to as many nodes."""
    lesson, rng = lesson_of(tree, X, y), np.random.default_rng([seed, 2])
    yield "whole", tree.depth, 0, tree
    for depth in DEPTHS:
        flat = shallower(tree.nodes, depth, lesson)
        yield "lines", depth, 0, replace(tree, nodes=flat)
        yield "lines", depth, EPOCHS, replace(tree, nodes=retrained(flat, lesson, EPOCHS, rng))
        share = 1 - len(flat) / tree.num_nodes
        cut = prune(tree, X, y, share, seed=seed) if share > 0 else tree
        yield "ablation", depth, EPOCHS, cut


def shallower(nodes: Nodes, depth: int, lesson: Lesson) -> Nodes:
    """The tree with at most ``depth`` levels of edges: each hidden node below becomes a line of its sum."""
    chosen = (nodes["op"] < 0) & (nodes["depth"] >= depth)
    return straightened(nodes, chosen, passed(nodes, lesson).lines[:, :, None])


EXPERIMENT = Experiment(
    "depth",
    "accuracy against the depth of random trees on tables, and of trees from pixels",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
