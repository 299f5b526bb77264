"""The input of every method (a hold-out of a table and a budget of CPU seconds) and its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import moocore
import numpy as np
from numpy.typing import NDArray

from experiments.common.fronts import reference
from experiments.common.searching import Search, prepare, size_of
from experiments.common.volumes import tested_volume
from neuraltree.arrays import FloatArray
from neuraltree.tasks.metrics import METRICS, Truth
from search.selection.hypervolume import hypervolume

BUDGET_S, QUICK_BUDGET_S = 12.0, 0.5
WORST = 99.0  # cap on errors: a model may blow up on a test row, and means over seeds must stay finite
MOST_WEIGHTS = 250  # reference point of hypervolumes, with the error of the best constant


class Member(NamedTuple):
    """A model of a front. ``val_error`` chose it; ``test_error`` is of the model refitted to all training rows.

    ``weights``: for trees and networks the trainable scalars; for formulas the leaves, that is every number and every
    reading of a variable, as if it had a coefficient. ``scalars``: the numbers that can be fitted.
    """

    val_error: float
    test_error: float
    weights: int
    scalars: int
    nodes: int | None = None  # of trees and formulas


class Found(NamedTuple):
    """A front, the CPU seconds of the search with those of compiling, and how many models it scored."""

    members: list[Member]
    evaluations: int
    search_s: float
    compile_s: float = 0.0
    note: str = ""


class Clock:
    """CPU seconds of this process, all threads together, since it was made."""

    def __init__(self, budget_s: float) -> None:
        self._budget_s, self._begun = budget_s, time.process_time()

    @property
    def spent(self) -> float:
        return time.process_time() - self._begun

    @property
    def running(self) -> bool:
        return self.spent < self._budget_s


@dataclass(frozen=True, eq=False)
class Arena:
    """Inputs are standardised by the training rows, as is the target of a regression; classes are codes."""

    search: Search
    X: FloatArray  # (training rows, features)
    y: NDArray  # (training rows,)
    X_test: FloatArray
    y_test: NDArray
    seed: int
    budget_s: float

    @property
    def kind(self) -> str:
        return self.search.table.kind

    @property
    def worst_error(self) -> float:
        """The error of the best constant: 1 for a regression, otherwise the share of the rarer classes."""
        return float(reference(self.search)[0])

    @property
    def folds(self) -> tuple[tuple[NDArray, NDArray], ...]:
        """(rows to fit, rows to validate on) of the cross-validation that our search uses, among the training rows."""
        return self.search.setup.problem.folds

    def errors(self, outputs: FloatArray, target: NDArray) -> FloatArray:
        """(models,) 1 − R² or the share of wrong classes, at most ``WORST``, of (models, outputs, rows)."""
        sound = np.asarray(np.isfinite(outputs).all(axis=(1, 2)))
        bounded = np.clip(np.where(sound[:, None, None], outputs, 0.0), -1e6, 1e6)
        metric = "one_minus_r2" if self.kind == "regression" else "error_rate"
        found = METRICS[metric](Truth(self.search.setup.problem.task, target), bounded)
        return np.where(sound, np.minimum(found, WORST), WORST)


def make_arena(name: str, seed: int, quick: bool) -> Arena:
    """The hold-out ``seed`` of a table."""
    search = prepare(name, seed, size_of(quick), {})
    setup, table = search.setup, search.table
    y_test = table.y[setup.test_rows]
    if setup.target_scaler is not None:
        y_test = setup.target_scaler.transform(y_test[:, None])[:, 0]
    inputs = [setup.scaler.transform(table.X[rows]) for rows in (setup.train_rows, setup.test_rows)]
    budget_s = QUICK_BUDGET_S if quick else BUDGET_S
    return Arena(search, inputs[0], setup.problem.truth.target, inputs[1], y_test, seed, budget_s)


def front(errors: FloatArray, weights: NDArray) -> NDArray[np.int64]:
    """The models that no other dominates in error and weights, one for each pair, the smallest first."""
    points = np.column_stack([errors, weights]).astype(np.float64)
    best = np.flatnonzero((errors < WORST) & np.asarray(moocore.is_nondominated(points)))
    return best[np.argsort(points[best, 1], kind="stable")]


Axis = Callable[[Any], Any]


def volume(errors: Sequence[float], weights: Sequence[int], worst: float) -> float:
    """The hypervolume in % of the box of errors from 0 to ``worst`` and weights from 1 to 250."""
    if not errors:
        return 0.0
    return 100.0 * hypervolume(np.column_stack([np.divide(errors, worst), _along(np.asarray, weights)]), np.ones(2))


def served(members: Sequence[Member], sizes: Sequence[int], worst: float, axis: Axis = np.asarray) -> float:
    """``tested_volume`` in such a box along an ``axis`` of sizes."""
    validation, test = [member.val_error for member in members], [member.test_error for member in members]
    return tested_volume(validation, test, _along(axis, sizes), (worst, 1.0))


def _along(axis: Axis, sizes: Sequence[int]) -> FloatArray:
    """Sizes from 1 to 250 as places from 0 to 1."""
    low, high = axis(1.0), axis(float(MOST_WEIGHTS))
    return np.asarray((axis(np.maximum(sizes, 1.0)) - low) / (high - low))


def first_lap_excess(laps: list[float]) -> float:
    """From the CPU seconds at the end of each generation: the extra time of the first over the usual generation."""
    each = np.diff(laps)
    return max(0.0, laps[0] - float(np.median(each))) if len(each) else 0.0
