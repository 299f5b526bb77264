"""Trees in, trained trees and what they score out: the unit of work of a search."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from neuraltree import hardware
from neuraltree.forest import Params, load_params, store_params
from neuraltree.metrics import METRICS, Truth, class_errors
from neuraltree.packing import Bin, Layout, Shape, fit_shape, layout, pack, plan
from neuraltree.tasks import Task
from neuraltree.train import Data, Schedule, Settings, fit, make_schedule, predict
from neuraltree.tree import Nodes, Space, join, node_dtype

Columns = dict[str, NDArray[np.float64]]
Fold = tuple[NDArray, NDArray]  # rows to fit, rows to validate on


@dataclass(frozen=True)
class Problem:
    """All that evaluating a tree needs besides the tree. ``data`` holds the training rows only."""

    space: Space
    task: Task
    settings: Settings
    data: Data
    truth: Truth
    folds: tuple[Fold, ...]
    metrics: dict[str, str]  # column: name of the metric in it; "val_error" always
    classes: tuple[str, ...]  # labels to report the error of, one by one; () for none
    epochs: int
    patience: int
    seed: int
    device: hardware.Device | None
    device_precision: str
    device_style: str

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
    """Bin capacities for a run, from its first population alone."""
    return plan(layout(*join(trees)), problem.space)


def grown_shape(problem: Problem, shape: Shape, trees: list[Nodes]) -> tuple[Shape, Layout]:
    """The shape these trees need: the same one as long as they fit."""
    found = layout(*join(trees))
    return fit_shape(shape, found, problem.space), found


def evaluate(problem: Problem, shape: Shape, found: Layout, trees: list[Nodes], generation: int) -> Evaluated:
    """Train every tree on every fold and score it on the rows that fold left out."""
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

    units = [(packed, k) for packed in bins for k in range(len(problem.folds))]
    results = _in_threads(train, units)
    trained = nodes.copy()
    parts = []
    for b, packed in enumerate(bins):
        mine = results[b * len(problem.folds) : (b + 1) * len(problem.folds)]
        parts.append(_score_bin(problem, packed, mine))
        for k, (params, *_) in enumerate(mine):
            store_params(packed, trained, k, params)
    columns = {name: np.concatenate([part[0][name] for part in parts]) for name in parts[0][0]}
    ok = np.concatenate([part[2] for part in parts])
    best_epoch = np.concatenate([part[1] for part in parts])
    return Evaluated(np.split(trained, starts[1:-1]), columns, best_epoch, ok)


def _in_threads(function, units: Sequence) -> list:  # type: ignore[no-untyped-def]
    # XLA releases the interpreter lock; the number of threads changes no result, only the time.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(function, units))


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
    """Columns of metrics, median best epochs, and which trees are sound, for the trees of one bin."""
    count = packed.last_tree - packed.first_tree
    outputs = np.concatenate([values[:count] for *_, values in results], axis=2).astype(np.float64)
    losses = np.array([loss[:count] for _, loss, *_ in results])
    finite = np.isfinite(outputs).all(axis=(1, 2)) & np.isfinite(losses).all(axis=0)
    outputs[~finite] = 0.0  # scored as a useless constant; ``ok`` tells them apart
    rows = np.concatenate([validation for _, validation in problem.folds])
    truth = problem.truth._replace(target=problem.truth.target[rows])
    columns = {column: METRICS[metric](truth, outputs) for column, metric in problem.metrics.items()}
    if problem.classes:
        errors = class_errors(truth, outputs)
        columns |= {f"error_class_{label}": errors[:, c] for c, label in enumerate(problem.classes)}
    best = np.median([best[:count] for _, _, best, _ in results], axis=0).astype(np.int64)
    return columns, best, finite


def costs(problem: Problem, trees: list[Nodes]) -> Columns:
    """Counts of every tree, and its costs on the device if there is one."""
    nodes, starts = join(trees)
    counts = hardware.count(nodes, starts)
    names = ("weights", "nodes", "depth", "macs", "distinct_activations")
    columns = {name: np.asarray(getattr(counts, name), dtype=np.float64) for name in names}
    if problem.device is not None:
        columns |= hardware.costs(nodes, starts, problem.device, problem.device_precision, problem.device_style)
    return columns


def refit(problem: Problem, shape: Shape, trees: list[Nodes], epochs: NDArray[np.int64]) -> tuple[list[Nodes], NDArray]:
    """Trees with one set of weights, trained on all training rows from fold 0's; and which are sound.

    Tree ``i`` trains for ``epochs[i]`` epochs, the folds' median best. A tree that diverges here
    keeps fold 0's weights.
    """
    nodes, starts = join(trees)
    single = np.zeros(len(nodes), dtype=node_dtype(1))
    for name in ("depth", "op"):
        single[name] = nodes[name]
    for name in ("weight", "bias"):
        single[name] = nodes[name][:, :1]
    grown, found = grown_shape(problem, shape, trees)
    everything = (np.arange(problem.rows), np.zeros(0, dtype=np.int64))
    schedule = _fold_schedule(problem, grown, everything, REFIT_STREAM, 0)
    sound = np.zeros(len(trees), dtype=bool)

    def train(packed: Bin) -> tuple[Params, NDArray]:
        limit = np.zeros(grown.trees, dtype=np.int32)
        limit[: packed.last_tree - packed.first_tree] = epochs[packed.first_tree : packed.last_tree]
        start = load_params(packed, single, 0, problem.settings.precision)
        plan = schedule._replace(limit=limit, patience=np.zeros((), np.int32))
        fitted = fit(grown, problem.settings, packed.forest, start, problem.data, plan)
        return jax.tree.map(np.asarray, fitted.params), np.asarray(fitted.best_epoch)

    bins = pack(single, starts, grown, found)
    for packed, (params, reached) in zip(bins, _in_threads(train, bins), strict=True):
        mine = slice(packed.first_tree, packed.last_tree)
        sound[mine] = reached[: packed.last_tree - packed.first_tree] == epochs[mine]
        store_params(packed, single, 0, params)
    return np.split(single, starts[1:-1]), sound


REFIT_STREAM = 2**31  # a generation number no search reaches, for the refit's shuffles
