"""Which members of a front decide together, and with what weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Array = NDArray[np.float64]
LEAST_WEIGHT = 0.02  # a member that would count less is not worth its cost
RIDGE = 1e-6  # of the mean diagonal: members that predict alike would leave their weights open
HEAVY = 1e6  # times the mean diagonal: how much it weighs that the weights add up to 1


def combine(predictions: Array, truth: Array, most: int) -> tuple[list[int], Array]:
    """At most ``most`` members and their weights, which add up to 1, from what each predicted for rows unknown to it.

    ``predictions`` (members, values) and ``truth`` (values,): targets, or the probability of every class, of all rows
    one after another. Members are added one by one, each time the one that lowers the squared error of the weighted
    mean most, as long as that lowers it and nobody counts less than ``LEAST_WEIGHT``: one that errs where the others do
    not gains more than one like them. Weights are fitted anew each time, by least squares.
    """
    gram, towards = predictions @ predictions.T, predictions @ truth
    scale = np.trace(gram) / len(gram) or 1.0
    gram += scale * (RIDGE * np.eye(len(gram)) + HEAVY)
    towards += scale * HEAVY
    chosen: list[int] = []
    weights, best = np.zeros(0), np.inf
    while len(chosen) < min(most, len(predictions)):
        tried = [[*chosen, i] for i in range(len(predictions)) if i not in chosen]
        found = [_weights(gram, towards, members) for members in tried]
        means = (w @ predictions[m] for m, w in zip(tried, found, strict=True))
        errors = [float(np.sum((mean - truth) ** 2)) for mean in means]
        i = int(np.argmin(errors))
        if errors[i] >= best or found[i].min() < LEAST_WEIGHT:
            break
        chosen, weights, best = tried[i], found[i], errors[i]
    return chosen, weights


def _weights(gram: Array, towards: Array, members: list[int]) -> Array:
    """The shares (members,) of least squared error: non-negative least squares by its normal equations, one of which
    says that shares add up to 1."""
    half = np.linalg.cholesky(gram[np.ix_(members, members)])
    weights = nnls(half.T, np.linalg.solve(half, towards[members]))[0]
    return weights / weights.sum()
