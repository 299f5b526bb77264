"""Mixtures of experts as scikit-learn estimators."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from neuraltree.arrays import FloatArray
from neuraltree.estimators.base import seed_of
from neuraltree.estimators.classifier import NeuralTreeClassifier
from neuraltree.estimators.regressor import NeuralTreeRegressor
from neuraltree.estimators.samples import Sample, class_sample, merged, regression_sample, rows_to_predict
from neuraltree.mixtures.expectation import Plan, check_mixture, fit_mixture
from neuraltree.tree.labels import label_array, places


class _MixtureEstimator(BaseEstimator):
    """A gate sends each row to one of several trees, which alone is computed.

    ``estimator`` is fitted first, by its search if it has one; copies of its tree are the experts at the start. Gate
    and experts are then trained together by expectation and maximisation (``mixtures.expectation``).

    Parameters
    ----------
    estimator : NeuralTreeRegressor, NeuralTreeClassifier or None, default=None
        An estimator of the same task. None is one with default parameters.
    experts : int, default=2
        The number of experts, 2 or more.
    rounds, epochs : int, default=20 and 5
        The rounds of expectation and maximisation, and the passes over the rows in each.
    learning_rate : float, default=0.01
        The learning rate of the experts and the gate; it falls to 0 along half a cosine.
    balance : float, default=0.5
        How strongly experts with few rows are given more; 0 is not at all.
    random_state : int, numpy.random.RandomState or None, default=None
        The source of all random numbers. An int makes the result repeatable.

    Attributes
    ----------
    mixture_ : neuraltree.mixtures.mixture.Mixture
        The gate and the experts; ``mixture_.costs(X, device, code)`` are its costs.
    loss_curve_ : list of float
        The mean training loss after each round, by the responsibilities.
    """

    _tree: type[NeuralTreeRegressor] | type[NeuralTreeClassifier]

    def __init__(
        self,
        estimator: NeuralTreeRegressor | NeuralTreeClassifier | None = None,
        *,
        experts: int = 2,
        rounds: int = 20,
        epochs: int = 5,
        learning_rate: float = 0.01,
        balance: float = 0.5,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.experts = experts
        self.rounds = rounds
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.balance = balance
        self.random_state = random_state

    def _learn(self, sample: Sample) -> Self:
        # Equal rows are one of their summed weight, so that a row of weight 2 is the same as the row twice.
        self.columns_, sample = sample.columns, merged(sample)
        plan = Plan(self.rounds, self.epochs, self.learning_rate, self.balance)
        check_mixture(plan, self.experts, len(sample.X))
        seed = seed_of(self.random_state)
        if not isinstance(self.estimator, self._tree | None):
            raise ValueError(f"estimator={self.estimator!r} must be a {self._tree.__name__}, or None")
        base = self._tree() if self.estimator is None else clone(self.estimator)
        if base.random_state is None:
            base.set_params(random_state=seed)
        y = sample.y if sample.classes is None else label_array(sample.classes)[sample.y]
        tree = base.fit(sample.X, y, sample_weight=sample.weight).tree_
        found = fit_mixture(
            [tree] * self.experts, sample.X, y, plan=plan, weight=sample.weight, loss=base.loss, seed=seed
        )
        self.mixture_, self.loss_curve_ = found.mixture, found.losses.tolist()
        return self

    def _rows(self, X: ArrayLike) -> NDArray:
        check_is_fitted(self, "mixture_")
        return rows_to_predict(self, X)


class MixtureRegressor(RegressorMixin, _MixtureEstimator):
    __doc__ = f"A mixture of neural trees for numbers; ``score`` is R².\n\n    {_MixtureEstimator.__doc__}"

    _tree = NeuralTreeRegressor

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from ``X`` (rows, features) and ``y``, (rows,) or (rows, targets); ``sample_weight`` (rows,)."""
        sample = regression_sample(self, X, y, sample_weight, new=True)
        return self._learn(sample)

    def predict(self, X: ArrayLike) -> FloatArray:
        """Values for raw inputs (rows, features): (rows,), or (rows, targets) if there are several targets."""
        rows = self._rows(X)
        return self.mixture_.predict(rows)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class MixtureClassifier(ClassifierMixin, _MixtureEstimator):
    __doc__ = f"A mixture of neural trees for classes; ``score`` is the accuracy.\n\n    {_MixtureEstimator.__doc__}"

    _tree = NeuralTreeClassifier

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from ``X`` (rows, features) and labels ``y`` (rows,); ``sample_weight`` (rows,)."""
        sample, self.classes_ = class_sample(self, X, y, sample_weight, new=True, classes=None, class_weight=None)
        return self._learn(sample)

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """(rows, classes) probabilities in the order of ``classes_``."""
        rows = self._rows(X)
        return self.mixture_.predict_proba(rows)[:, places(self.mixture_.experts[0].classes, self.classes_)]

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) labels for raw inputs (rows, features)."""
        rows = self._rows(X)
        return self.mixture_.predict(rows).astype(self.classes_.dtype, copy=False)
