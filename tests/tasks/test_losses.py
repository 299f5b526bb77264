"""Every loss, for NumPy and JAX alike, against differences; what trees are trained on is in the table."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, softmax

from neuraltree.tasks.links import LINKS
from neuraltree.tasks.losses import LOSSES, constant_loss, loss_and_level
from neuraltree.tasks.task import LOSS_OF, check_loss, make_task

RNG = np.random.default_rng(0)
OUTPUTS = RNG.normal(size=(4, 3, 7)) * 3
TARGETS = np.eye(3)[RNG.integers(3, size=7)].T[None]
EXPECTED = {"squared": lambda z: z, "logistic": expit, "softmax": lambda z: softmax(z, axis=1)}
EXPECTED |= {"huber": EXPECTED["squared"], "pinball": EXPECTED["squared"]}
LEVEL = 0.8


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_the_slope_of_the_value(name: str) -> None:
    loss, step = LOSSES[name], 1e-6
    found = loss.gradient(OUTPUTS, TARGETS, LEVEL)
    for k in range(3):
        moved = np.zeros((1, 3, 1))
        moved[:, k] = step
        ends = [loss.value(OUTPUTS + sign * moved, TARGETS, LEVEL) for sign in (1, -1)]
        np.testing.assert_allclose(found[:, k], (ends[0] - ends[1]) / (2 * step), atol=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_outputs_expect_the_targets_of_least_loss(name: str) -> None:
    expected = LOSSES[name].expected(OUTPUTS)
    np.testing.assert_allclose(expected, EXPECTED[name](OUTPUTS), rtol=1e-12)
    if name == "pinball":  # has a corner there
        slopes = [LOSSES[name].gradient(OUTPUTS + step, expected, LEVEL) for step in (1e-9, -1e-9)]
        np.testing.assert_allclose(slopes, [np.full_like(OUTPUTS, 1 - LEVEL), np.full_like(OUTPUTS, -LEVEL)])
    else:
        np.testing.assert_allclose(LOSSES[name].gradient(OUTPUTS, expected), 0, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_numpy_and_jax_have_the_same_losses(name: str) -> None:
    loss = LOSSES[name]
    with jax.enable_x64(True):
        both = jnp.asarray(OUTPUTS), jnp.asarray(TARGETS)
        found = loss.value(*both, LEVEL), loss.gradient(*both, LEVEL), loss.expected(both[0])
    plain = loss.value(OUTPUTS, TARGETS, LEVEL), loss.gradient(OUTPUTS, TARGETS, LEVEL), loss.expected(OUTPUTS)
    for theirs, ours in zip(found, plain, strict=True):
        assert isinstance(ours, np.ndarray)
        assert isinstance(theirs, jax.Array)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_every_task_has_its_loss_and_every_classifier_its_link() -> None:
    tasks = [
        make_task("regression"),
        make_task("binary", 2),
        make_task("multiclass", 3),
        make_task("binary", 2, "squared"),
    ]
    assert {(task.kind, task.output_activation): task.loss for task in tasks} == LOSS_OF
    others = {loss_and_level(loss)[0] for loss in ("huber", "pinball_0.5")}
    assert set(LOSS_OF.values()) | others == set(LOSSES)
    assert {output for kind, output in LOSS_OF if kind != "regression"} == set(LINKS)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.9])
def test_the_best_constant_of_a_quantile_is_the_best_of_the_targets(level: float) -> None:
    rng = np.random.default_rng(2)
    targets, weight = rng.standard_t(2, (60, 2)), rng.uniform(0.1, 2, 60)
    missing = targets - targets[:, None]  # (constants, rows, outputs)
    losses = np.average(np.maximum(level * missing, (level - 1) * missing), axis=1, weights=weight)
    assert constant_loss(f"pinball_{level}", targets, weight) == pytest.approx(losses.min(axis=0).sum(), rel=1e-12)


@pytest.mark.parametrize("name", ["squared", "logistic", "softmax", "huber"])
def test_the_best_constant_is_as_good_as_any_that_a_minimiser_finds(name: str) -> None:
    rng = np.random.default_rng(1)
    targets = np.eye(3)[rng.integers(3, size=60)] if name in ("logistic", "softmax") else rng.standard_t(2, (60, 3))
    weight = rng.uniform(0.1, 2, 60)
    stem, level = loss_and_level(name)

    def mean(constant: np.ndarray) -> float:
        return float(np.average(LOSSES[stem].value(constant[:, None], targets.T, level), weights=weight))

    found = minimize(mean, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-14}).fun
    assert constant_loss(name, targets, weight) == pytest.approx(found, rel=1e-7)


@pytest.mark.parametrize(
    ("kind", "loss", "told"),
    [
        ("regression", "cross_entropy", "'cross_entropy' is none of the losses of regression: auto, squared, huber,"),
        ("regression", "pinball", "'pinball' is none of the losses of regression: auto, squared, huber, pinball_LEVEL"),
        ("regression", "pinball_1", "where LEVEL is a quantile between 0 and 1, as in pinball_0.9"),
        ("regression", "pinball_0.90", "pinball_0.9"),
        ("binary", "huber", "'huber' is none of the losses of classes: auto, cross_entropy, squared"),
        ("multiclass", "pinball_0.5", "none of the losses of classes"),
    ],
)
def test_a_loss_of_another_kind_is_refused(kind: str, loss: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_task(kind, 3, loss)
    if loss in ("cross_entropy", "huber", "pinball_0.5"):
        check_loss(loss)
