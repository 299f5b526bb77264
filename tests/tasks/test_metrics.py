"""Every metric against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn import metrics as sk

from neuraltree.tasks.metrics import METRICS, Truth, class_errors, predicted_classes, probabilities
from neuraltree.tasks.task import encode, make_task

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


def test_metrics_of_several_targets():
    scale, mean = np.array([5.0, 0.1, 40.0]), np.array([2.0, -1.0, 0.0])
    scaled, outputs = RNG.normal(size=(60, 3)) * [1, 2, 0.5], RNG.normal(size=(4, 3, 60))
    truth = Truth(make_task("regression", n_targets=3), scaled, scale)
    natural = scaled * scale + mean
    predictions = [z.T * scale + mean for z in outputs]
    r2 = [sk.r2_score(natural, p, multioutput="uniform_average") for p in predictions]
    np.testing.assert_allclose(METRICS["one_minus_r2"](truth, outputs), 1 - np.array(r2))
    rmse = [np.sqrt(sk.mean_squared_error(natural.ravel(), p.ravel())) for p in predictions]
    np.testing.assert_allclose(METRICS["rmse"](truth, outputs), rmse)


@pytest.mark.parametrize("met", [True, False])
def test_a_constant_target_counts_as_in_sklearn(met):
    target = np.column_stack([RNG.normal(size=20), np.full(20, 3.0)])
    outputs = np.stack([RNG.normal(size=20), np.full(20, 3.0) + (not met)])[None]
    mine = METRICS["one_minus_r2"](Truth(make_task("regression", n_targets=2), target), outputs)
    np.testing.assert_allclose(mine, 1 - sk.r2_score(target, outputs[0].T))
    outputs[0, 1, 0] = np.nan
    assert np.isnan(METRICS["one_minus_r2"](Truth(make_task("regression", n_targets=2), target), outputs)).all()


def test_targets_are_columns():
    task = make_task("regression", n_targets=2)
    assert task == ("regression", 2, "identity", "squared")
    assert encode(task, np.array([[1, 2], [3, 4], [5, 6]])).tolist() == [[1, 2], [3, 4], [5, 6]]
    assert encode(make_task("regression"), np.array([1, 2])).tolist() == [[1], [2]]
    assert encode(TASKS["binary"], np.array([1, 0])).tolist() == [[1], [0]]
    assert encode(TASKS["sigmoid"], np.array([1, 0])).tolist() == [[0, 1], [1, 0]]
    for wrong in (np.zeros(4), np.zeros((2, 3)), np.zeros((2, 2, 2))):
        with pytest.raises(ValueError, match=r"the task has 2 target\(s\), one column each"):
            encode(task, wrong)
