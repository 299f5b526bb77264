"""The choice of the members of a front that predict together, and their weights."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from neuraltree.arrays import FloatArray

LEAST_WEIGHT = 0.02  # a member with a smaller weight is not worth its cost
RIDGE = 1e-6  # share of the mean diagonal; without it, members that predict alike have no unique weights
HEAVY = 1e6  # times the mean diagonal: the penalty that makes the weights add up to 1


def combine(predictions: FloatArray, truth: FloatArray, most: int) -> tuple[list[int], FloatArray]:
    """At most ``most`` members and their weights, which add up to 1, chosen by predictions on held-out rows.

    ``predictions`` (members, values) and ``truth`` (values,) hold the targets, or the probabilities of all classes, of
    all rows one after another. Members are added one by one: each time the member that lowers the squared error of the
    weighted mean most. A member whose errors differ from those of the others therefore gains more than a similar one.
    After each addition all weights are fitted anew by least squares. The choice ends when the error does not fall, or
    a weight would be below ``LEAST_WEIGHT``.
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


def _weights(gram: FloatArray, towards: FloatArray, members: list[int]) -> FloatArray:
    """The weights (members,) with the least squared error: non-negative least squares, solved by normal equations
    that include the condition that the weights add up to 1."""
    half = np.linalg.cholesky(gram[np.ix_(members, members)])
    weights = nnls(half.T, np.linalg.solve(half, towards[members]))[0]
    return weights / weights.sum()
