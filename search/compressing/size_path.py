"""A front of smaller models, cut out of a finished one along a path of sizes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.clipping import fit_ranges
from neuraltree.compress.int8.finetune import integer_outputs
from neuraltree.compress.narrow.format_training import finetune_format, trainable
from neuraltree.compress.narrow.with_format import check_sharing, with_weight_format
from neuraltree.compress.pruning.criteria import criterion_named
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.compress.pruning.path import prune_path
from neuraltree.compress.pruning.retraining import retrained
from neuraltree.compress.weights.weight_formats import weight_format
from neuraltree.tasks.metrics import Truth
from neuraltree.tree.generate import redraw_weights
from neuraltree.tree.simplify import simplify
from neuraltree.tree.tree import Tree
from search.engine.evaluate import Fold
from search.engine.problem import Setup
from search.judge.bands import bands
from search.judge.finish import BAND, HONEST, THRESHOLD, Finished, finished_trees
from search.judge.honest import Judged, judging_folds, parts_of_error, standard_error
from search.judge.thresholds import DECIDING, decided, thresholds
from search.table.data import Table
from search.variation.genes import FORMAT

SLOW_S = 2.0  # seconds from which the folds that are done are told
FIRST_EPOCHS, FIRST_RATE = 100, 0.03  # of the training of new weights, before they are cut
STREAM = 2**31 + 65


class Rows(NamedTuple):
    """Raw inputs ``X`` (rows, features), labels or values ``y``, ``weight`` (rows,) in training, and its ``loss``."""

    X: NDArray
    y: NDArray
    weight: FloatArray
    loss: str

    def take(self, rows: NDArray) -> Rows:
        return Rows(self.X[rows], self.y[rows], self.weight[rows], self.loss)


@dataclass(frozen=True)
class Cutting:
    """How a model is cut: the ``shares`` of its nodes that go, in rising order, by a criterion; and then trained.

    ``precision``: a key of ``WEIGHT_FORMATS`` whose values the weights take at last, after ``epochs`` of training in it
    unless it is one of floats; "" leaves them as they are. ``teach``: the whole model teaches its cuts; in each fold of
    the judgement that is the model that was trained there.
    """

    shares: Sequence[float]
    criterion: str
    epochs: int
    learning_rate: float
    seed: int
    precision: str = ""
    teach: bool = False

    def check(self, tree: Tree) -> None:
        """``ValueError`` if the tree, or what the last cut leaves of it, is too small for shared values."""
        if not self.precision or not weight_format(self.precision).shared:
            return
        depth = simplify(tree.nodes)["depth"]
        check_sharing(int((depth > 1).sum()))
        if self.shares and criterion_named(self.criterion).unit == "edge":  # others may leave more
            left = round((1 - self.shares[-1]) * len(depth)) - 2 * tree.num_outputs  # an output keeps a child
            check_sharing(max(left, 0), f"with {100 * self.shares[-1]:g} % of its nodes cut the tree has at most")

    def path(self, tree: Tree, rows: Rows) -> list[Tree]:
        """The tree and its cuts, all in the number format."""
        how: dict[str, Any] = {"criterion": self.criterion, "epochs": self.epochs, "seed": self.seed}
        how |= {"learning_rate": self.learning_rate, "teach": self.teach}
        found = [tree, *prune_path(tree, rows.X, rows.y, self.shares, **how, weight=rows.weight, loss=rows.loss)]
        if not self.precision:
            return found
        # Training in a format knows squares and cross-entropy only.
        if not trainable(self.precision) or not self.epochs or rows.loss not in ("auto", "squared"):
            return [with_weight_format(each, self.precision) for each in found]
        how = {"epochs": self.epochs, "seed": self.seed, "weight": rows.weight}
        return [finetune_format(each, rows.X, rows.y, self.precision, **how) for each in found]

    def path_anew(self, tree: Tree, rows: Rows, k: int) -> list[Tree]:
        """The path of the tree's structure with new weights, which are trained first; the ``k``-th of these."""
        rng = np.random.default_rng((self.seed, STREAM, k))
        nodes = redraw_weights(rng, tree.nodes)
        nodes = retrained(nodes, lesson_of(tree, *rows), FIRST_EPOCHS, rng, rate=FIRST_RATE)
        return self.path(replace(tree, nodes=nodes), rows)


def size_path(setup: Setup, table: Table, tree: Tree, cutting: Cutting, say: Callable[[str], None]) -> list[Finished]:
    """The model and the smaller ones on the path, each with its costs and its honest error."""
    rows = _rows(setup, table)
    cut = ", ".join(f"{100 * share:g} %" for share in cutting.shares)
    said = [f"cutting {cut} of {tree.num_nodes} nodes"] * bool(cut)
    say("; ".join([*said, *[f"weights in {cutting.precision}"] * bool(cutting.precision)]))
    trees = cutting.path(fit_ranges(tree, rows.X, rows.weight) if cutting.precision else tree, rows)
    judged = _judged(setup, table, rows, tree, cutting, say)
    columns = {"id": np.arange(len(trees), dtype=np.float64), **dict(zip(HONEST, judged[:2], strict=True))}
    columns |= {BAND: judged.bands} | ({THRESHOLD: judged.probabilities()} if setup.tuned else {})
    order = np.argsort(judged.error, kind="stable").tolist()
    columns = {name: values[order] for name, values in columns.items()}
    columns |= {FORMAT: np.zeros(len(trees))} if setup.problem.formats else {}  # the only one
    ordered = [trees[i] for i in order]
    return finished_trees(setup, table, ordered, columns, say, lambda: False, ranged=bool(cutting.precision))


def _rows(setup: Setup, table: Table) -> Rows:
    """The training rows, with the weights and the loss of the run."""
    rows, task = setup.train_rows, setup.problem.task
    weight = setup.problem.data.weight[: len(rows)].astype(np.float64)
    return Rows(table.X[rows], table.labels[rows], weight, task.loss if task.kind == "regression" else "auto")


def _judged(setup: Setup, table: Table, rows: Rows, tree: Tree, cutting: Cutting, say: Callable[[str], None]) -> Judged:
    """The honest errors of the sizes, and the constants that are chosen out of fold.

    The model has seen all training rows. So in each fold its structure gets new weights, is trained on the other rows,
    cut along the path there, and scored on the rows of the fold.
    """
    folds = judging_folds(setup, table, 0)
    count = len(cutting.shares) + 1
    say(f"judging {count} size{'s' * (count > 1)} anew in {len(folds)} folds")
    in_integers = setup.problem.in_integers and not cutting.precision  # a format has its values in the weights
    found, begun = [], time.monotonic()
    for k, (fit, held) in enumerate(folds):
        if time.monotonic() - begun > SLOW_S:
            say(f"  {k} of {len(folds)} folds")
        own = rows.take(fit)
        path = cutting.path_anew(tree, own, k)
        found.append(np.stack([_outputs(in_integers, each, own, rows.X[held]).T for each in path]))
    return _scored(setup, table, rows, folds, np.concatenate(found, axis=2), tree)


def _outputs(in_integers: bool, tree: Tree, fitted: Rows, X: NDArray) -> FloatArray:
    """(rows, outputs) of the tree, or of its integers, with ranges from the rows that it was fitted to."""
    if in_integers:
        with suppress(ValueError):  # the sums of this tree do not fit the integers
            return integer_outputs(fit_ranges(tree, fitted.X, fitted.weight), X)
    return tree.outputs(X)


def _scored(setup: Setup, table: Table, rows: Rows, folds: Sequence[Fold], outputs: FloatArray, tree: Tree) -> Judged:
    """From ``outputs`` (sizes, outputs, rows) for the held rows, fold after fold; the threshold of the ``tree`` is used
    if thresholds are not chosen."""
    truth: Any = Truth(
        setup.problem.task._replace(output_activation=tree.output_activation),
        table.y[setup.train_rows],
        deviation=setup.target_scaler.scale if setup.target_scaler else 1.0,
        group=setup.problem.truth.group,
    )
    metric, held = setup.problem.metrics["val_error"], np.concatenate([part for _, part in folds])
    wide = bands(truth.take(held), outputs, rows.weight[held])
    apart = np.full(len(outputs), tree.logit_threshold)
    if setup.tuned:
        apart = thresholds(metric, truth.take(held), outputs)
        outputs = decided(metric, truth.take(held), folds, outputs)
    elif metric in DECIDING:
        outputs = outputs - tree.logit_threshold
    parts = parts_of_error(metric, truth, folds, outputs)
    return Judged(
        parts.mean(axis=1), standard_error(parts, folds), parts, apart, wide, np.full(len(parts), np.nan), None
    )
