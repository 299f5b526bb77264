"""Ensembles: several trees predict together, after the heterogeneous ensembles of Ojha, Abraham & Snášel."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, check_random_state

from neuraltree.arrays import FloatArray
from neuraltree.estimators.base import check_search, seed_of
from neuraltree.estimators.classifier import NeuralTreeClassifier
from neuraltree.estimators.combining import combine
from neuraltree.estimators.importance import importances
from neuraltree.estimators.regressor import NeuralTreeRegressor
from neuraltree.estimators.samples import Sample, class_sample, grouped, regression_sample, rows_to_predict
from neuraltree.tree.labels import Label, places
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

SUMMED = ("weights", "nodes", "macs", "latency_s", "worst_latency_s", "flash_bytes", "energy_j")
LARGEST = ("ram_bytes",)  # members run one after another and use the same RAM


class _Ensemble(BaseEstimator):
    """Without ``search``, the trees are random and count alike. With it, they are chosen from a Pareto front.

    Parameters
    ----------
    search : search.Evolution or None, default=None
        The search that evolves the trees. If None, random trees are trained, and all have the same weight.
    members : int, default=5
        The number of random trees, or the largest number of trees chosen from the front of a search.
    estimator : NeuralTreeRegressor, NeuralTreeClassifier or None, default=None
        An estimator whose parameters say how the trees look and learn. It must be of the same task as the ensemble.
        Its own ``search`` is not used. None is an estimator with default parameters.
    n_jobs : int or None, default=-1
        The number of threads in a search, with the same meaning as in joblib; -1 uses all cores. The result does not
        depend on it.
    random_state : int, numpy.random.RandomState or None, default=None
        The source of all random numbers. An int makes the result repeatable.
    verbose : int, default=0
        If not 0, ``fit`` shows its progress on standard error.

    Attributes
    ----------
    estimators_ : list of NeuralTreeRegressor or NeuralTreeClassifier
        The trees as fitted estimators.
    weights_ : ndarray of shape (estimators,)
        The weight of each tree in the mean. The weights add up to 1.
    costs_ : dict from str to float
        The costs and counts of all trees together, each in the unit that its name ends in: sums, except for
        ``ram_bytes``, which is the largest of the trees because they use the same RAM one after another.
    front_ : search.front.Front
        The Pareto front of a search, lowest honest error first.
    history_ : search.folder.history.History
        The record of a search, generation by generation.
    feature_importances_ : ndarray of shape (features,)
        The mean of the trees' feature importances, weighted by ``weights_``.
    """

    _tree: type[NeuralTreeRegressor] | type[NeuralTreeClassifier]

    def __init__(
        self,
        search: Any = None,
        *,
        members: int = 5,
        estimator: NeuralTreeRegressor | NeuralTreeClassifier | None = None,
        n_jobs: int | None = -1,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.search = search
        self.members = members
        self.estimator = estimator
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @property
    def feature_importances_(self) -> FloatArray:
        check_is_fitted(self, "estimators_")
        return self.weights_ @ np.array([importances(each.tree_) for each in self.estimators_])

    def _template(self) -> NeuralTreeRegressor | NeuralTreeClassifier:
        if not isinstance(self.members, Integral) or int(self.members) < 1:
            raise ValueError(f"members={self.members!r}; an ensemble needs a whole number of 1 or more")
        if self.estimator is None:
            return self._tree()
        if not isinstance(self.estimator, self._tree):
            raise ValueError(f"estimator={self.estimator!r} must be a {self._tree.__name__}, or None")
        return clone(self.estimator)

    def _learn(self, template: NeuralTreeRegressor | NeuralTreeClassifier, sample: Sample) -> Self:
        self.columns_ = sample.columns
        for name in ("front_", "history_"):
            self.__dict__.pop(name, None)
        random = check_random_state(self.random_state)
        if self.search is None:
            trees = self._random(template, sample, random)
            self.weights_ = np.full(len(trees), 1 / len(trees))
            self.costs_ = {
                "weights": float(sum(tree.num_weights for tree in trees)),
                "nodes": float(sum(tree.num_nodes for tree in trees)),
            }
        else:
            trees = self._searched(template, sample, seed_of(random))
        self.estimators_ = [self._tree.from_tree(tree) for tree in trees]
        return self

    def _random(
        self, template: NeuralTreeRegressor | NeuralTreeClassifier, sample: Sample, random: np.random.RandomState
    ) -> list[Tree]:
        """Trained random trees; Ctrl-C ends the training after the tree that it interrupts."""
        from neuraltree.estimators.learning import fit_random_tree, telling

        trees: list[Tree] = []
        for _ in range(self.members):
            rng = np.random.default_rng(seed_of(seed_of(random)))
            learned = fit_random_tree(sample, template._options(), rng, telling(self.verbose))
            trees.append(learned.tree)
            if learned.interrupted:
                break
        return trees

    def _searched(self, template: NeuralTreeRegressor | NeuralTreeClassifier, sample: Sample, seed: int) -> list[Tree]:
        """The trees chosen from the front of a search; sets ``front_``, ``history_``, ``weights_`` and ``costs_``."""
        check_search(self.search)
        found = self.search.evolve(sample, template._options(), seed=seed, n_jobs=self.n_jobs, verbose=self.verbose)
        self.front_, self.history_ = found.front, found.history
        chosen, self.weights_ = members_of(found, sample, self.members)
        values = [self.front_[i].values for i in chosen]
        together = dict.fromkeys(SUMMED, sum) | dict.fromkeys(LARGEST, max)
        self.costs_ = {
            name: float(total(each[name] for each in values)) for name, total in together.items() if name in values[0]
        }
        return [self.front_[i].tree() for i in chosen]

    @property
    def missing(self) -> str | None:
        """What fills missing cells, as in ``estimator``."""
        return None if self.estimator is None else self.estimator.missing

    def _mean(self, X: ArrayLike, method: str) -> FloatArray:
        check_is_fitted(self, "estimators_")
        X = rows_to_predict(self, X)
        parts = (w * getattr(each.tree_, method)(X) for w, each in zip(self.weights_, self.estimators_, strict=True))
        return sum(parts, start=np.zeros(()))


def members_of(found: Any, sample: Sample, most: int) -> tuple[list[int], FloatArray]:
    """At most ``most`` members of the front of a ``search.runs.evolving.Found``, by position, and their weights."""
    weight = np.ones(len(sample.X)) if sample.weight is None else sample.weight
    share = np.sqrt(weight[found.rows] / weight[found.rows].mean())[:, None]
    predicted, wanted = found.validation.transpose(0, 2, 1), _wanted(sample)[found.rows]  # (..., rows, outputs)
    if sample.classes is None:  # standardised, so that all targets count alike whatever their units
        scaler = Scaler.fit(wanted, weight[found.rows])
        predicted, wanted = scaler.transform(predicted), scaler.transform(wanted)
    flat = (predicted * share).reshape(len(predicted), -1)
    return combine(flat, (wanted * share).ravel(), most)


def _wanted(sample: Sample) -> FloatArray:
    """(rows, outputs): targets, or 1 for the class of a row and 0 for the others."""
    return sample.y.reshape(len(sample.y), -1) if sample.classes is None else np.eye(len(sample.classes))[sample.y]


class ParetoEnsembleRegressor(RegressorMixin, _Ensemble):
    __doc__ = f"The weighted mean of several neural trees; ``score`` is R².\n\n    {_Ensemble.__doc__}"

    _tree = NeuralTreeRegressor

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Learn from ``X`` (rows, features) and ``y``, (rows,) or (rows, targets).

        ``sample_weight`` (rows,) is the weight of each row in training; if None, all rows count alike.
        ``groups`` (rows,) names the group of each row, such as its subject: no group lies in two folds of a search.
        Without a search no rows are left out, and groups change nothing.
        """
        template = self._template()
        return self._learn(template, grouped(regression_sample(self, X, y, sample_weight, new=True), groups))

    def predict(self, X: ArrayLike) -> FloatArray:
        """Values for raw inputs (rows, features): (rows,), or (rows, targets) if there are several targets."""
        return self._mean(X, "predict")

    def predict_one(self, x: Sequence[float]) -> float | tuple[float, ...]:
        """Predict one row of plain numbers (features,), without validation."""
        check_is_fitted(self, "estimators_")
        each = [np.asarray(tree.predict_one(x)) for tree in self.estimators_]
        mean = sum(w * value for w, value in zip(self.weights_, each, strict=True))
        return tuple(mean.tolist()) if np.ndim(mean) else float(mean)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class ParetoEnsembleClassifier(ClassifierMixin, _Ensemble):
    __doc__ = f"""The weighted vote of several neural trees; ``score`` is the accuracy.

    {_Ensemble.__doc__}classes_ : ndarray of shape (classes,)
        The class labels, sorted.
    """

    _tree = NeuralTreeClassifier

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Learn from ``X`` (rows, features) and ``y`` (rows,), class labels of any type.

        ``sample_weight`` (rows,) is the weight of each row in training; if None, all rows count alike.
        ``groups`` (rows,) names the group of each row, such as its subject: no group lies in two folds of a search.
        Without a search no rows are left out, and groups change nothing.
        """
        template = self._template()
        sample, self.classes_ = class_sample(
            self,
            X,
            y,
            sample_weight,
            new=True,
            classes=None,
            class_weight=template.class_weight,
            positive=getattr(self.search, "positive", None),
        )
        return self._learn(template, grouped(sample, groups))

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """(rows, classes) weighted means of the trees' probabilities, in the order of ``classes_``."""
        return self._mean(X, "predict_proba")[:, self._order()]

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) labels of the classes with the highest probability."""
        probability = self.predict_proba(X)
        return self.classes_[probability.argmax(axis=1)]

    def predict_one(self, x: Sequence[float]) -> Label:
        """Predict the label of one row of plain numbers (features,), without validation."""
        check_is_fitted(self, "estimators_")
        each = [tree.tree_.predict_proba_one(tree._features_of(x)) for tree in self.estimators_]
        by_class = list(zip(*each, strict=True))
        mean = [sum(w * p for w, p in zip(self.weights_, column, strict=True)) for column in by_class]
        mean = [mean[place] for place in self._order()]
        return self.classes_.tolist()[mean.index(max(mean))]

    def _order(self) -> list[int]:
        """The positions of ``classes_`` among the classes of the trees, which all have the same."""
        return places(self.estimators_[0].tree_.classes, self.classes_)
