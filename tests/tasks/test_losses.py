"""Every loss, for NumPy and JAX alike, against differences; what trees are trained on is in the table."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import expit, softmax

from neuraltree.tasks.links import LINKS
from neuraltree.tasks.losses import LOSSES
from neuraltree.tasks.task import LOSS_OF, make_task

RNG = np.random.default_rng(0)
OUTPUTS = RNG.normal(size=(4, 3, 7)) * 3
TARGETS = np.eye(3)[RNG.integers(3, size=7)].T[None]
EXPECTED = {"squared": lambda z: z, "logistic": expit, "softmax": lambda z: softmax(z, axis=1)}


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_the_slope_of_the_value(name: str) -> None:
    loss, step = LOSSES[name], 1e-6
    found = loss.gradient(OUTPUTS, TARGETS)
    for k in range(3):
        moved = np.zeros((1, 3, 1))
        moved[:, k] = step
        ends = [loss.value(OUTPUTS + sign * moved, TARGETS) for sign in (1, -1)]
        np.testing.assert_allclose(found[:, k], (ends[0] - ends[1]) / (2 * step), atol=1e-7)


@pytest.mark.parametrize("name", LOSSES)
def test_outputs_expect_the_targets_of_least_loss(name: str) -> None:
    expected = LOSSES[name].expected(OUTPUTS)
    np.testing.assert_allclose(expected, EXPECTED[name](OUTPUTS), rtol=1e-12)
    np.testing.assert_allclose(LOSSES[name].gradient(OUTPUTS, expected), 0, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_numpy_and_jax_have_the_same_losses(name: str) -> None:
    loss = LOSSES[name]
    with jax.enable_x64(True):
        both = jnp.asarray(OUTPUTS), jnp.asarray(TARGETS)
        found = loss.value(*both), loss.gradient(*both), loss.expected(both[0])
    plain = loss.value(OUTPUTS, TARGETS), loss.gradient(OUTPUTS, TARGETS), loss.expected(OUTPUTS)
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
    assert set(LOSS_OF.values()) == set(LOSSES)
    assert {output for kind, output in LOSS_OF if kind != "regression"} == set(LINKS)
