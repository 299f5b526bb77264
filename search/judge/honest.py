"""The honest error of a front: its structures, trained from new weights on splits that the search never used.

A search chooses structures, weights and epochs by their errors on the same validation rows, so these errors become too
low. Here each structure gets new weights, and validation rows choose nothing. Two biases are left. The structures were
found with all training rows, which makes the error too low if there are few rows for the inputs. And inherited weights
can be better than those that a new training reaches, which makes it too high. The fine-tuning of int8 models is not
repeated here, so their errors are without its gain.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.cli.patience import patience
from neuraltree.tasks.metrics import Truth, metric_named
from neuraltree.tree.generate import redraw_weights
from neuraltree.tree.nodes import IntArray, Nodes, node_dtype
from search.engine.evaluate import Fold, Problem, outputs_in_formats, scored_at_once, trained, validation_outputs
from search.engine.integer_scores import Ranges, fitted_ranges, integer_outputs
from search.engine.population import structure_key
from search.engine.row_samples import rows_trained
from search.judge.bands import bands
from search.judge.exit_latency import mean_latencies, rules_of_table
from search.judge.thresholds import decided, thresholds
from search.judge.units import Kept, Units
from search.table.data import Table
from search.table.fresh_splits import FOLDS, REPEATS, fresh_folds
from search.table.splits import positions
from search.variation.genes import NO_GENES, Genes

if TYPE_CHECKING:
    from search.engine.problem import Setup

LONGER, FASTER = 5, 3.0  # times the epochs and the learning rate of a generation, because the weights are new
ENOUGH, SHARE = 100, 0.25  # epochs if generations are shorter, and the share of the search's time that they may take
STREAM = 2**31 + 4  # of the shuffles; one more for each repeat
WEIGHTS = 2**31 + 16  # the stream of the new weights
FARTHEST = 10.0  # the largest output of a regression, in units of the largest standardised target
LARGEST_LOGIT = 1e3
LARGEST_THRESHOLD = 14.0  # a logit, whose probability differs from 1 by 1e-6
OUTLIERS = 0.01  # share of outputs beyond them from which a tree counts as one that diverged
HeldOut = tuple[Problem, list[Nodes]]


class Judged(NamedTuple):
    """Honest errors and their standard errors, each (trees,).

    ``parts`` (trees, folds): of the errors of the first repeat. ``thresholds`` (trees,): the logits from which the
    second of two classes is predicted, 0 unless they are tuned. ``bands`` (trees,): see ``Tree.band``; NaN if unknown.
    Thresholds and bands are medians over the repeats: these have the same rows, so more repeats make a quantile less
    random, but do not count as more rows. ``latency`` (trees,): see ``exit_latency``, of the first repeat; NaN
    without early exits. ``held_out``: the first repeat, whose trees were not fitted to the validation rows of their
    folds; ``None`` if there are no trees.
    """

    error: FloatArray
    error_se: FloatArray
    parts: FloatArray
    thresholds: FloatArray
    bands: FloatArray
    latency: FloatArray
    held_out: HeldOut | None

    def probabilities(self) -> FloatArray:
        """(trees,) the thresholds as probabilities of the second class, above 0 and below 1."""
        return _probabilities(self.thresholds)

    def take(self, places: Sequence[int]) -> Judged:
        """The judgement of some of the trees, in this order."""
        chosen = list(places)
        held_out = self.held_out and (self.held_out[0], [self.held_out[1][i] for i in chosen])
        constants = self.thresholds[chosen], self.bands[chosen], self.latency[chosen]
        return Judged(self.error[chosen], self.error_se[chosen], self.parts[chosen], *constants, held_out)


class _Repeat(NamedTuple):
    """The parts of the errors of a repeat (trees, folds); the thresholds, the bands and the mean latencies (trees,)."""

    parts: FloatArray
    thresholds: FloatArray
    bands: FloatArray
    latency: FloatArray


def _probabilities(thresholds: FloatArray) -> FloatArray:
    logits = np.clip(thresholds, -LARGEST_THRESHOLD, LARGEST_THRESHOLD)
    return np.array([1 / (1 + math.exp(-logit)) for logit in logits.tolist()])  # the same bits on all processors


def judge(
    setup: Setup,
    table: Table,
    trees: list[Nodes],
    say: Callable[[str], None],
    stopping: Callable[[], bool] = lambda: False,
    kept: Kept | None = None,
    lesson: Setup | None = None,
    evaluations: int = 0,
    genes: Genes = NO_GENES,
) -> Judged:
    """Judge the structures of ``trees`` by repeated cross-validation.

    ``evaluations``: the trees that the search has trained, whose time says how long a judgement may take. ``genes``:
    those of the trees. ``lesson``: the run on ``judging_folds`` with the lessons of teachers fitted there; there is one
    repeat then. When ``stopping()`` is true the judgement ends: after the unit in progress with ``KeyboardInterrupt``
    if units are ``kept``, else after the repeat in progress with what is known.
    """
    splits = list(islice(judging_splits(setup, table), 1 if lesson else REPEATS))
    models = f"{len(trees)} model{'s' * (len(trees) != 1)}"
    say(f"judging {models} anew on {_counted(splits)} splits that the search did not use")
    epochs = judging_epochs(setup, len(trees) * len(splits), evaluations)
    done: list[_Repeat] = []
    held_out, rules = None, rules_of_table(setup.problem, table)
    with patience(say, "judging") as note:
        for repeat, folds in enumerate(splits):

            def told(far: str, repeat: int = repeat) -> None:
                note(f"repeat {repeat + 1} of {len(splits)}, {far}")

            units = Units(kept, stopping, told)
            anew = lesson.problem if lesson else replace(setup.problem, folds=folds)
            found = _judged_once(anew, trees, repeat, epochs, setup.tuned, genes, None if repeat else rules, units)
            done.append(found[1])
            held_out = held_out or (anew, found[0])
            if stopping() and not kept:
                break
    parts = np.concatenate([found.parts for found in done], axis=1)
    judged = [fold for each in splits[: len(done)] for fold in each]
    apart, wide = (np.median([getattr(found, name) for found in done], axis=0) for name in ("thresholds", "bands"))
    first = done[0]
    return Judged(parts.mean(axis=1), standard_error(parts, judged), first.parts, apart, wide, first.latency, held_out)


def _counted(splits: Sequence[Sequence[Fold]]) -> str:
    """The number of folds of all repeats, as 3 x 5 or 5 + 6 + 7."""
    counts = [len(folds) for folds in splits]
    return f"{len(counts)} x {counts[0]}" if len(set(counts)) == 1 else " + ".join(map(str, counts))


def judging_epochs(setup: Setup, count: int, evaluations: int) -> int:
    """The epochs of a judgement that trains ``count`` trees in every fold.

    ``LONGER`` times those of a generation. A search of many short generations trains its trees longer than that in all;
    then up to ``ENOUGH`` epochs, if they take no more than ``SHARE`` of the time of the search.
    """
    problem = setup.problem
    population = setup.strategy.population
    spent = population * problem.epochs * rows_trained(problem, evaluations // population)
    affordable = SHARE * spent / (max(count, 1) * (FOLDS - 1) * len(setup.train_rows))
    return setup.last_epochs or max(LONGER * problem.epochs, int(min(ENOUGH, affordable)))


def refit_course(setup: Setup, evaluations: int) -> tuple[int, float]:
    """The epochs of the refit after so many evaluations, and the multiple of the learning rate.

    As in a generation; but as in the judgement if the search has trained its trees for less than the judgement does. If
    the refit has more rows than the search, as many epochs as take at least the same number of steps.
    """
    problem, generations = setup.problem, evaluations // setup.strategy.population
    passes = rows_trained(problem, generations) / sum(len(fit) for fit, _ in problem.folds)
    more = setup.stream_rows / len(setup.train_rows) if setup.stream_rows else 1.0
    if setup.last_epochs or passes >= LONGER:
        return setup.last_epochs or math.ceil(problem.epochs / more), 1.0
    return math.ceil(LONGER * problem.epochs / more), FASTER


def _judged_once(
    problem: Problem,
    trees: list[Nodes],
    repeat: int,
    epochs: int,
    tuned: bool,
    genes: Genes,
    rules: IntArray | None,
    units: Units,
) -> tuple[list[Nodes], _Repeat]:
    """One repeat: its trees, and what was found; ``tuned``: thresholds are chosen; ``rules``: see
    ``rules_of_table``, ``None`` if latencies are not asked for.

    If a tree diverges, all are trained again at the rate of the search, which may be right there and too high here.
    """
    renewed = _renewed(problem, trees, repeat)
    for faster in (FASTER, 1.0):

        def train(some: list[Nodes], own: Genes, faster: float = faster) -> list[Nodes]:
            if problem.work:
                return problem.work.judge(repeat, some, own, epochs, faster)
            return trained(problem, some, STREAM + repeat, epochs=epochs, faster=faster, genes=own)

        about = f"judgement {repeat} {faster} {FOLDS}"
        # Workers get as many trees as there are: they are cut for them.
        fitted = units.trained(about, problem, renewed, genes, epochs, train, once=problem.work is not None)
        found, wild = _by_fold(problem, fitted, tuned, genes, rules)
        if not wild.any():
            break
    return fitted, found


def judging_splits(setup: Setup, table: Table) -> Iterator[tuple[Fold, ...]]:
    """The folds of each repeat, as positions among the training rows; see ``fresh_folds``."""
    rows = setup.train_rows
    used = [(rows[:0], rows[held]) for _, held in setup.problem.folds]
    for folds in fresh_folds(table, rows, used, setup.problem.seed):
        yield tuple(positions(folds, rows))


def judging_folds(setup: Setup, table: Table, repeat: int) -> tuple[Fold, ...]:
    """The folds of one repeat."""
    return next(islice(judging_splits(setup, table), repeat, None))


def _renewed(problem: Problem, trees: list[Nodes], repeat: int) -> list[Nodes]:
    """The structures with new random weights, which follow from the structure, whatever its place among the others."""
    found = []
    for tree in trees:
        wide = np.zeros(len(tree), dtype=node_dtype(len(problem.folds)))
        wide["depth"], wide["op"] = tree["depth"], tree["op"]
        rng = np.random.default_rng((problem.seed, WEIGHTS, repeat, crc32(structure_key(tree))))
        found.append(redraw_weights(rng, wide))
    return found


def _by_fold(
    problem: Problem, trees: list[Nodes], tuned: bool, genes: Genes, rules: IntArray | None
) -> tuple[_Repeat, NDArray[np.bool_]]:
    """What is found of a repeat, and which trees (trees,) diverged. ``rules``: see ``_judged_once``.

    Outputs are held to ``_farthest``, so that a tree that diverged has a large error, but one that is a number. As many
    trees are scored at once as their outputs leave room for.
    """
    at_once = scored_at_once(problem)
    far, metric = _farthest(problem), problem.metrics["val_error"]
    truth = problem.validation_truth
    weight = problem.data.weight[problem.validation_rows].astype(np.float64)
    parts, apart, wide, late, wild = [], [], [], [], []
    timed = problem.early_exit and rules is not None
    for i in range(0, len(trees), at_once):
        own = {name: values[i : i + at_once] for name, values in genes.items()}
        some = trees[i : i + at_once]
        ranges = fitted_ranges(problem, some) if timed else []
        outputs = _outputs(problem, some, own, ranges)
        beyond = ~(np.abs(outputs) < far)  # true for NaN
        wild.append(beyond.mean(axis=(1, 2)) > OUTLIERS)
        outputs = np.where(beyond, np.copysign(far, np.nan_to_num(outputs)), outputs)
        apart.append(thresholds(metric, truth, outputs) if tuned else np.zeros(len(outputs)))
        wide.append(bands(truth, outputs, weight))
        if timed:
            late.append(mean_latencies(problem, np.asarray(rules), some, ranges, _probabilities(apart[-1]).tolist()))
        outputs = decided(metric, truth, problem.folds, outputs) if tuned else outputs
        parts.append(parts_of_error(metric, problem.truth, problem.folds, outputs))
    late = late or [np.full(len(trees), np.nan)]
    return _Repeat(*map(np.concatenate, (parts, apart, wide, late))), np.concatenate(wild)


def _outputs(problem: Problem, trees: list[Nodes], genes: Genes, ranges: Sequence[Ranges]) -> FloatArray:
    """(trees, outputs, rows) as floats; or as the integers of integer models, with ``ranges`` fitted to each tree, if
    they are known already."""

    def of_integers(some: list[Nodes], weights: str) -> FloatArray:
        diverged = [not (np.isfinite(tree["weight"]).all() and np.isfinite(tree["bias"]).all()) for tree in some]
        outputs = integer_outputs(problem, some, ranges or fitted_ranges(problem, some), weights=weights)
        outputs[diverged] = np.nan
        return outputs

    return outputs_in_formats(problem, trees, genes, lambda: validation_outputs(problem, trees), of_integers)


def _farthest(problem: Problem) -> float:
    """The largest output that can be meant: of a regression by the largest standardised target, else a logit."""
    if problem.task.kind != "regression":
        return LARGEST_LOGIT
    return FARTHEST * max(1.0, float(np.abs(problem.truth.target).max()))


def parts_of_error(metric: str, truth: Truth, folds: Sequence[Fold], outputs: FloatArray) -> FloatArray:
    """(trees, folds) the part of each fold in the error over all validation rows, which is their mean.

    ``outputs`` (trees, outputs, rows) are for the validation rows, fold after fold. The parts are the pseudo-values of
    the jackknife: with n folds and the error e_k over all but fold k, they differ as -(n - 1) e_k do. For an error that
    is a mean over rows, a part is about the error in its fold.
    """
    error = metric_named(metric)
    n, rows = len(folds), np.concatenate([held for _, held in folds])
    fold_of = np.repeat(np.arange(n), [len(held) for _, held in folds])
    errors = [error(truth.take(rows), outputs)]
    for k in range(n):
        others = fold_of != k
        errors.append(error(truth.take(rows[others]), outputs[:, :, others]))
    whole, *without = errors
    parts = -(n - 1) * np.stack(without, axis=1)
    return parts - parts.mean(axis=1, keepdims=True) + whole[:, None]


def standard_error(parts: FloatArray, folds: Sequence[Fold]) -> FloatArray:
    """(trees,) the standard errors of the means of ``parts`` (trees, folds), of the ``folds`` of all repeats.

    Folds share training rows, so their variance is multiplied by 1 / parts + test rows / training rows (Nadeau & Bengio
    2003, Machine Learning 52, section 4). Rows are counted over all folds, which differ in size if they go forward in
    time.
    """
    fitted, held = (sum(map(len, rows)) for rows in zip(*folds, strict=True))
    return np.asarray(parts.std(axis=1, ddof=1) * np.sqrt(1 / parts.shape[1] + held / fitted))
