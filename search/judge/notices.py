"""What a user should know about rows, classes, groups and codes, before a search and about what it found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import Input, inputs_of
from neuraltree.hardware.dominated_code import compared_with_all, word_on_integers
from neuraltree.tasks.losses import loss_and_level
from neuraltree.tasks.metrics import group_errors, predicted_classes
from neuraltree.tree.labels import Label
from neuraltree.tree.nodes import join
from search.engine.evaluate import Problem
from search.engine.problem import Setup
from search.engine.row_samples import told_rows
from search.objectives import rows_of
from search.table.data import Table

FEW = 10  # validation rows of a class or a group below which its errors are mostly noise
RARE = 0.2  # the share of a class below which its recall is told
SHOWN = 5  # classes or groups that are named
KEPT = 64  # values of a column that are enough in any case
SAMPLE = 100  # random trees by which codes are compared


def at_start(table: Table, setup: Setup) -> list[str]:
    """The notes of the table; the rows to train on if they are samples; a loss that the first objective does not judge;
    columns that lose most of their values as integers; a code that another dominates; the positive class if the search
    depends on it; and classes and groups that have few validation rows."""
    truth = setup.problem.validation_truth
    found = [*table.notes, *told_rows(setup.problem), *_quantile(setup), *_rounded(table, setup), *_dominated(setup)]
    if table.classes is not None:
        found += [*_positive(table.classes, setup), *_few_rows("classes", table.classes, truth.target)]
    if table.fairness is not None and truth.group is not None:
        found += _few_rows("fairness groups", table.fairness.names, truth.group)
    return found


def _quantile(setup: Setup) -> list[str]:
    loss = setup.problem.task.loss
    if loss_and_level(loss)[0] != "pinball" or loss in setup.strategy.objectives:
        return []
    return [f"trees learn a quantile, by the loss {loss}, which no objective judges; search.objectives can name {loss}"]


def _rounded(table: Table, setup: Setup) -> list[str]:
    """The columns of numbers of which integers keep less than half of the different values, or ``KEPT`` if they have
    many."""
    names = [column.name for column in table.columns] if table.columns else table.features
    inputs = dict(zip(names, inputs_of(setup.problem.inputs.spec, names), strict=True))
    found = []
    for place, name in enumerate(table.features):
        one = inputs.get(name, Input())  # other features of a column are levels, holes or times
        if one.row.is_integer:
            values = np.unique(table.X[setup.train_rows, place])
            kept = len(np.unique(np.rint(values * one.scale)))
            if kept < min(len(values) / 2, KEPT):
                found.append(f"{name!r} as {one.kind} has {kept} of {len(values)} values")
    if not found:
        return []
    return [f"hardware.input: {', '.join(found[:SHOWN])}; a scale keeps more of them, as in int16/100"]


def _dominated(setup: Setup) -> list[str]:
    """Whether another code dominates that of the config, by the costs of random trees; or that the device has no
    figures for its inputs, so that codes cannot be compared."""
    problem, rng = setup.problem, np.random.default_rng(0)
    if problem.device is None:
        return []
    if word := word_on_integers(problem.rule.codes, problem.device, problem.inputs.spec):
        return [word]
    if problem.formats:  # the search compares them
        return []
    nodes, starts = join([setup.strategy.new_tree(rng) for _ in range(SAMPLE)])
    about = {"kind": problem.task.kind, **problem.about_costs}
    word = compared_with_all(problem.code, problem.device, nodes, starts, about, f"{SAMPLE} random trees")
    if not word:
        return []
    return [f"{word}; to choose by model: --set hardware.precision=auto --set hardware.style=auto"]


def _positive(classes: tuple[Label, ...], setup: Setup) -> list[str]:
    names = [row.name for row in rows_of(setup.strategy.objectives) if row.tasks == "two classes"]
    names += ["the threshold"] * (setup.tuned and not names)
    if not names:
        return []
    return [f"positive class, for {', '.join(names)}: {classes[1]!r}; task.positive chooses another"]


def _few_rows(what: str, labels: Sequence[Label], codes: NDArray) -> list[str]:
    counts = _counts(codes, len(labels)).tolist()
    few = [i for i in np.argsort(counts, kind="stable").tolist() if counts[i] < FEW]
    if not few:
        return []
    named = ", ".join(f"{labels[i]!r} {counts[i]}" for i in few[:SHOWN])
    more = f" and {len(few) - SHOWN} more" * (len(few) > SHOWN)
    return [f"{what} with fewer than {FEW} validation rows: {named}{more}; errors say little about them"]


def at_end(table: Table, problem: Problem, outputs: FloatArray, thresholds: FloatArray, chosen: int) -> list[str]:
    """Whether every tree predicts the same class everywhere, else how often the rarest class is found if it is rare;
    and the errors of the groups.

    ``outputs`` (trees, outputs, rows) are those of a judgement for its validation rows. ``thresholds`` (trees,) of the
    logits of two classes; ``chosen``: the place of the recommended tree.
    """
    if not len(outputs):
        return []
    decided = outputs - thresholds[:, None, None]  # thresholds are 0 except for two classes
    return [*_of_classes(table, problem, decided, chosen), *_of_groups(table, problem, decided[chosen][None])]


def _of_classes(table: Table, problem: Problem, decided: FloatArray, chosen: int) -> list[str]:
    if table.classes is None:
        return []
    truth = problem.validation_truth.target
    predicted = predicted_classes(problem.task, decided)
    if len(np.unique(predicted)) == 1:
        return [
            f"every model predicts {table.classes[int(predicted[0, 0])]!r} for every row: choose an objective that "
            'rewards rare classes, such as balanced_error, or set task.class_weight = "balanced"'
        ]
    counts = _counts(truth, len(table.classes))
    rarest = int(np.argmin(np.where(counts > 0, counts, len(truth) + 1)))
    if counts[rarest] >= RARE * len(truth):
        return []
    seen = predicted[chosen] == rarest
    hits = int(np.count_nonzero(seen & (truth == rarest)))
    of = f"{hits} of the {counts[rarest]} rows of {table.classes[rarest]!r} (recall {hits / counts[rarest]:.2f})"
    false = int(seen.sum()) - hits
    return [f"the recommended model finds {of}, with {false} false alarm{'s' * (false != 1)}"]


def _of_groups(table: Table, problem: Problem, decided: FloatArray) -> list[str]:
    """The errors of the groups, the largest first."""
    truth = problem.validation_truth
    if table.fairness is None or truth.group is None:
        return []
    errors = group_errors(truth, decided)[0]
    there = np.unique(truth.group)
    worst = [f"{table.fairness.names[there[i]]!r} {errors[i]:.4f}" for i in np.argsort(-errors, kind="stable")]
    more = f" and {len(worst) - SHOWN} more with less" * (len(worst) > SHOWN)
    return [f"errors of the fairness groups, by the recommended model: {', '.join(worst[:SHOWN])}{more}"]


def _counts(codes: NDArray, classes: int) -> NDArray[np.int64]:
    return np.bincount(codes, minlength=classes)
