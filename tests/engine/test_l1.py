"""The proximal step of the L1 norm, in both lowerings, against closed forms and against optax on a plain recursion."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.activations import code_of
from neuraltree.engine.kernel.binding import Missing, load
from neuraltree.engine.kernel.kernel_lowering import KernelLowering
from neuraltree.engine.xla.xla_lowering import XlaLowering
from tests.engine.test_optimizers import EXPECTED, case_of
from tests.helpers.forests import MANY, PLAIN, Case, population, record
from tests.helpers.plain_tree import gradient

pytestmark = pytest.mark.usefixtures("quick_compiler")
IDENTITY, TANH = ~code_of("identity"), ~code_of("tanh")


def soft(w: np.ndarray, by: float | np.ndarray) -> np.ndarray:
    return np.sign(w) * np.maximum(np.abs(w) - by, 0)


def test_an_orthonormal_linear_tree_ends_at_the_soft_threshold_of_least_squares(engine):
    """Tibshirani 1996, equation 3: each weight is that of least squares, nearer to 0 by lambda."""
    rng = np.random.default_rng(0)
    rows, features = 40, 6
    x, _ = np.linalg.qr(np.column_stack([np.ones(rows), rng.normal(size=(rows, features))]))
    x = x[:, 1:] * np.sqrt(rows)  # columns with mean 0, of X'X / rows = 1
    y = x @ np.array([1.0, -0.5, 0.2, -0.1, 0.05, 0.0]) + 0.7 + 0.1 * rng.normal(size=rows)
    rates = [0.0, 0.08, 0.3, 5.0]
    tree = record([(0, IDENTITY, 0.0, 0.1), *((1, i, 0.3, 0.0) for i in range(features))])
    case = Case([tree] * len(rates), x, y[:, None], PLAIN._replace(learning_rate=0.5))
    least_squares = np.linalg.lstsq(x, y - y.mean(), rcond=None)[0]
    for found, rate in zip(case.trees(case.fit(engine, 200, l1=rates).last), rates, strict=True):
        expected = soft(least_squares, rate)
        np.testing.assert_allclose(found["weight"][1:, 0], expected, atol=1e-12)
        assert (found["weight"][1:, 0] == 0).tolist() == (expected == 0).tolist()
        np.testing.assert_allclose(found["bias"][0, 0], y.mean(), atol=1e-12)


def test_a_step_without_a_slope_is_the_soft_threshold_of_edges_and_leaves_biases(engine):
    rows = [(0, IDENTITY, 0.0, 0.01), (1, TANH, -0.5, 0.02), (2, 0, 0.25, 0.0), (2, 1, -0.03, 0.0), (1, 2, 0.03, 0.0)]
    tree = record(rows)
    case = Case([tree, tree], np.random.default_rng(0).normal(size=(9, 4)), np.zeros((9, 1)))
    case.data.targets[:] = case.outputs(engine)[0].T  # so that all slopes are 0
    first, second = case.trees(case.fit(engine, 1, l1=[0.5, 4.0]).last)  # at the learning rate 0.1
    np.testing.assert_allclose(first["weight"][:, 0], [0, -0.45, 0.2, 0, 0], atol=1e-15)
    np.testing.assert_allclose(second["weight"][:, 0], [0, -0.1, 0, 0, 0], atol=1e-15)
    for found in (first, second):
        np.testing.assert_array_equal(found["bias"], tree["bias"])
        assert found["weight"][3, 0] == 0


@pytest.mark.parametrize("name", EXPECTED)
def test_it_follows_the_step_of_every_optimiser_at_the_plain_learning_rate(engine, name):
    """Over an epoch of four batches, by optax and the gradients of a plain recursion."""
    rate, case, method = 0.4, case_of(name), EXPECTED[name]()
    course, tree = case.course(1), case.nodes
    params = np.stack([tree["weight"][:, 0], tree["bias"][:, 0]])
    with jax.enable_x64(True):
        state = method.init(params)
        for step, eta in enumerate(course.rates):
            rows = course.order[0][4 * step : 4 * step + 4]
            moved = tree.copy()
            moved["weight"][:, 0], moved["bias"][:, 0] = params
            slope = np.stack(gradient(moved, *(part[rows] for part in case.data[:3]))[:2])
            update, state = method.update(slope, state, params)
            params = params + eta * np.asarray(update)
            params[0] = soft(params[0], eta * rate)
    (mine,) = case.trees(case.fit(engine, 1, l1=[rate]).last)
    np.testing.assert_allclose([mine["weight"][:, 0], mine["bias"][:, 0]], params, rtol=1e-9, atol=1e-10)


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rates=st.lists(st.floats(0, 2), min_size=4, max_size=4),
    method=st.sampled_from(["sgd", "adamw"]),
)
def test_both_lowerings_agree_and_no_tree_touches_another(seed, rates, method):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
    how = PLAIN._replace(optimizer=method, learning_rate=0.05, batch_size=5, weight_decay=0.1)
    case, kernel = Case(population(4, seed % 50, MANY), x, y, how), load()
    found = case.fit(XlaLowering(), 3, limit=[3, 2, 1, 0], l1=rates).last
    apart = case.forest.first_tree_param[1:-1]
    np.testing.assert_array_equal(np.split(found, apart)[3], np.split(case.params, apart)[3])  # it trains no epoch
    plain = case.fit(XlaLowering(), 3, limit=[3, 2, 1, 0], l1=[0, *rates[1:]]).last
    for other, mine in list(zip(np.split(plain, apart), np.split(found, apart), strict=True))[1:]:
        np.testing.assert_array_equal(mine, other)
    if not isinstance(kernel, Missing):
        by_kernel = case.fit(KernelLowering(kernel), 3, limit=[3, 2, 1, 0], l1=rates).last
        np.testing.assert_allclose(by_kernel, found, rtol=1e-7, atol=1e-10)
        assert ((by_kernel == 0) == (found == 0)).mean() > 0.99


def test_no_rates_are_rates_of_0(engine):
    case = Case(population(4), *np.split(np.random.default_rng(1).normal(size=(20, 5)), [4], axis=1))
    np.testing.assert_array_equal(case.fit(engine, 3).last, case.fit(engine, 3, l1=[0] * 4).last)


def test_a_tree_that_diverges_is_still_known_by_it(engine):
    case = Case(population(3), *np.split(np.random.default_rng(1).normal(size=(20, 5)), [4], axis=1))
    case.data.targets[:] = 1e200
    without, fitted = (case.fit(engine, 4, l1=rates).last for rates in (None, [1.0] * 3))
    assert np.isnan(without).sum() > case.count
    np.testing.assert_array_equal(np.isnan(fitted), np.isnan(without))


def test_the_kernel_refuses_rates_for_another_number_of_trees(kernel):
    case = Case(population(3), *np.split(np.random.default_rng(1).normal(size=(20, 5)), [4], axis=1))
    with pytest.raises(ValueError, match=r"needs an array of float64 and shape \(3,\)"):
        case.fit(kernel, 1, l1=[1.0] * 4)
