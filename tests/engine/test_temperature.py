"""The loss at a temperature, in both lowerings and NumPy, against Hinton's formula and finite differences of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from neuraltree.tasks.softening import soft_constant_loss, soft_gradient, soft_loss, soft_targets, softened
from tests.helpers.forests import MANY, PLAIN, SPACE, Case, population
from tests.helpers.jumps import CONTINUOUS
from tests.helpers.plain_tree import evaluate

pytestmark = pytest.mark.usefixtures("quick_compiler")
ROWS, STEP = 23, 1e-6
SPACES = {name: replace(each, activations=CONTINUOUS) for name, each in {"softmax": MANY, "logistic": SPACE}.items()}


def cross_entropy(target: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(rows,) of targets and logits (rows, classes)."""
    most = z.max(axis=1, keepdims=True)
    return -(target * (z - most - np.log(np.exp(z - most).sum(axis=1, keepdims=True)))).sum(axis=1)


def by_formula(z: np.ndarray, y: np.ndarray, q: np.ndarray, a: np.ndarray, temperature: float) -> np.ndarray:
    """(rows,) Hinton, Vinyals and Dean 2015: (1 - a) CE(y, p) + a T^2 CE(q^T, p^T); all (rows, classes), a (rows,)."""
    powers = q ** (1 / temperature)
    soft = powers / powers.sum(axis=1, keepdims=True)
    return (1 - a) * cross_entropy(y, z) + a * temperature**2 * cross_entropy(soft, z / temperature)


def with_first(z: np.ndarray) -> np.ndarray:
    """Logits (rows, outputs) with the first of two classes, whose logit is 0, if there is one output."""
    return np.column_stack([np.zeros(len(z)), z]) if z.shape[1] == 1 else z


def lesson(name: str, temperature: float) -> tuple[np.ndarray, ...]:
    """Inputs, own targets and probabilities of all classes, shares a, and the engine's targets."""
    rng = np.random.default_rng(3)
    outputs = SPACES[name].n_outputs
    classes = max(2, outputs)
    y, q = np.eye(classes)[rng.integers(classes, size=ROWS)], rng.dirichlet(np.ones(classes), size=ROWS)
    a = rng.choice([0, 0.3, 1], size=ROWS)
    targets = soft_targets(y, q, a[:, None], temperature)[:, -outputs:]
    return rng.normal(size=(ROWS, 4)), y, q, a, targets


@pytest.mark.parametrize("temperature", [0.5, 3.0])
@pytest.mark.parametrize("name", SPACES)
def test_the_single_loss_is_hintons(name, temperature):
    _, y, q, a, targets = lesson(name, temperature)
    z = 3 * np.random.default_rng(0).normal(size=(5, targets.shape[1], ROWS))
    found = soft_loss(name, z, targets.T[None], a, temperature)
    expected = [by_formula(with_first(each.T), y, q, a, temperature) for each in z]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    for k in range(z.shape[1]):
        moved = np.zeros_like(z)
        moved[:, k] = STEP
        ends = [soft_loss(name, z + sign * moved, targets.T[None], a, temperature) for sign in (1, -1)]
        slope = soft_gradient(name, z, targets.T[None], a, temperature)[:, k]
        np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * STEP), atol=1e-7)


@pytest.mark.parametrize("temperature", [0.7, 4.0])
@pytest.mark.parametrize("name", SPACES)
def test_a_step_of_the_engine_goes_down_finite_differences_of_the_formula(engine, name, temperature):
    x, y, q, a, targets = lesson(name, temperature)
    trees = population(3, seed=5, space=SPACES[name])
    how = PLAIN._replace(loss=name, temperature=temperature)
    case = Case(trees, x, targets, how)
    case.data = case.data._replace(soft=a)
    fitted = case.fit(engine, 1)  # one batch at the rate 0.1
    for tree, moved, loss in zip(trees, case.trees(fitted.last), fitted.losses[0], strict=True):

        def mean(weight, bias, tree=tree):
            return by_formula(with_first(evaluate(tree, x, weight, bias).T), y, q, a, temperature).mean()

        at = [tree["weight"][:, 0], tree["bias"][:, 0]]
        np.testing.assert_allclose(loss, mean(*at), rtol=1e-10)
        for which, name_of in enumerate(("weight", "bias")):
            used = (tree["depth"] > 0) if which == 0 else (tree["op"] < 0)
            for i in np.flatnonzero(used):
                ends = []
                for sign in (1, -1):
                    there = [part.copy() for part in at]
                    there[which][i] += sign * STEP
                    ends.append(mean(*there))
                slope = (at[which][i] - moved[name_of][i, 0]) / 0.1
                np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * STEP), atol=1e-6)


@pytest.mark.parametrize("name", SPACES)
def test_far_logits_do_not_overflow_and_validation_rows_may_have_no_share(engine, name):
    x, y, q, a, targets = lesson(name, 2.0)
    trees = population(3, seed=5, space=SPACES[name])
    for tree in trees:
        tree["weight"] *= 300
    case = Case(trees, x, np.where(a[:, None] > 0, targets, y[:, -targets.shape[1] :]), PLAIN._replace(loss=name))
    case.settings = case.settings._replace(temperature=2.0, learning_rate=1e-300)
    case.data = case.data._replace(soft=a)
    fitted = case.fit(engine, 1, fit_rows=np.flatnonzero(a), validation_rows=np.flatnonzero(a == 0))
    z = [with_first(evaluate(tree, x).T) for tree in trees]
    held = [cross_entropy(y[a == 0], each[a == 0]).mean() for each in z]
    np.testing.assert_allclose(fitted.loss, held, rtol=1e-10)
    trained = [by_formula(each, y, q, a, 2.0)[a > 0].mean() for each in z]
    np.testing.assert_allclose(fitted.losses[0], trained, rtol=1e-10)


@pytest.mark.parametrize("name", SPACES)
def test_the_temperature_1_is_the_ordinary_loss_of_the_mean_targets(engine, name):
    x, y, q, a, targets = lesson(name, 1.0)
    outputs = targets.shape[1]
    np.testing.assert_allclose(targets, ((1 - a[:, None]) * y + a[:, None] * q)[:, -outputs:], rtol=1e-15)
    case = Case(population(3, seed=5, space=SPACES[name]), x, targets, PLAIN._replace(loss=name))
    plain = case.fit(engine, 2)
    case.data = case.data._replace(soft=a)
    again = case.fit(engine, 2)
    np.testing.assert_allclose(again.last, plain.last, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(again.losses, plain.losses, rtol=1e-10)


@pytest.mark.parametrize("name", SPACES)
def test_the_loss_of_a_constant_is_that_of_its_outputs_and_no_less_than_the_best(name):
    """With shares that are all alike it is the best of all constants."""
    _, y, q, _, _ = lesson(name, 3.0)
    weight = np.random.default_rng(1).uniform(0.5, 2, ROWS)

    def mean(z: np.ndarray, a: np.ndarray) -> float:
        outputs = np.broadcast_to(z, (ROWS, len(z)))
        return float(np.average(by_formula(with_first(outputs), y, q, a, 3.0), weights=weight))

    count = SPACES[name].n_outputs
    for share, slack in ((0.0, 1e-9), (0.5, 0.1)):
        a = np.full(ROWS, share)
        targets = soft_targets(y, q, share, 3.0)[:, -count:]
        best = minimize(mean, np.zeros(count), (a,), tol=1e-12).fun
        found = soft_constant_loss(name, targets, weight, a, 3.0)
        assert best - 1e-9 <= found <= best + slack


def test_softer_probabilities_keep_their_order_and_bear_zeros():
    q = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    found = softened(q, 2.0)
    roots = np.sqrt(q[0])
    np.testing.assert_allclose(found[0], roots / roots.sum(), rtol=1e-14)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-14)
    assert found[1, 0] > 0.999


def test_the_kernel_refuses_a_temperature_for_values(kernel):
    x, _, _, a, targets = lesson("softmax", 2.0)
    case = Case(population(2, space=MANY), x, targets, PLAIN._replace(temperature=2.0))
    case.data = case.data._replace(soft=a)
    with pytest.raises(ValueError, match="has no temperature"):
        case.fit(kernel, 1)
