"""A neural tree as a scikit-learn regressor."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import Tags

from neuraltree.estimators.base import TreeEstimator
from neuraltree.estimators.samples import grouped, regression_sample


class NeuralTreeRegressor(RegressorMixin, TreeEstimator):
    __doc__ = f"""A neural tree that predicts one or more numbers; ``score`` is R².

    {TreeEstimator.__doc__}
    Other Parameters
    ----------------
    loss : str, default="auto"
        The loss that training minimises: "squared", which "auto" is too; "huber", linear from a standard deviation of
        the target on, so that outliers count less; or "pinball_0.9" for a model of the 90 % quantile, likewise for
        other quantiles.
    """

    _kinds = ("regression",)

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Learn from ``X`` (rows, features) and ``y``, (rows,) or (rows, targets).

        ``sample_weight`` (rows,) is the weight of each row in training; if None, all rows count alike.
        ``groups`` (rows,) names the group of each row, such as its subject: no group lies in two folds of a search.
        Without a search no rows are left out, and groups change nothing.
        ``X`` may be a frame of pandas or polars with texts, categories, truth values and times. Missing cells are
        refused unless ``missing`` says what fills them. Raises ``ValueError`` for rows that cannot be learned from.
        """
        sample = grouped(regression_sample(self, X, y, sample_weight, new=not self._continues()), groups)
        return self._go_on(sample, self.epochs, True) if self._continues() else self._learn(sample)

    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train for one epoch on these rows; shapes are those of ``fit``.

        The first call makes a random tree and fits the scaling of inputs and targets to its rows.
        """
        sample = regression_sample(self, X, y, sample_weight, new=not hasattr(self, "tree_"))
        return self._one_epoch(sample)

    def predict(self, X: ArrayLike) -> NDArray:
        """Values for raw inputs (rows, features): (rows,), or (rows, targets) if there are several targets."""
        tree = self._fitted()
        return tree.predict(self._inputs(X))

    def predict_interval(self, X: ArrayLike) -> NDArray[np.float64]:
        """(rows, 2) the ends of intervals around the predictions that hold the target of about 90 % of new rows.

        Raises ``ValueError`` if the tree has no ``band``: it was not found by a search, trained further, or has several
        targets.
        """
        tree = self._fitted()
        return tree.predict_interval(self._inputs(X))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
