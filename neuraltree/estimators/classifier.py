"""A neural tree as a scikit-learn classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin

from neuraltree.estimators.base import TreeEstimator
from neuraltree.estimators.samples import Sample, class_sample, grouped
from neuraltree.tree.labels import label_array, places


class NeuralTreeClassifier(ClassifierMixin, TreeEstimator):
    __doc__ = f"""A neural tree that classifies rows into two or more classes; ``score`` is the accuracy.

    {TreeEstimator.__doc__}classes_ : ndarray of shape (classes,)
        The class labels, sorted.

    Other Parameters
    ----------------
    class_weight : dict, "balanced" or None, default=None
        The weights of the classes in training: a dict from labels to weights, or "balanced" to give all classes the
        same total weight. If None, all rows count alike.
    """

    _kinds = ("binary", "multiclass")

    def __init__(
        self,
        search: Any = None,
        *,
        activations: Sequence[str] = ("sigmoid", "tanh", "gaussian", "relu"),
        max_nodes: int | None = None,
        max_depth: int = 5,
        max_arity: int | None = None,
        optimizer: str = "adamw",
        learning_rate: float = 0.01,
        weight_decay: float | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        class_weight: dict | str | None = None,
        missing: str | None = None,
        warm_start: bool = False,
        n_jobs: int | None = -1,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            search,
            activations=activations,
            max_nodes=max_nodes,
            max_depth=max_depth,
            max_arity=max_arity,
            optimizer=optimizer,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            epochs=epochs,
            batch_size=batch_size,
            missing=missing,
            warm_start=warm_start,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )
        self.class_weight = class_weight

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Self:
        """Learn from ``X`` (rows, features) and ``y`` (rows,), class labels of any type.

        ``sample_weight`` (rows,) is the weight of each row in training; if None, all rows count alike.
        ``groups`` (rows,) names the group of each row, such as its subject: no group lies in two folds of a search.
        Without a search no rows are left out, and groups change nothing.
        ``X`` may be a frame of pandas or polars with texts, categories, truth values and times. Missing cells are
        refused unless ``missing`` says what fills them. Raises ``ValueError`` for rows that cannot be learned from.
        """
        new = not self._continues()
        sample = grouped(self._sample(X, y, sample_weight, new=new), groups)
        return self._learn(sample) if new else self._go_on(sample, self.epochs, True)

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on these rows; shapes are those of ``fit``.

        The first call makes a random tree and fits the scaling of the inputs to its rows. It needs ``classes``, all
        labels that any call will bring, unless ``y`` holds all of them.
        """
        new = not hasattr(self, "tree_")
        if self.class_weight == "balanced":
            raise ValueError(
                'class_weight="balanced" needs all rows at once; give partial_fit a dict, or sample_weight'
            )
        given = None if classes is None else np.unique(np.asarray(classes))
        if not new and given is not None and not np.array_equal(given, np.unique(self.classes_)):
            raise ValueError(f"classes={given.tolist()} differ from those of earlier calls: {self.classes_.tolist()}")
        return self._one_epoch(self._sample(X, y, sample_weight, new=new, classes=given))

    def predict(self, X: ArrayLike) -> NDArray:
        """(rows,) class labels for raw inputs (rows, features). If outputs are equal, the first class wins."""
        tree = self._fitted()
        return tree.predict(self._inputs(X)).astype(self.classes_.dtype, copy=False)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """(rows, classes) probabilities in the order of ``classes_``."""
        tree = self._fitted()
        return tree.predict_proba(self._inputs(X))[:, places(tree.classes, self.classes_)]

    def predict_set(self, X: ArrayLike) -> NDArray[np.bool_]:
        """(rows, classes) the classes, in the order of ``classes_``, in sets that hold that of about 90 % of new rows.

        The most probable class is always in the set. Raises ``ValueError`` if the tree has no ``band``: it was not
        found by a search, or trained further.
        """
        tree = self._fitted()
        return tree.predict_set(self._inputs(X))[:, places(tree.classes, self.classes_)]

    def _sample(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, *, new: bool, classes: NDArray | None = None
    ) -> Sample:
        """The rows, with classes in the order of a tree that there is already."""
        sample, found = class_sample(
            self,
            X,
            y,
            sample_weight,
            new=new,
            classes=classes if new else label_array(self.tree_.classes or ()),
            class_weight=self.class_weight,
            positive=getattr(self.search, "positive", None) if new else None,
        )
        if new:
            self.classes_ = found
        return sample
