"""Rejections that are learned from windows, their threshold from windows that they were not learned from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import frexp
from types import MappingProxyType

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.rejection import STEPS, Distance, Envelope, Rejection
from neuraltree.signals.sample_integers import LARGEST
from neuraltree.tree.nodes import IntArray

MOST_BYTES = 100  # of constants; of more features those are looked at that vary least within a class, for all
FOLDS = 5
MOST_EACH = 22  # bytes of a feature: with them there is room for four
TAIL = 0.005  # of the windows at each end of a feature: a few outliers do not stretch the envelope


def fitted(kind: str, X: IntArray, labels: IntArray, groups: IntArray, rate: float = 0.01) -> Rejection:
    """A rejection of ``kind`` that takes a share ``rate`` of known windows for unknown.

    ``X`` (windows, features) int16; ``labels`` (windows,): class codes; ``groups`` (windows,): recordings or subjects.
    The threshold is a quantile of ``held_out_scores``. ``ValueError`` for an unknown kind or rate, or no windows.
    """
    if kind not in LEARNED:
        raise ValueError(f"there is no rejection {kind!r}; choose {' or '.join(LEARNED)}")
    if not 0 < rate < 1:
        raise ValueError(f"the rate of rejected windows is {rate}; give a share above 0 and below 1")
    if len(X) < 2:
        raise ValueError(f"a rejection needs 2 windows or more to learn from; there are {len(X)}")
    scores = held_out_scores(LEARNED[kind], X, labels, groups)
    return LEARNED[kind](X, labels).limited(int(np.quantile(scores, 1 - rate, method="higher")))


def held_out_scores(
    learned: Callable[[IntArray, IntArray], Rejection], X: IntArray, labels: IntArray, groups: IntArray
) -> IntArray:
    """(windows,) the score of each by a rejection that was not learned from its group; of a single group, from its
    stretch."""
    folds, found = _folds(groups), np.zeros(len(X), dtype=np.int64)
    for k in np.unique(folds).tolist():
        found[folds == k] = learned(X[folds != k], labels[folds != k]).score(X[folds == k])
    return found


def _folds(groups: IntArray) -> IntArray:
    """(windows,) the fold of each: no group lies in two of them, unless there is only one."""
    names, codes = np.unique(groups, return_inverse=True)
    if len(names) == 1:
        return np.arange(len(groups)) * min(FOLDS, len(groups)) // len(groups)
    found: IntArray = codes % FOLDS
    return found


def _envelope(X: IntArray, labels: IntArray) -> Envelope:
    places = _places(X, labels, 4)
    low, high = np.quantile(X[:, list(places)], [TAIL, 1 - TAIL], axis=0)
    return Envelope(places, *(tuple(np.rint(end).astype(int).tolist()) for end in (low, high)))


def _distance(X: IntArray, labels: IntArray) -> Distance:
    """A centre for each class, which tells more than further features do; one for all if there is no room for a few."""
    each = 2 * len(np.unique(labels)) + 3
    if each > MOST_EACH:
        return distance_of(X, np.zeros_like(labels), _places(X, labels, 5))
    return distance_of(X, labels, _places(X, labels, each))


def distance_of(X: IntArray, labels: IntArray, places: Sequence[int]) -> Distance:
    """A distance with a centre for each class and the deviations within classes, without a threshold."""
    seen = X[:, list(places)].astype(np.float64)
    centres = np.rint([seen[labels == code].mean(axis=0) for code in np.unique(labels)])
    multipliers, shifts = zip(*(_scaling(sd) for sd in _within(seen, labels).tolist()), strict=True)
    held = tuple(tuple(row) for row in np.clip(centres, -LARGEST, LARGEST).astype(int).tolist())
    return Distance(tuple(places), held, multipliers, shifts)


def _within(X: FloatArray, labels: IntArray) -> FloatArray:
    """(features,) the standard deviation within a class; one that never changed counts as if it did by 1."""
    squares = sum(((X[labels == code] - X[labels == code].mean(axis=0)) ** 2).sum(axis=0) for code in np.unique(labels))
    return np.maximum(np.sqrt(np.asarray(squares) / len(X)), 1.0)


def _scaling(sd: float) -> tuple[int, int]:
    """The multiplier of 15 bits and the shift that make ``STEPS`` of a standard deviation of 1 to 65,534."""
    share, exponent = frexp(STEPS / sd)
    multiplier = min(round(share * 2**15), LARGEST)
    return multiplier, 15 - exponent


def _places(X: IntArray, labels: IntArray, bytes_each: int) -> tuple[int, ...]:
    """Of the features to look at, in order; each takes ``bytes_each``, and 2 more if it is not every one."""
    count = X.shape[1]
    if count * bytes_each + 4 <= MOST_BYTES:
        return tuple(range(count))
    values = X.astype(np.float64)
    shares = _within(values, labels) / np.maximum(values.std(axis=0), 1.0)
    best = np.argsort(shares, kind="stable")[: (MOST_BYTES - 4) // (bytes_each + 2)]
    return tuple(np.sort(best).tolist())


LEARNED: Mapping[str, Callable[[IntArray, IntArray], Rejection]] = MappingProxyType(
    {"envelope": _envelope, "mahalanobis": _distance}
)
