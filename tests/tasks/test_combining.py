"""Which members decide together: weights against a general optimiser, the choice against trying all pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from neuraltree.estimators.combining import combine
from tests.helpers.strategies import steady


def made(seed: int, members: int = 6, values: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=values) + 2
    noise = rng.uniform(0.2, 1.5, size=(members, 1)) * rng.normal(size=(members, values))
    return truth + noise, truth


def error(predictions: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    return float(np.sum((weights @ predictions - truth) ** 2))


@steady
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_weights_are_shares_and_members_differ(seed: int, most: int) -> None:
    predictions, truth = made(seed)
    chosen, weights = combine(predictions, truth, most)
    assert 1 <= len(chosen) <= most
    assert len(set(chosen)) == len(chosen)
    assert (weights > 0).all()
    np.testing.assert_allclose(weights.sum(), 1)
    best = min(error(predictions[[i]], truth, np.ones(1)) for i in range(len(predictions)))
    assert error(predictions[chosen], truth, weights) <= best * (1 + 1e-9)


@steady
@given(st.integers(0, 10_000))
def test_weights_are_the_shares_of_least_squared_error(seed: int) -> None:
    """As sequential quadratic programming finds them under the condition that they add up to 1."""
    predictions, truth = made(seed)
    chosen, weights = combine(predictions, truth, 3)
    found = minimize(
        lambda w: error(predictions[chosen], truth, w),
        np.full(len(chosen), 1 / len(chosen)),
        bounds=[(0, 1)] * len(chosen),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-12},
    ).x
    assert error(predictions[chosen], truth, weights) <= error(predictions[chosen], truth, found) * (1 + 1e-6)
    np.testing.assert_allclose(weights, found, atol=1e-3)


def test_two_that_err_apart_beat_the_two_best() -> None:
    rng = np.random.default_rng(0)
    truth, common = rng.normal(size=400), rng.normal(size=400)
    good, like_it, other = truth + 0.5 * common, truth + 0.51 * common, truth - 0.6 * common
    chosen, weights = combine(np.array([good, like_it, other]), truth, 2)
    assert sorted(chosen) == [0, 2]
    np.testing.assert_allclose(sorted(weights), [0.5 / 1.1, 0.6 / 1.1], atol=0.01)


def test_the_first_pair_is_the_best_that_holds_the_best_member() -> None:
    pairs_met = 0
    for seed in range(10):
        predictions, truth = made(seed, members=4)
        chosen, weights = combine(predictions, truth, 2)
        for pair in combinations(range(4), 2):
            if chosen[0] in pair:
                picked, shares = combine(predictions[list(pair)], truth, 2)
                pairs_met += len(picked) == 2
                least = error(predictions[[pair[i] for i in picked]], truth, shares)
                assert error(predictions[chosen], truth, weights) <= least * (1 + 1e-9)
    assert pairs_met > 5


def test_copies_of_one_member_are_one_member() -> None:
    predictions, truth = made(3, members=1)
    chosen, weights = combine(np.repeat(predictions, 5, axis=0), truth, 5)
    assert len(chosen) == 1
    assert weights.tolist() == [1.0]


@pytest.mark.parametrize(("share", "members"), [(0.015, 1), (0.03, 2)])
def test_a_member_must_be_worth_its_cost(share: float, members: int) -> None:
    """Errors are orthogonal and of squares 1 and s: in the best mean the second member has the share 1 / (1 + s)."""
    rng = np.random.default_rng(0)
    truth, error, other = np.linalg.qr(rng.normal(size=(400, 3)))[0].T
    predictions = np.stack([1e2 * truth + error, 1e2 * truth + np.sqrt(1 / share - 1) * other])
    chosen, weights = combine(predictions, 1e2 * truth, 2)
    assert chosen == [0, 1][:members]
    np.testing.assert_allclose(weights[0], 1 - share if members == 2 else 1, rtol=1e-3)
