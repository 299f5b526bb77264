"""Metrics added up over blocks against the same metrics of all rows."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.tasks.metrics import AT_LEVEL, METRICS, Truth, metric_named
from neuraltree.tasks.summed_metrics import MetricSum, is_summed
from neuraltree.tasks.task import make_task

OF_NUMBERS = ("one_minus_r2", "rmse", "mae", "huber", "pinball_0.9")
OF_CLASSES = ("error_rate", "balanced_error", "log_loss", "balanced_log_loss")
BLOCKS = ((0, 1), (1, 40), (40, 41), (41, 200))


def added(name: str, truth: Truth, outputs: np.ndarray) -> float:
    summed = MetricSum(name)
    for first, last in BLOCKS:
        rows = np.arange(first, last)
        summed.add(truth.take(rows), outputs[:, :, rows])
    return summed.value


@pytest.mark.parametrize("name", OF_NUMBERS)
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_numbers(name: str, far: float) -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(far, 2, 200)
    outputs = (target + rng.normal(0, 1.5, 200))[None, None]
    truth = Truth(make_task("regression"), target, deviation=2.0)
    assert added(name, truth, outputs) == pytest.approx(metric_named(name)(truth, outputs)[0], rel=1e-9)


@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize("classes", [2, 4])
def test_classes(name: str, classes: int) -> None:
    rng = np.random.default_rng(1)
    target = rng.choice(classes, 200, p=[0.9] + [0.1 / (classes - 1)] * (classes - 1))
    outputs = rng.normal(size=(1, 1 if classes == 2 else classes, 200))
    truth = Truth(make_task("binary" if classes == 2 else "multiclass", classes), target)
    assert added(name, truth, outputs) == pytest.approx(metric_named(name)(truth, outputs)[0], rel=1e-12)


def test_which_metrics_are_sums() -> None:
    known = {*METRICS, *(f"{stem}_0.9" for stem in AT_LEVEL)}
    assert {name for name in known if is_summed(name)} == {*OF_NUMBERS, *OF_CLASSES}


def test_a_constant_target_counts_one_unless_it_is_predicted() -> None:
    truth = Truth(make_task("regression"), np.full(200, 3.0))
    assert added("one_minus_r2", truth, np.full((1, 1, 200), 3.0)) == 0
    assert added("one_minus_r2", truth, np.full((1, 1, 200), 2.0)) == 1


def test_without_rows_a_metric_is_not_known() -> None:
    assert np.isnan(MetricSum("mae").value)
