"""Standardisation of columns."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.tree.scaler import Scaler


def test_columns_are_standardised_and_back() -> None:
    X = np.random.default_rng(0).normal(5, 3, size=(50, 3))
    scaler = Scaler.fit(X)
    scaled = scaler.transform(X)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1)
    np.testing.assert_allclose(scaler.inverse(scaled), X)
    np.testing.assert_allclose(Scaler.fit([[1.0], [3.0]]).transform([[4.0]]), [[2.0]])


def test_a_constant_column_has_scale_one() -> None:
    # The standard deviation of these equal numbers is not exactly zero.
    X = np.column_stack([np.full(7, 0.1), np.arange(7.0)])
    assert X[:, 0].std() > 0
    scaler = Scaler.fit(X)
    assert scaler.scale.tolist() == [1.0, 2.0]
    np.testing.assert_allclose(scaler.transform(X)[:, 0], 0, atol=1e-15)


@pytest.mark.parametrize("size", [1e-200, 1e-300, 1e200, 3e307])
@pytest.mark.parametrize("weighted", [False, True])
def test_no_size_is_too_small_or_too_large(size: float, weighted: bool) -> None:
    plain = np.random.default_rng(0).uniform(-1, 1, size=(50, 2))
    weight = np.random.default_rng(1).uniform(0, 2, size=50) if weighted else None
    usual, extreme = Scaler.fit(plain, weight), Scaler.fit(plain * size, weight)
    np.testing.assert_allclose(extreme.scale, usual.scale * size, rtol=1e-12)
    np.testing.assert_allclose(extreme.transform(plain * size), usual.transform(plain), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_usual_numbers_have_the_mean_and_deviation_of_numpy_to_the_last_bit(weighted: bool) -> None:
    X = np.random.default_rng(0).normal(7, 3, size=(200, 5)) * [1, 10, 1e-3, 1e6, 1]
    weight = np.random.default_rng(1).uniform(0, 2, size=200) if weighted else None
    mean = np.average(X, axis=0, weights=weight) if weighted else X.mean(axis=0)
    scale = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight)) if weighted else X.std(axis=0)
    found = Scaler.fit(X, weight)
    np.testing.assert_array_equal(found.mean, mean)
    np.testing.assert_array_equal(found.scale, scale)
