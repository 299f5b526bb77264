"""Fuzzy trees as scikit-learn estimators."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from neuraltree.arrays import FloatArray
from neuraltree.estimators.base import seed_of
from neuraltree.estimators.covering import covering_tree
from neuraltree.fuzzy.fuzzy_forest import FuzzyModel, forest_of, loaded, stored, widened
from neuraltree.fuzzy.fuzzy_training import FuzzyProblem, FuzzyTraining, losses, trained
from neuraltree.fuzzy.fuzzy_tree import MOST_INPUTS, FuzzyTree, Range, check_structure
from neuraltree.fuzzy.memberships import MEMBERSHIPS
from neuraltree.fuzzy.rule_params import TYPES
from neuraltree.option_values import check_above_zero, check_whole, is_whole
from neuraltree.tree.nodes import Nodes, arities
from neuraltree.tree.space import Space


class _FuzzyTreeEstimator(BaseEstimator):
    """A hierarchical tree of fuzzy nodes with two sets per input and linear rules, trained on the squared error.

    Without ``search``, ``fit`` trains the parameters of ``structure``. With it, ``fit`` evolves the structure.

    Parameters
    ----------
    search : search.fuzzy.FuzzyEvolution or None, default=None
        The search that evolves the structure.
    structure : ndarray or None, default=None
        The nodes of a tree (``Tree.nodes``) whose depths and inputs are the structure. If None, a random tree that
        reads every input.
    membership : "gaussian" or "bell", default="gaussian"
        The shape of the sets: exp(-((x - a) / b)^2 / 2) or 1 / (1 + ((x - a) / b)^2).
    fuzzy_type : 1 or 2, default=1
        2: the centres of sets and the coefficients of rules are intervals, reduced by the Karnik-Mendel iteration.
    max_nodes : int, default=30
        The largest number of nodes of an evolved tree, leaves included.
    max_depth : int, default=4
        The largest number of edges from an output to a leaf.
    max_arity : int, default=3
        The largest number of inputs of a node, at most 6; a node of n inputs has 2^n rules.
    steps : int, default=600
        The number of training steps.
    batch_size : int, default=64
        The rows of a training step.
    learning_rate : float, default=0.02
        The first learning rate of Adam; it falls to 0 along a cosine.
    random_state : int, numpy.random.RandomState or None, default=None
        The source of all random numbers.

    Attributes
    ----------
    tree_ : neuraltree.fuzzy.FuzzyTree
        The fitted tree; ``tree_.num_params`` is the number of its parameters.
    loss_ : float
        The mean squared error on the training rows, targets scaled to [0, 1].
    n_iter_ : int
        The number of training steps.
    """

    def __init__(
        self,
        search: Any = None,
        *,
        structure: Nodes | None = None,
        membership: str = "gaussian",
        fuzzy_type: int = 1,
        max_nodes: int = 30,
        max_depth: int = 4,
        max_arity: int = 3,
        steps: int = 600,
        batch_size: int = 64,
        learning_rate: float = 0.02,
        random_state: Any = None,
    ) -> None:
        self.search = search
        self.structure = structure
        self.membership = membership
        self.fuzzy_type = fuzzy_type
        self.max_nodes = max_nodes
        self.max_depth = max_depth
        self.max_arity = max_arity
        self.steps = steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _learn(self, X: FloatArray, targets: FloatArray) -> Self:
        """Learn from ``targets`` (rows, outputs)."""
        self._check()
        inputs, ranges = Range.fit(X), Range.fit(targets)
        training = FuzzyTraining(self.steps, self.batch_size, self.learning_rate)
        model = FuzzyModel(self.membership, self.fuzzy_type)
        rng = np.random.default_rng(seed_of(self.random_state))
        problem = FuzzyProblem(
            inputs.scaled(X), ranges.scaled(targets), model, self._space(X.shape[1], targets.shape[1]), training
        )
        nodes = self._structure(problem, rng)
        forest = forest_of([nodes], X.shape[1], model)
        params = trained(forest, loaded(forest, [nodes], rng), problem.X, problem.target, training, rng)
        self.tree_ = FuzzyTree(stored(forest, [nodes], params)[0], model, inputs, ranges)
        self.loss_ = float(losses(forest, params, problem.X, problem.target)[0])
        self.n_iter_ = training.steps
        return self

    def _structure(self, problem: FuzzyProblem, rng: np.random.Generator) -> Nodes:
        """The nodes to train, in records that have room for the parameters."""
        if self.search is not None:
            return self.search.evolve_fuzzy(problem, seed=int(rng.integers(2**31)))
        if self.structure is None:
            features, space = len(problem.X), problem.space
            # Every input may need a node of its own.
            wide = Space(
                features,
                space.n_outputs,
                space.activations,
                max_nodes=3 * (features + space.n_outputs) + self.max_nodes,
                max_depth=features + 2,
                max_arity=self.max_arity,
                min_arity=2,
            )
            return widened(covering_tree(rng, wide, size=2 * space.n_outputs), problem.model, self.max_arity)
        check_structure(self.structure, len(problem.X), problem.space.n_outputs)
        return widened(self.structure, problem.model, int(arities(self.structure["depth"]).max()))

    def _space(self, features: int, outputs: int) -> Space:
        return Space(
            features,
            outputs,
            ("identity",),
            max_nodes=max(self.max_nodes, 3 * outputs),
            max_depth=self.max_depth,
            max_arity=self.max_arity,
            min_arity=2,
        )

    def _check(self) -> None:
        if self.membership not in MEMBERSHIPS:
            raise ValueError(f"membership={self.membership!r}; it must be one of {', '.join(MEMBERSHIPS)}")
        if self.fuzzy_type not in TYPES:
            raise ValueError(f"fuzzy_type={self.fuzzy_type!r}; it must be 1 or 2")
        if not is_whole(self.max_arity, 2) or self.max_arity > MOST_INPUTS:
            raise ValueError(f"max_arity={self.max_arity!r}; it must be a whole number from 2 to {MOST_INPUTS}")
        for name, least in (("max_depth", 1), ("max_nodes", 3), ("steps", 1), ("batch_size", 1)):
            check_whole(name, getattr(self, name), least)
        check_above_zero("learning_rate", self.learning_rate)
        if self.search is not None and not hasattr(self.search, "evolve_fuzzy"):
            raise ValueError(f"search={self.search!r} must be a search.fuzzy.FuzzyEvolution(...), or None")

    def _outputs(self, X: ArrayLike) -> FloatArray:
        check_is_fitted(self, "tree_")
        return self.tree_.predict(validate_data(self, X, reset=False, dtype=np.float64))


class FuzzyTreeRegressor(RegressorMixin, _FuzzyTreeEstimator):
    __doc__ = f"""A fuzzy tree that predicts one number; ``score`` is R².

    {_FuzzyTreeEstimator.__doc__}"""

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from ``X`` (rows, features) and ``y`` (rows,)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        return self._learn(np.asarray(X), np.asarray(y, np.float64)[:, None])

    def predict(self, X: ArrayLike) -> FloatArray:
        """(rows,) values for raw inputs (rows, features)."""
        return self._outputs(X)[:, 0]


class FuzzyTreeClassifier(ClassifierMixin, _FuzzyTreeEstimator):
    __doc__ = f"""A fuzzy tree that predicts a class: two classes have one output, more have one each.

    {_FuzzyTreeEstimator.__doc__}
    classes_ : ndarray of shape (classes,)
        The classes, sorted."""

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn from ``X`` (rows, features) and the classes ``y`` (rows,), two or more."""
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y holds one class only; a classifier needs two or more")
        hot = np.eye(len(self.classes_))[codes]
        return self._learn(np.asarray(X), hot[:, 1:] if len(self.classes_) == 2 else hot)

    def decision_function(self, X: ArrayLike) -> FloatArray:
        """(rows,) for two classes, above 0 for the second, else (rows, classes): outputs less a half."""
        found = self._outputs(X) - 0.5
        return found[:, 0] if len(self.classes_) == 2 else found

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) classes for raw inputs (rows, features)."""
        found = self.decision_function(X)
        return self.classes_[(found > 0).astype(int) if found.ndim == 1 else found.argmax(axis=1)]
