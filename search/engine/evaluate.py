"""Training and scoring of trees, the work of a search: trees go in, trained trees and their scores come out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from neuraltree import hardware
from neuraltree.engine.chunks import leaf_slopes, predict
from neuraltree.engine.forest import Params, load_params, store_params
from neuraltree.engine.packing import Bin, Layout, Shape, fit_shape, layout, pack, plan
from neuraltree.engine.train import Schedule, fit, make_schedule
from neuraltree.engine.training_step import Data, Settings
from neuraltree.tasks.metrics import METRICS, Truth, class_errors
from neuraltree.tasks.task import Task
from neuraltree.tree.nodes import Nodes, join, node_dtype
from neuraltree.tree.space import Space

Columns = dict[str, NDArray[np.float64]]
COUNTS = ("weights", "nodes", "depth", "macs", "distinct_activations")
Fold = tuple[NDArray, NDArray]  # rows to fit, rows to validate on


@dataclass(frozen=True)
class Problem:
    """The input for evaluating trees, besides the trees. ``data`` holds the training rows, then lessons of teachers."""

    space: Space
    task: Task
    settings: Settings
    data: Data
    truth: Truth
    folds: tuple[Fold, ...]
    whole: NDArray  # rows that the final refit trains on
    metrics: dict[str, str]  # the name of the metric in each column; the column "val_error" is always there
    classes: tuple[str, ...]  # labels of the classes whose errors are reported one by one; () for none
    epochs: int
    patience: int
    seed: int
    device: hardware.Device | None
    code: hardware.Code  # number format, style and compiler of the code for the device
    input_range: NDArray[np.float64]  # (features,) the largest |scaled input| that 8-bit code represents
    far: NDArray[np.bool_]  # (features,) the inputs whose means float code subtracts first
    workers: int  # number of threads; it changes the time, not the results

    @property
    def rows(self) -> int:
        return len(self.data.weight) - 1


class Evaluated(NamedTuple):
    """Trained trees, their scores by column, the folds' median best epoch, and which trees never diverged."""

    trees: list[Nodes]
    columns: Columns
    best_epoch: NDArray[np.int64]
    ok: NDArray[np.bool_]


def first_shape(problem: Problem, trees: list[Nodes]) -> Shape:
    """The shape of bins for a run, planned from trees like those of its first population."""
    return plan(layout(*join(trees)), problem.space)


def grown_shape(problem: Problem, shape: Shape, trees: list[Nodes]) -> tuple[Shape, Layout]:
    """The shape that these trees need, which is ``shape`` if they fit it; and their layout."""
    found = layout(*join(trees))
    return fit_shape(shape, found, problem.space), found


def evaluate(problem: Problem, shape: Shape, found: Layout, trees: list[Nodes], generation: int) -> Evaluated:
    """Train every tree on every fold and score it on the validation rows of that fold."""
    nodes, starts = join(trees)
    bins = pack(nodes, starts, shape, found)
    schedules = [_fold_schedule(problem, shape, fold, generation, k) for k, fold in enumerate(problem.folds)]
    inputs = [problem.data.inputs[rows] for _, rows in problem.folds]

    def train(unit: tuple[Bin, int]) -> tuple[Params, NDArray, NDArray, NDArray]:
        packed, k = unit
        start = load_params(packed, nodes, k, problem.settings.precision)
        limit = np.zeros(shape.trees, dtype=np.int32)
        limit[: packed.last_tree - packed.first_tree] = problem.epochs
        schedule = schedules[k]._replace(limit=limit)
        fitted = fit(shape, problem.settings, packed.forest, start, problem.data, schedule)
        values = predict(shape, problem.settings, packed.forest, fitted.params, inputs[k])
        return jax.tree.map(np.asarray, fitted.params), np.asarray(fitted.loss), np.asarray(fitted.best_epoch), values

    results = _in_threads(problem.workers, train, [(packed, k) for packed in bins for k in range(len(problem.folds))])
    trained = nodes.copy()
    parts = []
    for packed in bins:
        # A bin's outputs are dropped as soon as they are scored: the outputs of all bins together can take gigabytes.
        mine = list(islice(results, len(problem.folds)))
        parts.append(_score_bin(problem, packed, mine))
        for k, (params, *_) in enumerate(mine):
            store_params(packed, trained, k, params)
    columns = {name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}
    ok = np.concatenate([part[2] for part in parts])
    best_epoch = np.concatenate([part[1] for part in parts])
    return Evaluated(np.split(trained, starts[1:-1]), columns, best_epoch, ok)


def _in_threads(workers: int, function: Callable[[Any], Any], units: Sequence[Any]) -> Iterator[Any]:
    """Results in the order of ``units``; at most 2 * ``workers`` units are started ahead of the results taken."""
    # XLA releases the interpreter lock, so the threads run at the same time.
    with ThreadPoolExecutor(workers) as threads:
        waiting = deque(threads.submit(function, unit) for unit in units[: 2 * workers])
        for unit in [*units[2 * workers :], *[None] * len(waiting)]:
            result = waiting.popleft().result()
            if unit is not None:
                waiting.append(threads.submit(function, unit))
            yield result


def _fold_schedule(problem: Problem, shape: Shape, fold: Fold, generation: int, k: int) -> Schedule:
    return make_schedule(
        shape,
        problem.settings,
        problem.rows,
        fit_rows=fold[0],
        validation_rows=fold[1],
        epochs=problem.epochs,
        limit=np.zeros(0, dtype=np.int32),
        patience=problem.patience,
        rng=np.random.default_rng((problem.seed, generation, k)),
    )


def _score_bin(problem: Problem, packed: Bin, results: list) -> tuple[Columns, NDArray, NDArray]:
    """For the trees of one bin: columns of metrics, median best epochs, a mask of the trees that did not diverge."""
    count = packed.last_tree - packed.first_tree
    outputs = np.concatenate([values[:count] for *_, values in results], axis=2).astype(np.float64)
    losses = np.array([loss[:count] for _, loss, *_ in results])
    finite = np.isfinite(outputs).all(axis=(1, 2)) & np.isfinite(losses).all(axis=0)
    outputs[~finite] = 0.0  # a diverged tree is scored as a useless constant; ``ok`` marks it
    rows = np.concatenate([validation for _, validation in problem.folds])
    truth = problem.truth._replace(target=problem.truth.target[rows])
    columns = {column: METRICS[metric](truth, outputs) for column, metric in problem.metrics.items()}
    if problem.classes:
        errors = class_errors(truth, outputs)
        columns |= {f"error_class_{label}": errors[:, c] for c, label in enumerate(problem.classes)}
    best = np.median([best[:count] for _, _, best, _ in results], axis=0).astype(np.int64)
    return columns, best, finite


def costs(problem: Problem, trees: list[Nodes]) -> Columns:
    """The counts of every tree, and its costs on the device if the run has one."""
    nodes, starts = join(trees)
    counts = hardware.count(nodes, starts)
    columns = {name: np.asarray(getattr(counts, name), dtype=np.float64) for name in COUNTS}
    if problem.device is not None:
        about: dict[str, Any] = {"kind": problem.task.kind, "input_range": problem.input_range, "far": problem.far}
        columns |= hardware.costs(nodes, starts, problem.device, *problem.code, **about)
    return columns


def refit(problem: Problem, shape: Shape, trees: list[Nodes], epochs: NDArray[np.int64]) -> tuple[list[Nodes], NDArray]:
    """Trees with one set of weights, trained on the rows ``whole``; and a mask of the trees whose refit is sound.

    A tree begins with the mean of its folds' weights, or with fold 0's weights if their loss over these rows is lower.
    The folds' weights were inherited from the same start and are mostly near enough for a mean. Tree ``i`` trains for
    ``epochs[i]`` epochs. A tree that diverges, or ends with a higher loss than it began with, is not sound and keeps
    the weights it began with.
    """
    nodes, starts = join([_mean_and_first(tree) for tree in trees])
    shape, found = grown_shape(problem, shape, trees)
    rows, none = problem.whole, np.zeros(0, dtype=np.int64)
    training = _fold_schedule(problem, shape, (rows, none), REFIT_STREAM, 0)._replace(patience=np.zeros((), np.int32))
    measuring = _fold_schedule(
        problem, shape, (none, rows), REFIT_STREAM, 0
    )  # its limit is 0 epochs: it only measures losses

    def train(packed: Bin) -> tuple[Params, NDArray]:
        limit = np.zeros(shape.trees, dtype=np.int32)
        limit[: packed.last_tree - packed.first_tree] = epochs[packed.first_tree : packed.last_tree]
        run = partial(fit, shape, problem.settings, packed.forest)
        mean, first = (load_params(packed, nodes, k, problem.settings.precision) for k in range(2))

        def loss(params: Params) -> NDArray:
            return np.asarray(run(params, problem.data, measuring).loss)

        before = _where(packed, loss(mean) <= loss(first), mean, first)
        after = jax.tree.map(np.asarray, run(before, problem.data, training._replace(limit=limit)))
        reached = loss(after.params)
        good = (after.best_epoch == limit) & (reached <= loss(before)) & np.isfinite(reached)
        return _where(packed, good, after.params, before), good

    sound = np.zeros(len(trees), dtype=bool)
    bins = pack(nodes, starts, shape, found)
    for packed, (params, good) in zip(bins, _in_threads(problem.workers, train, bins), strict=True):
        sound[packed.first_tree : packed.last_tree] = good[: packed.last_tree - packed.first_tree]
        store_params(packed, nodes, 0, params)
    return [_one_set(tree) for tree in np.split(nodes, starts[1:-1])], sound


def _where(packed: Bin, chosen: NDArray, yes: Params, no: Params) -> Params:
    """``yes`` for the trees in the mask ``chosen`` (trees,), ``no`` for the others."""
    rows = np.append(chosen, False)[packed.forest.tree]
    return Params(np.where(rows[:, None], yes.leaf, no.leaf), np.where(rows, yes.edge, no.edge))


def _mean_and_first(tree: Nodes) -> Nodes:
    """The tree with two sets of weights: the mean over the folds, and those of fold 0."""
    sets = np.zeros(len(tree), dtype=node_dtype(2))
    for name in ("depth", "op"):
        sets[name] = tree[name]
    for name in ("weight", "bias"):
        sets[name] = np.column_stack([tree[name].mean(axis=1), tree[name][:, 0]])
    return sets


def _one_set(tree: Nodes) -> Nodes:
    """The tree with the first of its sets of weights alone."""
    single = np.zeros(len(tree), dtype=node_dtype(1))
    for name in ("depth", "op"):
        single[name] = tree[name]
    for name in ("weight", "bias"):
        single[name] = tree[name][:, :1]
    return single


def validation_outputs(problem: Problem, shape: Shape, trees: list[Nodes]) -> NDArray[np.float64]:
    """(trees, outputs, rows) the outputs with each fold's weights on its validation rows, fold after fold; scaled."""
    nodes, starts = join(trees)
    shape, found = grown_shape(problem, shape, trees)
    parts = []
    for packed in pack(nodes, starts, shape, found):
        by_fold = []
        for k, (_, rows) in enumerate(problem.folds):
            params = load_params(packed, nodes, k, problem.settings.precision)
            by_fold.append(predict(shape, problem.settings, packed.forest, params, problem.data.inputs[rows]))
        parts.append(np.concatenate(by_fold, axis=2)[: packed.last_tree - packed.first_tree])
    return np.concatenate(parts).astype(np.float64)


def edge_slopes(problem: Problem, shape: Shape, trees: list[Nodes]) -> list[NDArray[np.float64]]:
    """For each tree (nodes, features, folds): the derivative of a fold's training loss with respect to the weight of an
    edge from a function node to an input, whether the tree has that edge or not. Every tree must fit ``shape``.
    """
    nodes, starts = join(trees)
    # The shape is not grown for these few trees: another shape would have to be compiled.
    bins = pack(nodes, starts, shape)
    data = [Data(*(part[rows] for part in problem.data)) for rows, _ in problem.folds]

    def of(unit: tuple[Bin, int]) -> NDArray[np.float64]:
        packed, k = unit
        params = load_params(packed, nodes, k, problem.settings.precision)
        slopes = leaf_slopes(shape, problem.settings, packed.forest, params, data[k])
        return slopes[packed.row, : problem.space.n_features]

    units = [(packed, k) for packed in bins for k in range(len(problem.folds))]
    found = list(_in_threads(problem.workers, of, units))
    whole = [np.concatenate(found[k :: len(problem.folds)]) for k in range(len(problem.folds))]
    return np.split(np.stack(whole, axis=2), starts[1:-1])


REFIT_STREAM = 2**31  # for the refit's shuffles: a generation number that no search reaches
