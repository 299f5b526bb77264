"""Every metric against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn import metrics as sk

from neuraltree.metrics import METRICS, Truth, class_errors, predicted_classes, probabilities
from neuraltree.tasks import make_task

RNG = np.random.default_rng(0)
CODES = {
    "binary": RNG.integers(2, size=60),
    "multiclass": RNG.integers(4, size=60),
    "sigmoid": RNG.integers(2, size=60),
}
TASKS = {
    "binary": make_task("binary", 2),
    "multiclass": make_task("multiclass", 4),
    "sigmoid": make_task("binary", 2, "squared"),
}
OUTPUTS = {
    "binary": RNG.normal(size=(3, 1, 60)),
    "multiclass": RNG.normal(size=(3, 4, 60)),
    "sigmoid": expit(RNG.normal(size=(3, 2, 60))),
}
SHARES = {
    "binary": lambda z: np.concatenate([1 - expit(z), expit(z)]),
    "multiclass": lambda z: softmax(z, axis=0),
    "sigmoid": lambda z: z / z.sum(axis=0),
}
ORACLES = {
    "error_rate": lambda codes, shares: 1 - sk.accuracy_score(codes, shares.argmax(axis=0)),
    "balanced_error": lambda codes, shares: 1 - sk.balanced_accuracy_score(codes, shares.argmax(axis=0)),
    "log_loss": lambda codes, shares: sk.log_loss(codes, shares.T),
}


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("name", ORACLES)
def test_class_metrics(kind, name):
    mine = METRICS[name](Truth(TASKS[kind], CODES[kind]), OUTPUTS[kind])
    expected = [ORACLES[name](CODES[kind], SHARES[kind](z)) for z in OUTPUTS[kind]]
    np.testing.assert_allclose(mine, expected, rtol=1e-9)


@pytest.mark.parametrize("kind", TASKS)
def test_class_errors_are_one_minus_recall(kind):
    mine = class_errors(Truth(TASKS[kind], CODES[kind]), OUTPUTS[kind])
    expected = [1 - sk.recall_score(CODES[kind], SHARES[kind](z).argmax(axis=0), average=None) for z in OUTPUTS[kind]]
    np.testing.assert_allclose(mine, expected)


@pytest.mark.parametrize("kind", TASKS)
def test_probabilities_sum_to_one_and_agree_with_the_classes(kind):
    shares = probabilities(TASKS[kind], OUTPUTS[kind])
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    np.testing.assert_array_equal(shares.argmax(axis=1), predicted_classes(TASKS[kind], OUTPUTS[kind]))


def test_regression_metrics_in_natural_units():
    scaled, outputs = RNG.normal(size=60), RNG.normal(size=(3, 1, 60))
    truth = Truth(make_task("regression"), scaled, 5.0)
    natural, predictions = 5.0 * scaled + 2.0, 5.0 * outputs[:, 0] + 2.0
    r2 = [sk.r2_score(natural, p) for p in predictions]
    np.testing.assert_allclose(METRICS["one_minus_r2"](truth, outputs), 1 - np.array(r2))
    rmse = [sk.root_mean_squared_error(natural, p) for p in predictions]
    np.testing.assert_allclose(METRICS["rmse"](truth, outputs), rmse)


def test_every_row_is_tested():
    assert set(METRICS) == set(ORACLES) | {"one_minus_r2", "rmse"}
