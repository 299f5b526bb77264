"""A front of smaller models, cut out of a finished one along a path of sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import NARROW
from neuraltree.compress.narrow.format_training import finetune_format
from neuraltree.compress.narrow.with_format import with_weight_format
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.compress.pruning.path import prune_path
from neuraltree.compress.pruning.retraining import retrained
from neuraltree.tasks.metrics import Truth
from neuraltree.tree.generate import redraw_weights
from neuraltree.tree.tree import Tree
from search.engine.problem import Setup
from search.judge.finish import HONEST, Finished, finished_trees
from search.judge.honest import judging_folds, parts_of_error, standard_error
from search.table.data import Table

FIRST_EPOCHS, FIRST_RATE = 100, 0.03  # of the training of new weights, before they are cut
STREAM = 2**31 + 65


@dataclass(frozen=True)
class Cutting:
    """How a model is cut: the ``shares`` of its nodes that go, in rising order, by a criterion; and then trained.

    ``precision``: a key of ``WEIGHT_FORMATS`` whose values the weights take at last, after ``epochs`` of training in it
    if it is one of C code; "" leaves them as they are.
    """

    shares: Sequence[float]
    criterion: str
    epochs: int
    seed: int
    precision: str = ""

    def sizes(self, tree: Tree, X: NDArray, y: NDArray, weight: FloatArray | None) -> list[Tree]:
        """The tree and its cuts, all in the number format."""
        path = prune_path(
            tree, X, y, self.shares, criterion=self.criterion, epochs=self.epochs, seed=self.seed, weight=weight
        )
        if not self.precision:
            return [tree, *path]
        if self.precision not in NARROW or not self.epochs:
            return [with_weight_format(each, self.precision) for each in (tree, *path)]
        how: Any = {"epochs": self.epochs, "seed": self.seed, "weight": weight}
        return [finetune_format(each, X, y, self.precision, **how) for each in (tree, *path)]


def size_path(setup: Setup, table: Table, tree: Tree, cutting: Cutting, say: Callable[[str], None]) -> list[Finished]:
    """The model and the smaller ones on the path, each with its costs and its honest error."""
    rows = setup.train_rows
    y = table.y if table.classes is None else np.array(table.classes, dtype=object)[table.y]
    cut = ", ".join(f"{100 * share:g} %" for share in cutting.shares)
    said = [f"cutting {cut} of {tree.num_nodes} nodes"] * bool(cut)
    say("; ".join([*said, *[f"weights in {cutting.precision}"] * bool(cutting.precision)]))
    trees = cutting.sizes(tree, table.X[rows], y[rows], _weight(table, rows))
    error, error_se = _judged(setup, table, y, tree, cutting, say)
    columns = {"id": np.arange(len(trees), dtype=np.float64), **dict(zip(HONEST, (error, error_se), strict=True))}
    order = np.argsort(error, kind="stable").tolist()
    columns = {name: values[order] for name, values in columns.items()}
    return finished_trees(setup, table, [trees[i] for i in order], columns, say, lambda: False)


def _weight(table: Table, rows: NDArray) -> FloatArray | None:
    return None if table.weight is None else table.weight[rows]


def _judged(
    setup: Setup, table: Table, y: NDArray, tree: Tree, cutting: Cutting, say: Callable[[str], None]
) -> tuple[FloatArray, FloatArray]:
    """The honest errors of the sizes and their standard errors, each (sizes,).

    The model has seen all training rows. So in each fold its structure gets new weights, is trained on the other rows,
    cut along the path there, and scored on the rows of the fold.
    """
    rows, folds = setup.train_rows, judging_folds(setup, table, 0)
    count = len(cutting.shares) + 1
    say(f"judging {count} size{'s' * (count > 1)} anew in {len(folds)} folds")
    found = []
    for k, (fit, held) in enumerate(folds):
        rng = np.random.default_rng((cutting.seed, STREAM, k))
        own = rows[fit]
        lesson = lesson_of(tree, table.X[own], y[own], _weight(table, own))
        nodes = retrained(redraw_weights(rng, tree.nodes), lesson, FIRST_EPOCHS, rng, rate=FIRST_RATE)
        new = replace(tree, nodes=nodes)
        sizes = cutting.sizes(new, table.X[own], y[own], _weight(table, own))
        found.append(np.stack([each.outputs(table.X[rows[held]]).T for each in sizes]))
    truth: Any = Truth(
        setup.problem.task,
        table.y[rows],
        deviation=setup.target_scaler.scale if setup.target_scaler else 1.0,
        group=setup.problem.truth.group,
    )
    parts = parts_of_error(setup.problem.metrics["val_error"], truth, folds, np.concatenate(found, axis=2))
    return parts.mean(axis=1), standard_error(parts, folds)
