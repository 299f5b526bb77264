"""Scores of classes and errors of numbers against scikit-learn's, with ties, constant scores and missing classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import expit, huber, softmax
from sklearn import metrics as sk
from sklearn.utils.class_weight import compute_sample_weight

from neuraltree.tasks.metrics import AT_LEVEL, LEAST, METRICS, Truth, metric_named
from neuraltree.tasks.task import Task, make_task
from tests.helpers.strategies import steady
from tests.tasks.test_metrics import ORACLES as FIRST_ORACLES

TASKS = {
    "binary": make_task("binary", 2),
    "sigmoid": make_task("binary", 2, "squared"),
    "multiclass": make_task("multiclass", 4),
}
SHARES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "binary": lambda z: np.concatenate([expit(-z), expit(z)]),
    "sigmoid": lambda z: z / z.sum(axis=0),
    "multiclass": lambda z: softmax(z, axis=0),
}
LEVELS = (0.05, 0.5, 0.75, 0.9)


class Case(NamedTuple):
    """Outputs (outputs, rows) of one tree: their shares (classes, rows), and the score of the second class."""

    codes: np.ndarray
    shares: np.ndarray
    score: np.ndarray

    @property
    def predicted(self) -> np.ndarray:
        return self.shares.argmax(axis=0)


def area(codes: np.ndarray, score: np.ndarray) -> float:
    """Where scikit-learn has no area, it is that of a ranking by chance."""
    return float(sk.roc_auc_score(codes, score)) if 0 < codes.mean() < 1 else 0.5


def mean_area(case: Case) -> float:
    return float(np.mean([area(case.codes == c, case.shares[c]) for c in np.unique(case.codes)]))


def best_recall(case: Case, level: float) -> float:
    precision, recall, _ = sk.precision_recall_curve(case.codes, case.score)
    return float(recall[precision >= level].max())


def best_precision(case: Case, level: float) -> float:
    precision, recall, _ = sk.precision_recall_curve(case.codes, case.score)
    return float(precision[recall >= level].max())


def balanced_log_loss(case: Case) -> float:
    weight = compute_sample_weight("balanced", case.codes)
    return float(sk.log_loss(case.codes, case.shares.T, sample_weight=weight, labels=range(len(case.shares))))


FOR_TWO: dict[str, Callable[[Case], float]] = {
    "one_minus_f1": lambda case: 1 - sk.f1_score(case.codes, case.predicted),
    "one_minus_average_precision": lambda case: 1 - sk.average_precision_score(case.codes, case.score),
    "one_minus_roc_auc": lambda case: 1 - area(case.codes, case.score),
}
FOR_CLASSES: dict[str, Callable[[Case], float]] = {
    "one_minus_f1_macro": lambda case: 1 - sk.f1_score(case.codes, case.predicted, average="macro"),
    "balanced_log_loss": balanced_log_loss,
}
FOR_MORE: dict[str, Callable[[Case], float]] = {"one_minus_roc_auc": lambda case: 1 - mean_area(case)}
AT_LEVELS: dict[str, Callable[[Case, float], float]] = {
    "one_minus_recall_at_precision": lambda case, level: 1 - best_recall(case, level),
    "one_minus_precision_at_recall": lambda case, level: 1 - best_precision(case, level),
}
NUMBERS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "mae": lambda target, predicted: sk.mean_absolute_error(target, predicted),
    "pinball": lambda target, predicted: sk.mean_pinball_loss(target, predicted, alpha=0.9),
    "huber": lambda target, predicted: huber(1.0, target - predicted).mean(),  # of standardised targets
}


@st.composite
def rows_of_classes(draw: Any, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Codes (rows,) and outputs (2, outputs, rows) of two trees, few of them distinct, and often not of all classes."""
    rng, task = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), TASKS[kind]
    rows, distinct = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    classes = max(2, task.n_outputs)
    present = draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=classes, unique=True))
    codes = rng.choice(present, size=rows)
    pool = rng.normal(scale=3, size=(2, task.n_outputs, distinct))
    outputs = pool[:, :, rng.integers(distinct, size=rows)]
    if draw(st.booleans()):  # a tree that is always right
        outputs[0] = 6 * np.eye(classes)[codes].T[-task.n_outputs :] - 3
    return codes, expit(outputs) if kind == "sigmoid" else outputs


def check(name: str, kind: str, drawn: tuple[np.ndarray, np.ndarray], oracle: Callable[[Case], float]) -> None:
    codes, outputs = drawn
    mine = metric_named(name)(Truth(TASKS[kind], codes), outputs)
    expected = []
    for z in outputs:
        shares = SHARES[kind](z)
        case = Case(codes, shares, z[0] if kind == "binary" else shares[1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of scores that are not defined
            expected.append(oracle(case))
    assert np.isfinite(mine).all()
    assert_allclose(mine, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["binary", "sigmoid"])
@pytest.mark.parametrize("name", FOR_TWO)
def test_metrics_of_two_classes(name: str, kind: str) -> None:
    @steady
    @given(rows_of_classes(kind))
    def equal(drawn: tuple[np.ndarray, np.ndarray]) -> None:
        check(name, kind, drawn, FOR_TWO[name])

    equal()


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("name", FOR_CLASSES)
def test_metrics_of_any_classes(name: str, kind: str) -> None:
    @steady
    @given(rows_of_classes(kind))
    def equal(drawn: tuple[np.ndarray, np.ndarray]) -> None:
        check(name, kind, drawn, FOR_CLASSES[name])

    equal()


@pytest.mark.parametrize("kind", ["binary", "sigmoid"])
@pytest.mark.parametrize("name", AT_LEVELS)
def test_metrics_at_a_level(name: str, kind: str) -> None:
    @steady
    @given(rows_of_classes(kind), st.sampled_from(LEVELS))
    def equal(drawn: tuple[np.ndarray, np.ndarray], level: float) -> None:
        check(f"{name}_{level}", kind, drawn, lambda case: AT_LEVELS[name](case, level))

    equal()


@steady
@given(rows_of_classes("multiclass"))
def test_the_area_of_several_classes(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    check("one_minus_roc_auc", "multiclass", drawn, FOR_MORE["one_minus_roc_auc"])


def test_the_area_of_several_classes_is_scikit_learns_one_against_the_rest() -> None:
    rng = np.random.default_rng(0)
    codes, outputs = rng.integers(4, size=300), rng.normal(size=(3, 4, 300))
    mine = metric_named("one_minus_roc_auc")(Truth(TASKS["multiclass"], codes), outputs)
    expected = [sk.roc_auc_score(codes, softmax(z, axis=0).T, multi_class="ovr", average="macro") for z in outputs]
    assert_allclose(mine, 1 - np.array(expected), rtol=1e-12)


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("name", NUMBERS)
def test_errors_of_numbers(name: str, targets: int) -> None:
    @steady
    @given(st.integers(0, 2**32 - 1), st.integers(1, 30))
    def equal(seed: int, rows: int) -> None:
        rng = np.random.default_rng(seed)
        task = make_task("regression", n_targets=targets)
        scale, mean = rng.uniform(0.1, 40, size=targets), rng.normal(size=targets)
        scaled, outputs = rng.normal(size=(rows, targets)), np.round(rng.normal(scale=2, size=(2, targets, rows)), 1)
        outputs[0] = scaled.T if seed % 2 else 0.0  # exact, or constant
        natural, predicted = scaled * scale + mean, outputs * scale[:, None] + mean[:, None]
        called = "pinball_0.9" if name == "pinball" else name
        sought = (scaled, outputs) if name == "huber" else (natural, predicted)
        expected = [NUMBERS[name](sought[0], z.T) for z in sought[1]]
        mine = metric_named(called)(Truth(task, scaled, scale), outputs)
        assert_allclose(mine, expected, rtol=1e-12, atol=1e-12)
        in_natural_units = metric_named(called)(Truth(task, natural, deviation=scale), predicted)
        assert_allclose(in_natural_units, expected, rtol=1e-10, atol=1e-10)

    equal()


def test_the_pinball_loss_is_lowest_at_its_quantile() -> None:
    target = np.random.default_rng(0).exponential(size=2000)
    guesses = np.linspace(0, 5, 101)
    outputs = np.repeat(guesses[:, None, None], len(target), axis=2)
    errors = metric_named("pinball_0.95")(Truth(make_task("regression"), target), outputs)
    assert abs(guesses[errors.argmin()] - np.quantile(target, 0.95)) < 0.05


def test_a_probability_of_zero_counts_as_the_least_one() -> None:
    codes, outputs = np.array([0, 1, 1]), np.array([[[1e3, 1e3, 1e3]]])
    found = metric_named("balanced_log_loss")(Truth(TASKS["binary"], codes), outputs)
    assert_allclose(found, -0.5 * np.log(LEAST))


@pytest.mark.parametrize("name", [*METRICS, *(f"{name}_0.5" for name in AT_LEVEL)])
@pytest.mark.parametrize("code", [0, 1])
def test_rows_of_one_class_have_a_finite_error(name: str, code: int) -> None:
    numbers = name.startswith(("one_minus_r2", "rmse", "mae", "huber", "pinball"))
    tasks: list[Task] = [make_task("regression")] if numbers else list(TASKS.values())
    for task in tasks:
        outputs = np.stack([np.zeros((task.n_outputs, 7)), np.eye(7)[: task.n_outputs]])
        found = metric_named(name)(Truth(task, np.full(7, code), group=np.arange(7) % 2), outputs)
        assert found.shape == (2,)
        assert np.isfinite(found).all()


def test_every_row_has_an_oracle() -> None:
    later = {*FOR_TWO, *FOR_CLASSES, *FOR_MORE, *AT_LEVELS, *NUMBERS}
    assert {*METRICS, *AT_LEVEL} == {*FIRST_ORACLES, "one_minus_r2", "rmse", "worst_group_error"} | later


@pytest.mark.parametrize("kind", TASKS)
def test_the_error_of_the_worst_group_of_classes(kind: str) -> None:
    @steady
    @given(rows_of_classes(kind), st.integers(0, 2**32 - 1))
    def equal(drawn: tuple[np.ndarray, np.ndarray], seed: int) -> None:
        codes, outputs = drawn
        group = np.random.default_rng(seed).choice([0, 1, 4], size=len(codes))  # not all have rows
        expected = []
        for z in outputs:
            predicted = SHARES[kind](z).argmax(axis=0)
            each = [1 - sk.accuracy_score(codes[group == g], predicted[group == g]) for g in set(group.tolist())]
            expected.append(max(each))
        truth = Truth(TASKS[kind], codes, group=group)
        assert_allclose(METRICS["worst_group_error"](truth, outputs), expected, rtol=1e-12)

    equal()


@pytest.mark.parametrize("targets", [1, 2])
def test_the_error_of_the_worst_group_of_numbers(targets: int) -> None:
    rng = np.random.default_rng(0)
    target, outputs = rng.normal(size=(40, targets)), rng.normal(size=(3, targets, 40))
    group = rng.integers(3, size=40)
    expected = [
        max(
            np.mean(sk.mean_squared_error(target[own], z.T[own], multioutput="raw_values") / target.var(axis=0))
            for own in (group == g for g in range(3))
        )
        for z in outputs
    ]
    truth = Truth(make_task("regression", n_targets=targets), target, group=group)
    assert_allclose(METRICS["worst_group_error"](truth, outputs), expected, rtol=1e-12)
    constant = truth._replace(target=np.zeros_like(target))
    assert METRICS["worst_group_error"](constant, np.zeros_like(outputs)).tolist() == [0, 0, 0]
