"""Trees as scikit-learn estimators, fitted by construction from a finished ``Tree``."""

from __future__ import annotations

import os
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import validate_data

from neuraltree.files import load
from neuraltree.model import Tree


class _TreeEstimator(BaseEstimator):
    """What both estimators share; ``tree_`` is the fitted tree."""

    _kinds: ClassVar[tuple[str, ...]]

    @classmethod
    def from_tree(cls, tree: Tree) -> Self:
        """A fitted estimator that predicts with ``tree``."""
        if tree.kind not in cls._kinds:
            raise ValueError(f"{cls.__name__} needs a {' or '.join(cls._kinds)} tree, got a {tree.kind} tree")
        estimator = cls()
        estimator.tree_ = tree
        estimator.n_features_in_ = len(tree.features)
        # x0, x1, ... are the names of inputs that have none; real ones let sklearn compare columns by name.
        if tree.features != tuple(f"x{i}" for i in range(len(tree.features))):
            estimator.feature_names_in_ = np.array(tree.features, dtype=object)
        if tree.classes is not None:
            estimator.classes_ = np.array(tree.classes)
        return estimator

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """A fitted estimator from a file that ``neuraltree.save`` wrote, or a model of the reference."""
        return cls.from_tree(load(path))

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) target values or class labels for raw inputs (rows, features)."""
        return self._fitted().predict(self._inputs(X))

    def _fitted(self) -> Tree:
        # check_is_fitted refuses an estimator that has no fit.
        if not hasattr(self, "tree_"):
            name = type(self).__name__
            raise NotFittedError(f"this {name} holds no tree; make one with {name}.from_tree or {name}.from_file")
        return self.tree_

    def _inputs(self, X: ArrayLike) -> NDArray[np.float64]:
        return validate_data(self, X, reset=False, dtype=np.float64)


class NeuralTreeRegressor(RegressorMixin, _TreeEstimator):
    """A regression tree as an estimator; ``score`` is R²."""

    _kinds = ("regression",)


class NeuralTreeClassifier(ClassifierMixin, _TreeEstimator):
    """A classification tree as an estimator; ``score`` is the accuracy."""

    _kinds = ("binary", "multiclass")

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """(rows, classes) probabilities in the order of ``classes_``."""
        return self._fitted().predict_proba(self._inputs(X))
