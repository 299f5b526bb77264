"""The proximal step of the group lasso, in both lowerings, against closed forms and plain steps of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.activations import code_of
from neuraltree.engine.kernel.binding import Missing, load
from neuraltree.engine.kernel.kernel_lowering import KernelLowering
from neuraltree.engine.xla.xla_lowering import XlaLowering
from neuraltree.tree.simplify import simplify
from tests.helpers.forests import MANY, PLAIN, Case, population, record
from tests.helpers.plain_tree import gradient

IDENTITY, TANH = ~code_of("identity"), ~code_of("tanh")


def nearer(group: np.ndarray, by: float) -> np.ndarray:
    """Yuan and Lin 2006: the group's norm is less by ``by``, or 0."""
    norm = np.sqrt((group**2).sum())
    return group * max(1 - by / norm, 0) if norm else group


def shrunk(tree: np.ndarray, weight: np.ndarray, by: float) -> np.ndarray:
    """Every node's incoming weights, found by looking for the children of each."""
    found, depth = weight.copy(), tree["depth"]
    for node in np.flatnonzero(tree["op"] < 0):
        end = next((i for i in range(node + 1, len(tree)) if depth[i] <= depth[node]), len(tree))
        children = [i for i in range(node + 1, end) if depth[i] == depth[node] + 1]
        found[children] = nearer(weight[children], by)
    return found


def test_an_orthonormal_linear_tree_ends_at_the_soft_threshold_of_its_group(engine):
    """The whole vector of least squares becomes shorter by lambda, or 0."""
    rng = np.random.default_rng(0)
    rows, features = 40, 5
    x, _ = np.linalg.qr(np.column_stack([np.ones(rows), rng.normal(size=(rows, features))]))
    x = x[:, 1:] * np.sqrt(rows)
    y = x @ np.array([1.0, -0.5, 0.2, -0.1, 0.05]) + 0.7 + 0.1 * rng.normal(size=rows)
    rates = [0.0, 0.08, 0.6, 5.0]
    tree = record([(0, IDENTITY, 0.0, 0.1), *((1, i, 0.3, 0.0) for i in range(features))])
    case = Case([tree] * len(rates), x, y[:, None], PLAIN._replace(learning_rate=0.5))
    least_squares = np.linalg.lstsq(x, y - y.mean(), rcond=None)[0]
    for found, rate in zip(case.trees(case.fit(engine, 200, group_l1=rates).last), rates, strict=True):
        np.testing.assert_allclose(found["weight"][1:, 0], nearer(least_squares, rate), atol=1e-12)
        np.testing.assert_allclose(found["bias"][0, 0], y.mean(), atol=1e-12)
    assert (found["weight"][1:, 0] == 0).all()


def test_a_step_without_a_slope_shrinks_each_group_and_a_node_without_one_leaves_the_tree(engine):
    rows = [(0, IDENTITY, 0.0, 0.01), (1, TANH, -0.5, 0.2), (2, 0, 0.03, 0.0), (2, 1, -0.04, 0.0), (1, 2, 1.2, 0.0)]
    tree = record(rows)
    case = Case([tree], np.random.default_rng(0).normal(size=(9, 4)), np.zeros((9, 1)))
    case.data.targets[:] = case.outputs(engine)[0].T  # so that all slopes are 0
    (found,) = case.trees(case.fit(engine, 1, group_l1=[0.65]).last)  # at the learning rate 0.1
    left = 1 - 0.065 / 1.3
    np.testing.assert_allclose(found["weight"][:, 0], [0, -0.5 * left, 0, 0, 1.2 * left], atol=1e-15)
    assert (found["weight"][2:4] == 0).all()
    np.testing.assert_array_equal(found["bias"], tree["bias"])
    small = simplify(found)
    assert small["op"].tolist() == [IDENTITY, 2]
    np.testing.assert_allclose(small["bias"][0, 0], 0.01 - 0.5 * left * np.tanh(0.2), rtol=1e-12)


@pytest.mark.parametrize("l1", [0.0, 0.3])
def test_it_follows_a_step_of_gradient_descent_in_trees_of_every_shape(engine, l1):
    rng = np.random.default_rng(4)
    trees, rates = population(6, seed=7, space=MANY), [0.0, 0.2, 0.5, 1.0, 2.0, 4.0]
    case = Case(trees, rng.normal(size=(20, 4)), rng.normal(size=(20, 3)), PLAIN)
    found = case.trees(case.fit(engine, 1, l1=[l1] * 6, group_l1=rates).last)
    for tree, moved, rate in zip(trees, found, rates, strict=True):
        slope = gradient(tree, *case.data[:3])
        weight, bias = tree["weight"][:, 0] - 0.1 * slope[0], tree["bias"][:, 0] - 0.1 * slope[1]
        weight = np.sign(weight) * np.maximum(np.abs(weight) - 0.1 * l1, 0)
        np.testing.assert_allclose(moved["weight"][:, 0], shrunk(tree, weight, 0.1 * rate), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(moved["bias"][:, 0], bias, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("method", ["sgd", "adamw"])
def test_both_lowerings_agree_over_batches_and_no_tree_touches_another(method):
    kernel = load()
    if isinstance(kernel, Missing):
        pytest.skip(kernel.reason)
    rng = np.random.default_rng(1)
    how = PLAIN._replace(optimizer=method, learning_rate=0.05, batch_size=5, weight_decay=0.1)
    case = Case(population(4, 3, MANY), rng.normal(size=(12, 4)), rng.normal(size=(12, 3)), how)
    found, plain = (case.fit(XlaLowering(), 3, group_l1=rates).last for rates in ([0.4, 1, 0, 2], [0, 1, 0, 2]))
    by_kernel = case.fit(KernelLowering(kernel), 3, group_l1=[0.4, 1, 0, 2]).last
    np.testing.assert_allclose(by_kernel, found, rtol=1e-7, atol=1e-10)
    end = case.forest.first_tree_param[1]
    np.testing.assert_array_equal(found[end:], plain[end:])
    assert not np.array_equal(found[:end], plain[:end])


def test_no_rates_are_rates_of_0_and_a_tree_that_diverges_is_still_known_by_it(engine):
    case = Case(population(3), *np.split(np.random.default_rng(1).normal(size=(20, 5)), [4], axis=1))
    np.testing.assert_allclose(case.fit(engine, 3).last, case.fit(engine, 3, group_l1=[0] * 3).last, rtol=1e-12)
    case.data.targets[:] = 1e200
    without, fitted = (case.fit(engine, 4, group_l1=rates).last for rates in (None, [1.0] * 3))
    np.testing.assert_array_equal(np.isnan(fitted), np.isnan(without))


def test_the_kernel_refuses_rates_for_another_number_of_trees(kernel):
    case = Case(population(3), *np.split(np.random.default_rng(1).normal(size=(20, 5)), [4], axis=1))
    with pytest.raises(ValueError, match=r"needs an array of float64 and shape \(3,\)"):
        case.fit(kernel, 1, group_l1=[1.0] * 4)
