"""Which members decide together: weights against a general optimiser, the choice against trying all pairs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from neuraltree.combining import combine
from tests.strategies import steady


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
def test_weights_are_those_of_non_negative_least_squares(seed: int) -> None:
    predictions, truth = made(seed)
    chosen, weights = combine(predictions, truth, 3)
    picked = predictions[chosen]
    found = minimize(
        lambda w: np.sum((w @ picked - truth) ** 2),
        np.full(len(chosen), 1 / len(chosen)),
        jac=lambda w: 2 * picked @ (w @ picked - truth),
        bounds=[(0, None)] * len(chosen),
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10},
    ).x
    np.testing.assert_allclose(weights, found / found.sum(), atol=1e-4)


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
