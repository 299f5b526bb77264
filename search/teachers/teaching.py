"""Trees that learn the predictions of ordinary models, their teachers, on and near the training rows.

Knowledge distillation (Hinton, Vinyals & Dean 2015, https://arxiv.org/abs/1503.02531) on rows made for it, as in model
compression (Buciluǎ, Caruana & Niculescu-Mizil 2006). In each fold the teachers are fitted on that fold's training rows
alone. Its validation rows affect its trees only through the teachers' weights, a few numbers that all folds share.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from neuraltree.arrays import FloatArray
from neuraltree.engine.training import make_data
from neuraltree.estimators.combining import combine
from neuraltree.tasks.softening import SOFTENED, softened
from neuraltree.tasks.task import encode
from search.config.settings import FLOAT_MAX
from search.engine.problem import Setup
from search.errors import InputError
from search.judge.honest import judging_folds
from search.strict import one_line
from search.table.data import Table

ROWS, LAST_ROWS = 1000, 3000  # the fewest rows of a fold's lesson, and of the final refit's lesson
LAST_EPOCHS = 240  # epochs of the refit: its lesson has too many rows to overfit, and small trees learn it slowly
SPREAD = 0.2  # standard deviation of the noise added to a training row's inputs, in units of their own
OWN = 0.5  # the share of a training row's own target in the value that it teaches
STREAM = 2**31 + 2  # the stream of random numbers for lessons; the search uses others


class _Known(NamedTuple):
    """A run and its training rows in natural units: ``X`` (rows, features), ``y`` values or class codes."""

    setup: Setup
    table: Table
    X: FloatArray
    y: NDArray


class Learned(NamedTuple):
    """Teachers fitted on each of ``parts``: the training rows of each fold and, last, all training rows.

    ``weights``: the weight of each teacher in their mean, by its position; teachers without weight are left out.
    """

    known: _Known
    parts: list[NDArray]
    fitted: list[list[Any]]
    weights: dict[int, float]

    @property
    def last(self) -> list[Any]:
        """The teachers fitted on all training rows, without those that have no weight."""
        return [self.fitted[-1][i] for i in self.weights]

    def mean(self, part: int, X: FloatArray) -> FloatArray:
        """(rows, outputs) the weighted mean of the predictions of a part's teachers for ``X`` in natural units."""
        models = self.fitted[part]
        return sum((w * _predict(models[i], self.known, X) for i, w in self.weights.items()), start=np.zeros(()))


def lessons(
    plain: Setup,
    table: Table,
    teachers: Sequence[Any],
    say: Callable[[str], None],
    own: float = OWN,
    temperature: float = 1.0,
) -> tuple[Setup, Setup | None]:
    """The run with lessons instead of its training rows, and the same on the splits of the judgement.

    In each fold of either, the teachers have not seen its validation rows. ``own`` and ``temperature``: see ``taught``.
    Without ``teachers``: the run, and None. ``InputError`` for a temperature that the loss of the run cannot have.
    """
    if not teachers:
        return plain, None
    check_temperature(plain, temperature)
    anew = replace(plain, problem=replace(plain.problem, folds=judging_folds(plain, table, 0)))
    first, judging = (taught(learn(setup, table, teachers, say), own, temperature) for setup in (plain, anew))
    return first, judging


def learn(setup: Setup, table: Table, teachers: Sequence[BaseEstimator], say: Callable[[str], None]) -> Learned:
    """Fit the teachers, scikit-learn estimators, on the training rows of a run.

    Their weights minimise the squared error of their mean on the validation rows of all folds. A teacher whose
    ``random_state`` is not set gets the seed of the run. ``InputError`` for teachers that cannot teach this table.
    """
    _check(table, teachers)
    folds = setup.problem.folds
    say(f"fitting {len(teachers)} teachers in {len(folds)} folds and on all rows")
    known = _Known(setup, table, table.X[setup.train_rows], table.y[setup.train_rows])
    parts = [*(fit for fit, _ in folds), np.arange(len(known.X))]
    fitted = [[fit_teacher(teacher, setup, table, part) for teacher in teachers] for part in parts]
    return Learned(known, parts, fitted, _weights(known, fitted))


def taught(learned: Learned, own: float = OWN, temperature: float = 1.0) -> Setup:
    """The run, changed so that its trees learn lessons of these teachers instead of the training rows.

    A lesson holds the training rows of a fold, and rows near them to fill it up to ``ROWS``. It teaches the weighted
    mean of the teachers' predictions; for a training row, its own target counts for the share ``own`` of the value. At
    a ``temperature`` other than 1, classifiers learn softer probabilities of the teachers by the loss of
    ``neuraltree.tasks.softening``.
    """
    rng = np.random.default_rng((learned.known.setup.problem.seed, STREAM))
    sizes = [ROWS] * (len(learned.parts) - 1) + [LAST_ROWS]
    made = [_lesson(rng, learned, part, size, own, temperature) for part, size in enumerate(sizes)]
    return _with_lessons(learned.known, made, temperature)


def check_temperature(setup: Setup, temperature: float) -> None:
    """``InputError`` for a temperature other than 1 if the run trains by another loss than cross-entropy."""
    if temperature != 1 and setup.problem.task.loss not in SOFTENED:
        raise InputError(
            f"train.teacher_temperature = {temperature:g} makes probabilities of classes softer; the loss of this run "
            "is for values; leave it out"
        )


def _check(table: Table, teachers: Sequence[BaseEstimator]) -> None:
    if table.weight is not None:
        raise InputError("teachers do not use row weights; leave out teachers, or sample_weight and class_weight")
    for teacher in teachers:
        if table.classes is not None and not hasattr(teacher, "predict_proba"):
            raise InputError(
                f"the teacher {_name(teacher)} has no predict_proba, which classes need; choose another classifier, or "
                "put this one into a CalibratedClassifierCV"
            )


def _name(teacher: object) -> str:
    return type(teacher).__name__


def fit_teacher(teacher: BaseEstimator, setup: Setup, table: Table, part: NDArray) -> Any:
    """A copy of the teacher, fitted to a part of the training rows. ``InputError`` if it cannot be."""
    unset = [name for name, value in teacher.get_params().items() if value is None and name.endswith("random_state")]
    try:
        copy = clone(teacher).set_params(**dict.fromkeys(unset, setup.problem.seed))
        rows = setup.train_rows[part]
        return copy.fit(table.X[rows], table.y[rows])
    except (TypeError, ValueError) as error:
        raise InputError(f"the teacher {_name(teacher)} cannot be fitted to these rows: {one_line(error)}") from error


def _predict(fitted: Any, known: _Known, X: FloatArray) -> FloatArray:
    """(rows, outputs) probabilities of the classes, or values as the trees learn them."""
    scaler, classes = known.setup.target_scaler, known.table.classes
    try:
        found = np.asarray((fitted.predict if classes is None else fitted.predict_proba)(X), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"the teacher {_name(fitted)} cannot predict rows like these: {one_line(error)}") from error
    wanted = (len(X), known.table.targets if classes is None else len(classes))
    columns = found[:, None] if found.ndim == 1 else found
    if columns.shape != wanted:
        raise InputError(f"the teacher {_name(fitted)} predicts an array of shape {found.shape}; it must be {wanted}")
    values = columns if scaler is None else scaler.transform(columns)
    if not (np.abs(values) <= FLOAT_MAX).all():  # false for NaN too
        raise InputError(f"the teacher {_name(fitted)} predicts numbers that are not finite or far too large")
    return values


def _weights(known: _Known, fitted: list[list[Any]]) -> dict[int, float]:
    """The weight of each teacher, by its position; teachers whose weight is 0 are left out."""
    folds = known.setup.problem.folds
    held = np.concatenate([rows for _, rows in folds])

    def left_out(i: int) -> FloatArray:
        by_fold = zip(fitted, folds, strict=False)  # without the last models, fitted on all rows
        return np.concatenate([_predict(models[i], known, known.X[rows]) for models, (_, rows) in by_fold])

    predicted = np.array([left_out(i).ravel() for i in range(len(fitted[0]))])
    target, classes = known.setup.problem.truth.target[held], known.table.classes
    truth = target if classes is None else np.eye(len(classes))[target]
    chosen, shares = combine(predicted, truth.ravel(), len(predicted))
    return dict(zip(chosen, shares.tolist(), strict=True))


class _Lesson(NamedTuple):
    """Scaled inputs (rows, features), the targets taught for them (rows, outputs), and the teachers' shares (rows,)."""

    inputs: FloatArray
    targets: FloatArray
    soft: FloatArray


def _lesson(
    rng: np.random.Generator, learned: Learned, part: int, size: int, share: float, temperature: float
) -> _Lesson:
    """The lesson of a part, its own rows first."""
    setup, rows = learned.known.setup, learned.parts[part]
    own = setup.scaler.transform(learned.known.X[rows])
    origin = rng.integers(len(own), size=max(0, size - len(own)))
    inputs = np.concatenate([own, own[origin] + SPREAD * rng.standard_normal((len(origin), own.shape[1]))])
    means = learned.mean(part, setup.scaler.inverse(inputs))
    said = means if temperature == 1 else temperature * softened(means, temperature)
    targets = said[:, 1:] if setup.problem.task.kind == "binary" else said
    real = encode(setup.problem.task, setup.problem.truth.target[rows])
    targets[: len(own)] = share * real + (1 - share) * targets[: len(own)]
    soft = np.ones(len(inputs))
    soft[: len(own)] = 1 - share
    return _Lesson(inputs, targets, soft)


def _with_lessons(known: _Known, lessons: list[_Lesson], temperature: float) -> Setup:
    """The run with new data: first the training rows, for validation, then each fold's lesson, then the refit's."""
    setup, problem = known.setup, known.setup.problem
    inputs = np.concatenate([setup.scaler.transform(known.X), *(each.inputs for each in lessons)])
    targets = np.concatenate([encode(problem.task, problem.truth.target), *(each.targets for each in lessons)])
    soft = np.concatenate([np.zeros(len(known.X)), *(each.soft for each in lessons)])
    ends = len(known.X) + np.cumsum([len(each.soft) for each in lessons])
    parts = [np.arange(end - len(each.soft), end) for end, each in zip(ends, lessons, strict=True)]
    settings = problem.settings._replace(temperature=temperature)
    data = make_data(inputs, targets, None, settings.precision, None if temperature == 1 else soft)
    folds = tuple((part, held) for part, (_, held) in zip(parts, problem.folds, strict=False))
    # A lesson is a sample already.
    changed = replace(problem, settings=settings, data=data, folds=folds, whole=parts[-1], first_rows=0)
    return replace(setup, problem=changed, last_epochs=LAST_EPOCHS)
