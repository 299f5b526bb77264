"""Detectors of scikit-learn beside those of the package, on the same windows; numbers of a score are its size."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray


class Detector(NamedTuple):
    """``scores`` (windows,) for windows (windows, features): the larger the more unlike. ``size_bytes`` of its numbers,
    4 B each."""

    scores: Callable[[FloatArray], FloatArray]
    size_bytes: int


def _forest(X: FloatArray, seed: int) -> Detector:
    from sklearn.ensemble import IsolationForest

    found = IsolationForest(n_estimators=100, random_state=seed).fit(X)
    nodes = sum(tree.tree_.node_count for tree in found.estimators_)
    return Detector(lambda Z: -found.score_samples(Z), 8 * nodes)  # a threshold, a feature and a child each


def _machine(X: FloatArray, seed: int) -> Detector:
    from sklearn.svm import OneClassSVM

    mean, scale = X.mean(axis=0), np.maximum(X.std(axis=0), 1.0)
    found = OneClassSVM(nu=0.01).fit((X - mean) / scale)
    return Detector(lambda Z: -found.score_samples((Z - mean) / scale), 4 * found.support_vectors_.size)


def _robust(X: FloatArray, seed: int) -> Detector:
    """Mahalanobis' distance by the minimum covariance determinant."""
    from sklearn.covariance import MinCovDet

    mean, scale = X.mean(axis=0), np.maximum(X.std(axis=0), 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of features that nearly follow from others
        found = MinCovDet(random_state=seed).fit((X - mean) / scale)
    count = X.shape[1]
    return Detector(lambda Z: found.mahalanobis((Z - mean) / scale), 4 * (count + count * (count + 1) // 2))


PEERS: Mapping[str, Callable[[FloatArray, int], Detector]] = MappingProxyType(
    {"isolation forest": _forest, "one-class SVM": _machine, "robust Mahalanobis": _robust}
)
