"""Which members of a front decide together, and with what weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Array = NDArray[np.float64]
GAIN = 0.002  # a member that lowers the squared error by less is not worth its cost
RIDGE = 1e-9  # of the mean diagonal: members that predict alike would leave their weights open


def combine(predictions: Array, truth: Array, most: int) -> tuple[list[int], Array]:
    """At most ``most`` members and their weights, which add up to 1, from what each predicted for rows unknown to it.

    ``predictions`` (members, values) and ``truth`` (values,): targets, or the probability of every class, of all rows
    one after another. Members are added one by one, each time the one that lowers the squared error of the weighted
    mean most, as long as that is by ``GAIN``: one that errs where the others do not gains more than one like them.
    Weights come from non-negative least squares, fitted anew each time.
    """
    gram, towards = predictions @ predictions.T, predictions @ truth
    gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    chosen: list[int] = []
    weights, best = np.zeros(0), np.inf
    while len(chosen) < min(most, len(predictions)):
        tried = [[*chosen, i] for i in range(len(predictions)) if i not in chosen]
        found = [_weights(gram, towards, members) for members in tried]
        means = (w @ predictions[m] for m, w in zip(tried, found, strict=True))
        errors = [float(np.sum((mean - truth) ** 2)) for mean in means]
        i = int(np.argmin(errors))
        if errors[i] >= (1 - GAIN) * best or not found[i].all():
            break
        chosen, weights, best = tried[i], found[i], errors[i]
    return chosen, weights


def _weights(gram: Array, towards: Array, members: list[int]) -> Array:
    """Non-negative least squares by its normal equations, scaled to a sum of 1: (members,)."""
    half = np.linalg.cholesky(gram[np.ix_(members, members)])
    weights = nnls(half.T, np.linalg.solve(half, towards[members]))[0]
    return weights / weights.sum() if weights.sum() > 0 else np.full(len(members), 1 / len(members))
