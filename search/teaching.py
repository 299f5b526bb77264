"""Trees that learn what ordinary models predict round the training rows, besides the targets.

Knowledge distillation (Hinton, Vinyals & Dean 2015, https://arxiv.org/abs/1503.02531) on rows made for it, as in model
compression (Buciluǎ, Caruana & Niculescu-Mizil 2006). In each fold the teachers see that fold's training rows alone, so
validation rows stay unknown to all that is judged on them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from neuraltree.combining import combine
from neuraltree.packing import Shape
from neuraltree.tasks import encode
from neuraltree.train import make_data
from search.data import Table
from search.errors import InputError
from search.problem import Setup
from search.strict import one_line

ROWS, LAST_ROWS = 1000, 3000  # of a fold's lesson, and of the final refit's, at least
SPREAD = 0.2  # standard deviation of what is added to a training row's inputs, in theirs
OWN = 0.5  # the share of its own target in what a training row teaches
STREAM = 2**31 + 2  # of random numbers, beside those of the search

Array = NDArray[np.float64]


class _Class(NamedTuple):
    """What teachers are asked about: rows (rows, features) in natural units, and their encoded targets."""

    setup: Setup
    table: Table
    X: Array
    y: NDArray


def taught(setup: Setup, table: Table, teachers: Sequence[BaseEstimator], say: Callable[[str], None]) -> Setup:
    """A run whose trees learn lessons of these teachers, scikit-learn estimators, in place of the training rows.

    A lesson is rows of a fold, and as many more near them as make ``ROWS``; it teaches the weighted mean of the
    teachers' predictions. The weights are those of least squared error over all rows that a fold left out.
    ``InputError`` for teachers that cannot teach this table.
    """
    if table.weight is not None:
        raise InputError("teachers do not know of sample weights; leave out one or the other")
    say(f"fitting {len(teachers)} teachers in {len(setup.problem.folds)} folds and on all rows")
    rows = setup.train_rows
    pupils = _Class(setup, table, table.X[rows], table.y[rows])
    everything = np.arange(len(rows))
    parts = [*(fit for fit, _ in setup.problem.folds), everything]
    fitted = [[_fit(teacher, pupils, part) for teacher in teachers] for part in parts]
    weights = _weights(pupils, fitted)
    rng = np.random.default_rng((setup.problem.seed, STREAM))
    sizes = [ROWS] * len(setup.problem.folds) + [LAST_ROWS]
    lessons = [_lesson(rng, pupils, *of) for of in zip(parts, fitted, sizes, [weights] * len(parts), strict=True)]
    return _with_lessons(pupils, lessons)


def _fit(teacher: BaseEstimator, pupils: _Class, part: NDArray) -> Any:
    name = type(teacher).__name__
    if pupils.table.classes is not None and not hasattr(teacher, "predict_proba"):
        raise InputError(f"the teacher {name} has no predict_proba, which classes need; choose another estimator")
    try:
        return clone(teacher).fit(pupils.X[part], pupils.y[part])
    except ValueError as error:
        raise InputError(f"the teacher {name} cannot be fitted to these rows: {one_line(error)}") from None


def _predict(fitted: Any, pupils: _Class, X: Array) -> Array:
    """(rows, outputs) probabilities of the classes, or values as the trees learn them."""
    scaler = pupils.setup.target_scaler
    found = fitted.predict_proba(X) if scaler is None else scaler.transform(fitted.predict(X).reshape(len(X), -1))
    if not np.isfinite(found).all():
        raise InputError(f"the teacher {type(fitted).__name__} predicts numbers that are not finite")
    return np.asarray(found, dtype=np.float64)


def _weights(pupils: _Class, fitted: list[list[Any]]) -> dict[int, float]:
    """What each teacher counts, by its place; those that count nothing are left out."""
    folds, problem = pupils.setup.problem.folds, pupils.setup.problem
    held = np.concatenate([rows for _, rows in folds])
    predicted = [
        np.concatenate([_predict(of[i], pupils, pupils.X[rows]) for of, (_, rows) in zip(fitted, folds, strict=False)])
        for i in range(len(fitted[0]))
    ]
    target = problem.truth.target[held]
    truth = target.reshape(len(held), -1) if pupils.table.classes is None else np.eye(predicted[0].shape[1])[target]
    chosen, shares = combine(np.array([p.ravel() for p in predicted]), truth.ravel(), len(predicted))
    return dict(zip(chosen, shares.tolist(), strict=True))


def _lesson(
    rng: np.random.Generator, pupils: _Class, part: NDArray, fitted: list[Any], size: int, weights: dict[int, float]
) -> tuple[Array, Array]:
    """Scaled inputs (rows, features) and what is taught of them (rows, outputs), the part's own rows first."""
    scaler, task = pupils.setup.scaler, pupils.setup.problem.task
    own = scaler.transform(pupils.X[part])
    origin = rng.integers(len(own), size=max(0, size - len(own)))
    inputs = np.concatenate([own, own[origin] + SPREAD * rng.standard_normal((len(origin), own.shape[1]))])
    X = scaler.inverse(inputs)
    means = sum((w * _predict(fitted[i], pupils, X) for i, w in weights.items()), start=np.zeros(()))
    targets = means[:, 1:] if task.kind == "binary" else means
    known = encode(task, pupils.setup.problem.truth.target[part])
    targets[: len(own)] = OWN * known + (1 - OWN) * targets[: len(own)]
    return inputs, targets


def _with_lessons(pupils: _Class, lessons: list[tuple[Array, Array]]) -> Setup:
    """The run's data: the training rows, for validation, then each fold's lesson, then that of the refit."""
    setup, problem = pupils.setup, pupils.setup.problem
    inputs = [setup.scaler.transform(pupils.X), *(X for X, _ in lessons)]
    targets = [encode(problem.task, problem.truth.target), *(y for _, y in lessons)]
    ends = len(pupils.X) + np.cumsum([len(X) for X, _ in lessons])
    parts = [np.arange(end - len(X), end) for end, (X, _) in zip(ends, lessons, strict=True)]
    shape = Shape(0, problem.task.n_outputs, problem.space.n_features, 1, (), (), (), 0)
    data = make_data(np.concatenate(inputs), np.concatenate(targets), None, shape, problem.settings.precision)
    folds = tuple((part, held) for part, (_, held) in zip(parts, problem.folds, strict=False))
    return replace(setup, problem=replace(problem, data=data, folds=folds, whole=parts[-1]), taught=True)
