"""The losses: their table against SciPy and automatic differentiation, and both lowerings' means against the table."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import huber, log_expit, log_softmax

from neuraltree.tasks.losses import LOSSES, loss_and_level
from tests.helpers.forests import MANY, PLAIN, SPACE, Case, population
from tests.helpers.plain_tree import evaluate

pytestmark = pytest.mark.usefixtures("quick_compiler")
SPACES = {"squared": MANY, "logistic": SPACE, "softmax": MANY, "huber": MANY, "pinball_0.8": MANY}


def by_scipy(name: str, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Outputs and targets (..., outputs, rows)."""
    if name == "squared":
        return 0.5 * ((z - y) ** 2).sum(axis=-2)
    if name == "huber":
        return huber(1.0, z - y).sum(axis=-2)
    if name == "pinball_0.8":
        return np.maximum(0.8 * (y - z), 0.2 * (z - y)).sum(axis=-2)
    if name == "softmax":
        return -(y * log_softmax(z, axis=-2)).sum(axis=-2)
    return -log_expit(np.where(y > 0, z, -z)).sum(axis=-2)


def targets_of(name: str, rows: int, rng: np.random.Generator) -> np.ndarray:
    """(rows, outputs)"""
    return np.eye(3)[rng.integers(3, size=rows)][:, : SPACES[name].n_outputs]


def test_every_loss_has_a_formula_here():
    assert {loss_and_level(name)[0] for name in SPACES} == LOSSES.keys()


@pytest.mark.parametrize("name", SPACES)
def test_the_table_against_plain_formulas_and_automatic_differentiation(name):
    rng = np.random.default_rng(0)
    z, target = rng.normal(size=(4, SPACES[name].n_outputs, 5)), targets_of(name, 5, rng).T[None]
    stem, level = loss_and_level(name)
    loss = LOSSES[stem]
    np.testing.assert_allclose(loss.value(z, target, level), by_scipy(name, z, target), rtol=1e-12)
    with jax.enable_x64(True):
        slope = jax.grad(lambda o: jnp.sum(loss.value(o, target, level)))(jnp.asarray(z))
    np.testing.assert_allclose(loss.gradient(z, target, level), slope, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", SPACES)
def test_means_over_training_and_validation_rows(engine, name):
    """The training loss is the weighted sum over the number of rows, the validation loss the weighted mean."""
    rng = np.random.default_rng(1)
    x, y, weight = rng.normal(size=(64, 4)), targets_of(name, 64, rng), rng.uniform(0.5, 2, size=64)
    trees = population(5, seed=2, space=SPACES[name])
    for scale in (1.0, 200.0):  # far from zero, an exponential must not overflow
        for tree in trees:
            tree["weight"] *= scale
        case = Case(trees, x, y, PLAIN._replace(loss=name, learning_rate=1e-300), weight)
        fitted = case.fit(engine, 1, fit_rows=range(40), validation_rows=range(40, 64))
        with np.errstate(over="ignore"):
            each = np.array([by_scipy(name, evaluate(tree, x), y.T) for tree in trees])
        share = case.data.weight
        np.testing.assert_allclose(fitted.loss, each[:, 40:] @ share[40:] / share[40:].sum(), rtol=1e-11)
        np.testing.assert_allclose(fitted.losses[0], each[:, :40] @ share[:40] / 40, rtol=1e-11)
