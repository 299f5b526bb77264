"""Training and scoring of trees, the work of a search: trees go in, trained trees and their scores come out."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuraltree import hardware
from neuraltree.arrays import FloatArray
from neuraltree.compress.exits.forest_exits import walk_of_tree, walks_of
from neuraltree.compress.exits.stretches import Walk
from neuraltree.compress.formats import AUTO, c_format
from neuraltree.engine.forest import Indices, Packed, cut, load_params, pack, store_params
from neuraltree.engine.kernel.binding import Kernel
from neuraltree.engine.lowering import kernel_in_use, lowering
from neuraltree.engine.training import NEVER, Course, Data, Settings, make_course
from neuraltree.hardware.choice import CodeRule, choose, costs_by_code, taken
from neuraltree.hardware.model.exit_cost import Walked, with_exits
from neuraltree.hardware.signals.front_costs import FrontCosts, features_used
from neuraltree.robustness.worst_case import robust_errors
from neuraltree.tasks.losses import constant_loss
from neuraltree.tasks.metrics import Truth, class_errors, metric_named
from neuraltree.tasks.softening import soft_constant_loss
from neuraltree.tasks.task import Task
from neuraltree.tree.nodes import Nodes, join, one_set
from neuraltree.tree.simplify import simplify_all
from neuraltree.tree.space import Space
from search.engine.integer_scores import Ranges, forest_of_fold, integer_outputs, of_fold, row_codes
from search.engine.typed_inputs import TypedInputs
from search.engine.work import Work
from search.objectives import ROBUST
from search.variation.genes import FORMAT, HOP, NO_GENES, Genes, rates_of

Columns = dict[str, NDArray[np.float64]]
COUNTS = ("weights", "nodes", "depth", "macs", "distinct_activations")
Fold = tuple[NDArray, NDArray]  # rows to fit, rows to validate on
UNITS = 4  # pieces of work for each thread, so that threads that finish early find more
WALKED_ROWS = 300  # training rows, at most, on which the early exits of a generation are costed
WALKED_VALUES = 2**22  # values of nodes on these rows that are computed at once, at most
SCORED_BYTES = 2**25  # the outputs that are scored at once
REFIT_STREAM = 2**31  # for the refit's shuffles: a generation number that no search reaches
REFIT_DECAY = 1 / 3  # share of the search's weight decay
Unit = TypeVar("Unit")
Result = TypeVar("Result")


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
    code: hardware.Code  # number format, style and compiler of the code for the device, as asked for
    rule: CodeRule  # the codes that this stands for, and what chooses among them
    inputs: TypedInputs  # the types of the inputs of the code, and the largest |scaled input| that 8 bits represent
    far: NDArray[np.bool_]  # (features,) the inputs whose means float code subtracts first
    workers: int  # number of threads; it changes the time, not the results
    early_exit: bool = False  # whether the code exits early
    formats: tuple[str, ...] = ()  # the number formats of members, if each has its own
    robust_radius: float = 0.0  # by which scaled inputs change for ``robust_error``; 0: nobody asks for it
    fronts: tuple[FrontCosts, ...] = ()  # the costs of features of windows, for each hop that members may have
    holders: NDArray | None = None  # (hops, training rows) whose decision holds at each row, see ``holders``
    first_rows: int = 0  # training rows of a fold in the first generation, see ``row_samples``; 0: all of them
    work: Work | None = None  # who trains and scores trees, if not this process; it changes the time, not the results

    @property
    def in_integers(self) -> bool:
        """Whether all models are deployed as integers, so that errors are those of integers."""
        return all(c_format(code.precision).is_integer for code in self.rule.codes)

    @property
    def input_range(self) -> FloatArray:
        """(features,) the largest |scaled input| that 8-bit code represents."""
        return self.inputs.reach

    @property
    def about_costs(self) -> dict[str, Any]:
        """Arguments of ``hardware.costs`` that are the same for all trees, but the kind of the task."""
        return {"input_range": self.inputs.reach, "far": self.far, "inputs": self.inputs.kinds}

    @property
    def chooses_code(self) -> bool:
        """Whether each model has a code of its own."""
        return AUTO in self.code or bool(self.formats)

    def rule_of(self, format: str) -> CodeRule:
        """The rule for members in a number format."""
        return self.rule._replace(codes=tuple(code for code in self.rule.codes if code.precision == format))

    def by_format(self, genes: Genes) -> list[tuple[str, NDArray[np.int64]]]:
        """Each number format that members have, and their places."""
        found = [(name, np.flatnonzero(genes[FORMAT] == i)) for i, name in enumerate(self.formats)]
        return [(name, places) for name, places in found if len(places)]

    def by_hop(self, genes: Genes, trees: int) -> list[tuple[int, NDArray[np.int64]]]:
        """The place of each hop that some of the trees have, and their places."""
        hops = genes.get(HOP, np.zeros(trees))
        return [(i, np.flatnonzero(hops == i)) for i in np.unique(hops).astype(np.int64).tolist()]

    @property
    def validation_rows(self) -> NDArray[np.int64]:
        """The validation rows, fold after fold."""
        return np.concatenate([held for _, held in self.folds])

    @property
    def validation_truth(self) -> Truth:
        """The targets of the validation rows, fold after fold."""
        return self.truth.take(self.validation_rows)


class Evaluated(NamedTuple):
    """Trained trees, their scores by column, and which trees never diverged."""

    trees: list[Nodes]
    columns: Columns
    ok: NDArray[np.bool_]


def evaluate(
    problem: Problem,
    trees: list[Nodes],
    generation: int,
    genes: Genes = NO_GENES,
    courses: list[Course] | None = None,
) -> Evaluated:
    """Train every tree on every fold and score it on the validation rows of that fold.

    With rates at which weights shrink among the ``genes`` trees lose the edges that become zero in all folds; with
    number formats each tree is scored in its own. ``courses``: those of ``courses_of``, if they are there.
    """
    rates = rates_of(genes)
    packed, fitted, after = _trained(problem, trees, courses or courses_of(problem, generation), rates)
    if rates:
        packed, fitted, after = _without_zeros(problem, fitted, after)
    return Evaluated(after, *_score(problem, packed, fitted, after, genes))


def courses_of(problem: Problem, generation: int) -> list[Course]:
    """The order of the rows of each fold in the training of a generation."""
    return [
        _course(problem, fold, problem.epochs, (problem.seed, generation, k)) for k, fold in enumerate(problem.folds)
    ]


class _Folds(NamedTuple):
    """What was fitted in all folds: the best ``params`` (folds, params) and their ``loss`` (folds, trees)."""

    params: NDArray
    loss: FloatArray


def _course(problem: Problem, fold: Fold, epochs: int, seed: int | tuple[int, ...]) -> Course:
    return make_course(problem.settings, *fold, epochs=epochs, patience=problem.patience, seed=seed)


def _without_zeros(problem: Problem, fitted: _Folds, trees: list[Nodes]) -> tuple[Packed, _Folds, list[Nodes]]:
    """What was fitted, in trees without the edges whose weights are zero in all folds."""
    left = simplify_all(trees)
    nodes, starts = join(left)
    packed = pack(nodes, starts, problem.space.n_features)
    return packed, fitted._replace(params=load_params(packed, nodes, problem.settings.precision)), left


def _trained(
    problem: Problem, trees: list[Nodes], courses: list[Course], rates: Genes = NO_GENES
) -> tuple[Packed, _Folds, list[Nodes]]:
    """Every tree trained in every course, from the weights of the fold of the same place."""
    nodes, starts = join(trees)
    packed = pack(nodes, starts, problem.space.n_features)
    fitted = _train(problem, packed, load_params(packed, nodes, problem.settings.precision), courses, rates)
    return packed, fitted, np.split(store_params(packed, nodes, fitted.params), starts[1:-1])


def _train(problem: Problem, packed: Packed, params: NDArray, courses: list[Course], rates: Genes) -> _Folds:
    """Every tree trained in every course from its row of ``params``.

    The work is cut by cost. How it is cut does not change the results: a tree is trained as if it were alone.
    """
    forest = packed.forest
    # Each piece turns the rows into columns anew, so one thread has one run of trees, and several have few.
    runs = cut(forest, -(-UNITS * problem.workers // len(courses)) if problem.workers > 1 else 1)
    ends = forest.first_tree_param
    found = _Folds(np.empty_like(params), np.empty((len(courses), forest.trees)))

    def train(unit: tuple[int, tuple[int, int]], stop: Indices) -> None:
        k, (first, last) = unit
        trees, own = slice(first, last), slice(int(ends[first]), int(ends[last]))
        part, start = forest.part(first, last), np.ascontiguousarray(params[k, own])
        limit = np.full(last - first, courses[k].epochs)
        given = part, problem.settings, problem.data, courses[k], start, limit
        shrinking: dict[str, Any] = {name: part[trees] for name, part in rates.items()}
        fitted = lowering().train(*given, **shrinking, stop=stop)
        found.params[k, own], found.loss[k, trees] = fitted.params, fitted.loss

    in_threads(problem.workers, train, [(k, run) for run in runs for k in range(len(courses))])
    return found


def in_threads(workers: int, function: Callable[[Unit, Indices], Result], units: Sequence[Unit]) -> list[Result]:
    """``function(unit, stop)`` for every unit, in their order. If one fails, or on Ctrl-C, ``stop[0]`` becomes 1."""
    stop: Indices = np.zeros(1, dtype=np.int32)
    if workers == 1 and threading.current_thread() is not threading.main_thread():
        return [function(unit, stop) for unit in units]  # the one of many threads that each do work of their own
    waiting: list[Future[Result]] = []
    try:
        for unit in units:
            waiting.append(_threads(workers, os.getpid()).submit(function, unit, stop))
        return [future.result() for future in waiting]
    except BaseException:
        stop[0] = 1
        for future in waiting:
            future.cancel()
        wait(waiting)
        raise


@cache
def _threads(workers: int, process: int) -> ThreadPoolExecutor:
    """The threads of all searches of this process: to start new ones takes a tenth of a short generation.

    A forked process has none of its parent's threads, so each ``process`` has its own. The kernel and XLA release the
    interpreter lock, so the threads run at the same time.
    """
    del process
    return ThreadPoolExecutor(workers)


def _score(
    problem: Problem, packed: Packed, fitted: _Folds, trees: list[Nodes], genes: Genes
) -> tuple[Columns, NDArray]:
    """Columns of metrics, and a mask of the trees that did not diverge."""
    truth = problem.validation_truth

    def score(run: tuple[int, int], stop: Indices) -> tuple[Columns, NDArray]:
        finite = np.isfinite(fitted.loss[:, slice(*run)]).all(axis=0)
        own = {name: values[slice(*run)] for name, values in genes.items()}
        outputs = outputs_in_formats(
            problem,
            trees[slice(*run)],
            own,
            lambda: _outputs(problem, packed, fitted.params, run, stop),
            lambda trees, weights: integer_outputs(problem, trees, stop=stop, weights=weights),
        )
        finite &= np.isfinite(outputs).all(axis=(1, 2))
        outputs[~finite] = 0.0  # a diverged tree is scored as a useless constant; ``ok`` marks it
        columns = {column: metric_named(metric)(truth, outputs) for column, metric in problem.metrics.items()}
        if problem.classes:
            errors = class_errors(truth, outputs)
            columns |= {f"error_class_{label}": errors[:, c] for c, label in enumerate(problem.classes)}
        if problem.robust_radius:
            columns[ROBUST] = _robust_errors(problem, truth, trees[slice(*run)])
        return columns, np.asarray(finite)

    parts = in_threads(problem.workers, score, cut(packed.forest, problem.workers, scored_at_once(problem)))
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in parts[0][0]}
    return columns, np.concatenate([finite for _, finite in parts])


def _robust_errors(problem: Problem, truth: Truth, trees: list[Nodes]) -> FloatArray:
    """(trees,) of the floats of each fold on its validation rows, fold after fold."""
    fold = np.repeat(np.arange(len(problem.folds)), [len(held) for _, held in problem.folds])
    return robust_errors(trees, truth, problem.data.inputs[problem.validation_rows], problem.robust_radius, fold)


def outputs_in_formats(
    problem: Problem,
    trees: list[Nodes],
    genes: Genes,
    of_floats: Callable[[], FloatArray],
    of_integers: Callable[[list[Nodes], str], FloatArray],
) -> FloatArray:
    """(trees, outputs, rows) the outputs of each tree in its number format.

    ``of_floats``: those of all in floats. ``of_integers``: those of some trees in a format.
    """
    if not problem.formats:
        return _held(problem, of_integers(trees, "int8") if problem.in_integers else of_floats(), genes)
    found = np.empty((len(trees), problem.task.n_outputs, len(problem.validation_rows)))
    for name, places in problem.by_format(genes):
        if c_format(name).is_integer:
            found[places] = of_integers([trees[i] for i in places.tolist()], name)
        else:
            found[places] = of_floats()[places]
    return _held(problem, found, genes)


def _held(problem: Problem, outputs: FloatArray, genes: Genes) -> FloatArray:
    """The outputs (trees, outputs, rows) of the decisions that hold at each validation row."""
    if problem.holders is None or HOP not in genes:
        return outputs
    positions = np.full(problem.holders.shape[1], -1)
    positions[problem.validation_rows] = np.arange(len(problem.validation_rows))
    for hop, places in problem.by_hop(genes, len(outputs)):
        outputs[places] = outputs[places][:, :, positions[problem.holders[hop, problem.validation_rows]]]
    return outputs


def scored_at_once(problem: Problem) -> int:
    """The most trees to score at once: the outputs of all for every validation row can take gigabytes."""
    rows = sum(len(held) for _, held in problem.folds)
    return max(1, SCORED_BYTES // (8 * rows * problem.task.n_outputs))


def _outputs(problem: Problem, packed: Packed, params: NDArray, run: tuple[int, int], stop: Indices) -> FloatArray:
    """(trees, outputs, rows) the outputs of a run of trees with each fold's weights on its validation rows."""
    forest, ends = packed.forest.part(*run), packed.forest.first_tree_param
    own = slice(int(ends[run[0]]), int(ends[run[1]]))
    found = [
        lowering().predict(
            forest, problem.settings, problem.data, held.astype(np.int32), np.ascontiguousarray(params[k, own]), stop
        )
        for k, (_, held) in enumerate(problem.folds)
    ]
    return np.concatenate(found, axis=2).astype(np.float64)


def with_costs(problem: Problem, found: Evaluated, genes: Genes) -> Evaluated:
    """What was evaluated, with the columns of ``costs`` too."""
    return found._replace(columns=found.columns | costs(problem, found.trees, genes))


def costs(problem: Problem, trees: list[Nodes], genes: Genes = NO_GENES) -> Columns:
    """The counts of every tree, and its costs on the device if the run has one.

    They are the costs in the tree's cheapest code, of those in its own format if it has one among its ``genes``: what
    it loses in integers otherwise is judged at the end of the run.
    """
    nodes, starts = join(trees)
    counts = hardware.count(nodes, starts)
    columns = {name: np.asarray(getattr(counts, name), dtype=np.float64) for name in COUNTS}
    if problem.device is None:
        return columns
    columns |= _on_device(problem, problem.device, trees, genes)
    return with_fronts(problem, columns, trees, genes)


def with_fronts(problem: Problem, columns: Columns, trees: Sequence[Nodes], genes: Genes) -> Columns:
    """Costs of trees with those of the features that they read, if these are features of windows."""
    if not problem.fronts:
        return columns
    found: Columns = {}
    for hop, places in problem.by_hop(genes, len(trees)):
        own = {name: values[places] for name, values in columns.items()}
        costs = problem.fronts[hop].with_front(own, features_used([trees[i] for i in places.tolist()]))
        for name, values in costs.items():
            found.setdefault(name, np.empty(len(trees)))[places] = values
    return found


def _on_device(problem: Problem, device: hardware.Device, trees: list[Nodes], genes: Genes) -> Columns:
    """The costs of trees alone."""
    if not problem.formats:
        columns = _cheapest(problem, device, trees, problem.rule)
        if problem.early_exit:
            columns = with_exits(columns, _walked(problem, trees), device, problem.code, kind=problem.task.kind)
        return columns
    parts = problem.by_format(genes)
    found = [
        _cheapest(problem, device, [trees[i] for i in places.tolist()], problem.rule_of(name)) for name, places in parts
    ]
    order = np.argsort(np.concatenate([places for _, places in parts]))
    names = [name for name in found[0] if all(name in each for each in found)]
    return {name: np.concatenate([each[name] for each in found])[order] for name in names}


def _cheapest(problem: Problem, device: hardware.Device, trees: list[Nodes], rule: CodeRule) -> Columns:
    """The costs of trees, each in the code that a rule chooses."""
    found = costs_by_code(*join(trees), device, rule.codes, kind=problem.task.kind, **problem.about_costs)
    return taken(choose(rule, found), found)


def _walked(problem: Problem, trees: list[Nodes]) -> list[Walked]:
    """How far training rows go in each tree, with the weights of fold 0 as in all costs."""
    count = len(problem.whole)
    rows = problem.whole[np.linspace(0, count - 1, min(count, WALKED_ROWS)).astype(np.int64)]
    codes, width = row_codes(problem, rows), problem.space.n_features
    rules, kinds = np.full(width, -1), problem.inputs.kinds
    kinds = rules if kinds is None else kinds
    most = max(1, WALKED_VALUES // (codes.shape[1] * max(map(len, trees))))
    ends = np.unique(np.linspace(0, len(trees), max(problem.workers, -(-len(trees) // most)) + 1).astype(np.int64))
    found = in_threads(
        problem.workers,
        lambda run, stop: walks_of_fold(problem, trees[slice(*run)], codes, stop=stop),
        list(pairwise(ends.tolist())),
    )
    return [Walked(walk, rules, kinds) for walks in found for walk in walks]


def walks_of_fold(
    problem: Problem,
    trees: Sequence[Nodes],
    codes: NDArray[np.int8],
    fold: int = 0,
    ranges: Ranges | None = None,
    threshold: float = 0.5,
    stop: Indices = NEVER,
) -> list[Walk]:
    """How far rows go in each tree with the weights of a fold; ``codes`` (features, rows): quantised inputs.

    ``ranges``, ``threshold``: see ``forest_of_fold``.
    """
    kernel = kernel_in_use()
    if isinstance(kernel, Kernel):
        return walks_of(kernel, forest_of_fold(problem, trees, fold, ranges, threshold), codes, stop)
    found = of_fold(problem, trees, fold, ranges, threshold)
    return [walk_of_tree(tree, codes[tree.inputs.features].T) for tree in found]


def trained(
    problem: Problem,
    trees: list[Nodes],
    stream: int,
    *,
    epochs: int,
    faster: float = 1.0,
    genes: Genes = NO_GENES,
) -> list[Nodes]:
    """Trees trained further on the fit rows of every fold, at ``faster`` times the learning rate.

    With their last weights, so validation rows choose nothing. ``genes``: see ``evaluate``; no tree loses edges.
    """
    rate = faster * problem.settings.learning_rate
    problem = replace(problem, settings=problem.settings._replace(learning_rate=rate))
    courses = [
        _course(problem, (fit, fit[:0]), epochs, (problem.seed, stream, k))._replace(patience=0)
        for k, (fit, _) in enumerate(problem.folds)
    ]
    return _trained(problem, trees, courses, rates_of(genes))[2]


def refit(
    problem: Problem,
    trees: list[Nodes],
    *,
    faster: float = 1.0,
    genes: Genes = NO_GENES,
    train: Callable[..., list[Nodes]] = trained,
) -> list[Nodes]:
    """Trees with one set of weights, trained on the rows ``whole`` at ``faster`` times the learning rate.

    ``genes``: see ``evaluate``. ``train``: as ``trained``, on these rows and others.

    A tree begins with the mean of its folds' weights: they were inherited from the same start, and are mostly near
    enough for a mean. The weights of all folds hold each other already, so the weight decay is a part of the search's.
    If the refit is worse than a constant, or not finite, the tree keeps the mean; if that is no better, the weights of
    fold 0. If all are worse, the least bad of them.
    """
    settings = problem.settings._replace(weight_decay=REFIT_DECAY * problem.settings.weight_decay)
    whole = replace(problem, settings=settings, folds=((problem.whole, problem.whole),))
    means = [one_set(tree, tree["weight"].mean(axis=1), tree["bias"].mean(axis=1)) for tree in trees]
    firsts = [one_set(tree, tree["weight"][:, 0], tree["bias"][:, 0]) for tree in trees]
    last = train(whole, means, REFIT_STREAM, epochs=problem.epochs, faster=faster, genes=genes)
    candidates = (simplify_all(last) if rates_of(genes) else last, means, firsts)
    losses = np.nan_to_num(np.stack([_losses(whole, trees) for trees in candidates]), nan=np.inf)
    useful = losses <= _loss_of_constant(whole)
    chosen = np.where(useful.any(axis=0), useful.argmax(axis=0), losses.argmin(axis=0))
    return [candidates[which][i] for i, which in enumerate(chosen.tolist())]


def _loss_of_constant(problem: Problem) -> float:
    """The mean loss of the best constant on the rows ``whole``; at a temperature that of a good one."""
    data, loss = problem.data, problem.task.loss
    targets, weight = (part[problem.whole].astype(np.float64) for part in (data.targets, data.weight))
    if data.soft is None:
        return constant_loss(loss, targets, weight)
    soft = data.soft[problem.whole].astype(np.float64)
    return soft_constant_loss(loss, targets, weight, soft, problem.settings.temperature)


def _losses(problem: Problem, trees: list[Nodes]) -> FloatArray:
    """(trees,) the mean losses on the validation rows of the only fold; not finite for a tree that diverged."""
    ((_, held),) = problem.folds
    measuring = _course(problem, (held[:0], held), 0, (problem.seed, REFIT_STREAM, 0))
    return _trained(problem, trees, [measuring])[1].loss[0]


def validation_outputs(problem: Problem, trees: list[Nodes]) -> NDArray[np.float64]:
    """(trees, outputs, rows) the outputs with each fold's weights on its validation rows, fold after fold; scaled."""
    nodes, starts = join(trees)
    packed = pack(nodes, starts, problem.space.n_features)
    return _outputs(problem, packed, load_params(packed, nodes, problem.settings.precision), (0, len(trees)), NEVER)


def edge_slopes(problem: Problem, trees: list[Nodes]) -> list[NDArray[np.float64]]:
    """For each tree (nodes, features, folds): the derivative of a fold's training loss with respect to the weight of an
    edge from a function node to an input, whether the tree has that edge or not.
    """
    nodes, starts = join(trees)
    packed = pack(nodes, starts, problem.space.n_features)
    params = load_params(packed, nodes, problem.settings.precision)
    rows = [fit.astype(np.int32) for fit, _ in problem.folds]
    forest, ends = packed.forest, packed.forest.first_tree_param
    whole = np.zeros((len(nodes), forest.features, len(rows)))
    function = np.flatnonzero(nodes["op"] < 0)

    def of(unit: tuple[int, tuple[int, int]], stop: Indices) -> None:
        k, (first, last) = unit
        own = np.ascontiguousarray(params[k, ends[first] : ends[last]])
        found = lowering().slopes(forest.part(first, last), problem.settings, problem.data, rows[k], own, stop)
        whole[function[forest.first_node[first] : forest.first_node[last]], :, k] = found

    runs = cut(forest, problem.workers)
    in_threads(problem.workers, of, [(k, run) for run in runs for k in range(len(rows))])
    return np.split(whole, starts[1:-1])
