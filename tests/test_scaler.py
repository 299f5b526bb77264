"""Standardisation of columns."""

from __future__ import annotations

import numpy as np

from neuraltree.scaler import Scaler


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
