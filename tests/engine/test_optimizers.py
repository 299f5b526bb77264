"""Every optimiser of both lowerings against optax, and the schedules against optax's."""

from __future__ import annotations

from functools import cache

import jax
import numpy as np
import optax
import pytest

from neuraltree.engine.optimizers import OPTIMIZERS, SCHEDULES
from tests.helpers.forests import PLAIN, Case, population
from tests.helpers.learned_rate_oracle import RULES
from tests.helpers.plain_tree import gradient

DECAY = 0.05


def reference_adam() -> optax.GradientTransformation:
    """Decays of 0.9, and the bias correction of the first step in every step."""

    def update(g, state, params=None):
        m, v = (0.9 * old + 0.1 * new for old, new in zip(state, (g, g * g), strict=True))
        return -10 * m / np.sqrt(10 * v + 1e-10), (m, v)

    return optax.GradientTransformation(lambda params: (0 * params, 0 * params), update)


EXPECTED = {
    "sgd": lambda: optax.sgd(1.0),
    "momentum": lambda: optax.sgd(1.0, momentum=0.9),
    "nesterov": lambda: optax.sgd(1.0, momentum=0.9, nesterov=True),
    "adagrad": lambda: optax.adagrad(1.0),
    "rmsprop": lambda: optax.rmsprop(1.0),
    "adam": lambda: optax.adam(1.0, b1=0.9, b2=0.99),
    "adamw": lambda: optax.adamw(1.0, b1=0.9, b2=0.99, weight_decay=DECAY),
    "reference_adagrad": lambda: optax.adagrad(1.0, initial_accumulator_value=0.0, eps=1e-10),
    "reference_rmsprop": lambda: optax.rmsprop(1.0, decay=0.9, eps=1e-10, eps_in_sqrt=True),
    "reference_adam": reference_adam,
}


def case_of(name: str, schedule: str = "cosine") -> Case:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(14, 4)), rng.normal(size=(14, 1))
    decay = DECAY if name == "adamw" else 0.0
    settings = PLAIN._replace(optimizer=name, learning_rate=0.05, schedule=schedule, batch_size=4, weight_decay=decay)
    return Case(population(1, seed=6), x, y, settings, rng.uniform(0.5, 2, size=14))


@cache
def by_optax(name: str) -> np.ndarray:
    """(2, nodes) the weights and biases after an epoch of four batches, by gradients of a plain recursion."""
    case, method = case_of(name), EXPECTED[name]()
    course, tree = case.course(1), case.nodes
    params = np.stack([tree["weight"][:, 0], tree["bias"][:, 0]])
    state = method.init(params)
    for step, rate in enumerate(course.rates):
        rows = course.order[0][4 * step : 4 * step + 4]
        moved = tree.copy()
        moved["weight"][:, 0], moved["bias"][:, 0] = params
        slope = np.stack(gradient(moved, *(part[rows] for part in case.data[:3]))[:2])
        update, state = method.update(slope, state, params)
        params = params + rate * np.asarray(update)
    return params


def test_there_is_an_oracle_for_every_optimiser():
    assert EXPECTED.keys() == OPTIMIZERS.keys() - RULES.keys()  # test_learned_rates.py has those


@pytest.mark.parametrize("name", EXPECTED)
def test_the_rows_of_the_table_are_those_of_optax(name):
    rng = np.random.default_rng(2)
    with jax.enable_x64(True):
        mine, expected = OPTIMIZERS[name](DECAY), EXPECTED[name]()
        params = rng.normal(size=5)
        states = [method.init(params) for method in (mine, expected)]
        for _ in range(5):
            slope = rng.normal(size=5)
            found, states[0] = mine.update(slope, states[0], params)
            wanted, states[1] = expected.update(slope, states[1], params)
            np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_steps_are_those_of_optax(engine, name):
    case = case_of(name)
    (mine,) = case.trees(case.fit(engine, 1).last)
    with jax.enable_x64(True):
        expected = by_optax(name)
    np.testing.assert_allclose([mine["weight"][:, 0], mine["bias"][:, 0]], expected, rtol=1e-9, atol=1e-10)
    assert np.abs(mine["weight"] - case.nodes["weight"]).max() > 1e-3


SHARES = {
    "constant": optax.constant_schedule(1.0),
    "cosine": optax.cosine_decay_schedule(1.0, 20),
    "linear": optax.linear_schedule(1.0, 0.0, 20),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_schedules_are_those_of_optax(name):
    rates = case_of("sgd", name).course(5).rates
    with jax.enable_x64(True):
        expected = [0.05 * float(SHARES[name](step)) for step in range(20)]
    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=1e-15)


def test_a_training_of_no_epochs_has_no_rates():
    assert case_of("sgd").course(0).rates.shape == (0,)
