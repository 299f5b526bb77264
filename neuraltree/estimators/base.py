"""The base class of the regressor and the classifier of one neural tree."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, check_random_state

import neuraltree.engine.xla.forks  # noqa: F401  it remembers the process that imports it, before any fork
from neuraltree.estimators.importance import importances
from neuraltree.estimators.options import Options
from neuraltree.estimators.samples import Sample, rows_to_predict
from neuraltree.inputs.encoders import Column
from neuraltree.inputs.encoding import encode
from neuraltree.tree.labels import Label, label_array
from neuraltree.tree.model_files import load
from neuraltree.tree.tree import Tree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neuraltree.estimators.learning import Learned

FEW = 16  # up to this many rows, plain arrays without a fault skip scikit-learn's validation, which is slow


class TreeEstimator(BaseEstimator):
    """Without ``search``, ``fit`` trains one random tree. With it, ``fit`` evolves a Pareto front of trees.

    Parameters
    ----------
    search : search.Evolution or None, default=None
        The search that evolves the trees. If None, one random tree that reads every input is trained.
    activations : sequence of str, default=("sigmoid", "tanh", "gaussian", "relu")
        The activations that hidden nodes may have: names in ``neuraltree.ACTIVATIONS``.
    max_nodes : int or None, default=None
        The largest number of nodes in a tree, outputs and leaves included. None is 60 or more: in a search at least
        35 for each class or target, and for a single tree enough to read every input.
    max_depth : int, default=5
        The largest number of edges on a path from an output to a leaf.
    max_arity : int or None, default=None
        The largest number of children of a node. None is 64 in a search and 5 for a single tree.
    optimizer : str, default="adamw"
        The name of the optimiser: a key of ``neuraltree.engine.optimizers.OPTIMIZERS``.
    learning_rate : float, default=0.01
        The learning rate, above 0. In ``fit`` it falls to 0 along a cosine; in ``partial_fit`` it stays constant.
    weight_decay : float or None, default=None
        The weight decay of the optimiser "adamw". The other optimisers ignore it. None is 0 for a single tree and in a
        search with teachers; in other searches it is 120 divided by the number of rows, at most 0.3.
    epochs : int or None, default=None
        The number of passes over the training rows. None is 20 in each generation of a search. For a single tree,
        None is as many as make 1,500 training steps, and at least 50.
    batch_size : int or None, default=None
        The number of rows in a training step. None is 64 in a search and 200 for a single tree.
    missing : "mean", "median" or None, default=None
        What fills a missing cell of a number, a truth value or a time: the mean or the median of the rows of ``fit``.
        A missing category is no level. None refuses missing cells.
    warm_start : bool, default=False
        If True, a second ``fit`` trains the fitted tree further. It does not search again, and ``front_`` stays the
        same.
    n_jobs : int or None, default=-1
        The number of threads in a search, with the same meaning as in joblib; -1 uses all cores. The result does not
        depend on it.
    random_state : int, numpy.random.RandomState or None, default=None
        The source of all random numbers. An int makes the result repeatable.
    verbose : int, default=0
        If not 0, ``fit`` shows its progress on standard error.

    Attributes
    ----------
    tree_ : neuraltree.Tree
        The fitted tree, which makes the predictions.
    front_ : search.front.Front
        The Pareto front of a search, lowest honest error first. No member dominates another by its final values.
    history_ : search.folder.history.History
        The record of a search, generation by generation.
    n_iter_ : int
        The number of epochs trained, or right after a search the number of generations.
    loss_curve_ : list of float
        The mean training loss of each epoch, or right after a search the lowest validation error of each generation.
    feature_importances_ : ndarray of shape (columns,)
        The sum of the absolute path weights of each column, in standardised units and scaled to add up to 1.
    n_features_in_ : int
        The number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (columns,)
        The names of the columns seen in ``fit``, if all of them were strings.
    columns_ : tuple of encoders or None
        How texts, truth values, categories, times and missing cells become features; None if ``fit`` saw plain numbers.
    """

    _kinds: ClassVar[tuple[str, ...]]
    columns_: tuple[Column, ...] | None

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
        loss: str = "auto",
        missing: str | None = None,
        warm_start: bool = False,
        n_jobs: int | None = -1,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.search = search
        self.activations = activations
        self.max_nodes = max_nodes
        self.max_depth = max_depth
        self.max_arity = max_arity
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.epochs = epochs
        self.batch_size = batch_size
        self.loss = loss
        self.missing = missing
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @classmethod
    def from_tree(cls, tree: Tree) -> Self:
        """Make a fitted estimator that predicts with ``tree``.

        Raises ``ValueError`` for a tree of another kind, such as a regression tree for a classifier.
        """
        if tree.kind not in cls._kinds:
            raise ValueError(f"{cls.__name__} needs a {' or '.join(cls._kinds)} tree, got a {tree.kind} tree")
        estimator = cls()
        estimator.tree_ = tree
        estimator.columns_ = tree.columns
        names = tree.features if tree.columns is None else tuple(column.name for column in tree.columns)
        estimator.n_features_in_ = len(names)
        # Inputs without names are called x0, x1, ...; only real names let scikit-learn compare columns by name.
        if names != tuple(f"x{i}" for i in range(len(names))):
            estimator.feature_names_in_ = np.array(names, dtype=object)
        if tree.classes is not None:
            estimator.classes_ = label_array(sorted(tree.classes))
        return estimator

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """Make a fitted estimator from a file of ``neuraltree.save``, or from a model file of BNeuralT or MONT."""
        return cls.from_tree(load(path))

    def predict_one(self, x: Sequence[float]) -> Label | float | tuple[float, ...]:
        """Predict one row of plain numbers (features,) within microseconds. Only the number of values is checked.

        After a ``fit`` to a frame with ``columns_``, one row of cells (columns,), which are checked.
        """
        try:
            return self.tree_.predict_one(self._features_of(x))
        except AttributeError:
            self._fitted()
            raise

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        return importances(self._fitted())

    def select(self, rule: str = "recommended", **budgets: float) -> Self:
        """Predict with another member of the front, chosen by a rule among those that keep all budgets.

        For example, ``select(flash_bytes=4096)`` allows at most 4,096 bytes of flash. A budget may be any column of
        the front, in the unit of that column. ``rule`` is "recommended", the smallest member whose honest error is
        hardly higher than the lowest, as after ``fit``; "lowest", the member of the lowest honest error; or "knee".
        Nothing is fitted again.
        Raises ``ValueError`` if no member keeps the budgets; the message says how near the front comes.
        """
        self.tree_ = self._front().select(rule, **budgets).tree()
        self._moments: list[NDArray] = []
        self._losses: list[float] = []
        return self

    def plot_front(self, x: str = "weights", y: str | None = None, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw column ``y`` of the front, by default its errors, over column ``x``.

        ``options`` are those of ``search.pictures.plot_front``.

        With ``history=model.history_``, trees that break a constraint are drawn too.
        """
        return self._front().plot(x, y, ax=ax, **options)

    def plot_tree(self, ax: Axes | None = None) -> Axes:
        """Draw the fitted tree."""
        from neuraltree.plot.tree_plot import plot_tree

        return plot_tree(self._fitted(), ax=ax)

    def _features_of(self, x: Sequence[Any]) -> Sequence[float]:
        """The features of one row of cells."""
        if self.columns_ is None:
            return x
        row = np.empty((1, len(x)), dtype=object)
        row[0] = list(x)
        return encode(self.columns_, row)[0].tolist()

    def _learn(self, sample: Sample) -> Self:
        """Learn from scratch: by a search, or with one random tree."""
        self.columns_ = sample.columns
        self.__dict__.pop("front_", None)
        self.__dict__.pop("history_", None)
        if self.search is None:
            from neuraltree.estimators.learning import fit_random_tree, telling

            rng = np.random.default_rng(seed_of(self.random_state))
            return self._keep(fit_random_tree(sample, self._options(), rng, telling(self.verbose)))
        check_search(self.search)
        found = self.search.evolve(
            sample, self._options(), seed=seed_of(self.random_state), n_jobs=self.n_jobs, verbose=self.verbose
        )
        self.front_, self.history_ = found.front, found.history
        self.loss_curve_ = [row["best_error"] for row in found.history.rows]
        self.n_iter_ = len(self.loss_curve_) - 1
        return self.select()

    def _go_on(self, sample: Sample, epochs: int | None, decay: bool) -> Self:
        """Train the fitted tree further. Without ``decay`` the learning rate is constant, for many short calls."""
        from neuraltree.estimators.learning import go_on, telling

        if sample.targets != self.tree_.num_outputs and sample.classes is None:
            raise ValueError(f"y has {sample.targets} targets; the fitted tree has {self.tree_.num_outputs}")
        rng = np.random.default_rng((seed_of(self.random_state), len(getattr(self, "_losses", []))))
        learned = go_on(
            self.tree_,
            sample,
            self._options(),
            rng,
            epochs=epochs,
            say=telling(self.verbose),
            moments=self._moments if getattr(self, "_moments_of", None) == self._method() else [],
            decay=decay,
        )
        if learned.diverged:
            warnings.warn(
                f"the training diverged and the tree stays as it was; learning_rate={self.learning_rate:g} is too high",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self._keep(learned, getattr(self, "_losses", []))

    def _one_epoch(self, sample: Sample) -> Self:
        if not hasattr(self, "tree_"):
            from neuraltree.estimators.starting import new_tree

            self.columns_ = sample.columns
            self.tree_ = new_tree(sample, self._options(), np.random.default_rng(seed_of(self.random_state)))
        return self._go_on(sample, epochs=1, decay=False)

    def _keep(self, learned: Learned, before: Sequence[float] = ()) -> Self:
        self.tree_, self._moments, self._moments_of = learned.tree, learned.moments, self._method()
        self._losses = [*before, *learned.losses.tolist()]
        self.loss_curve_, self.n_iter_ = self._losses, len(self._losses)
        return self

    def _method(self) -> tuple[str, float | None]:
        """The optimiser, and where the rates that trees learn begin: with another one of them its state begins anew."""
        from neuraltree.engine.optimizers import OPTIMIZERS

        return self.optimizer, self.learning_rate if OPTIMIZERS[self.optimizer].learned else None

    def _continues(self) -> bool:
        return self.warm_start and hasattr(self, "tree_")

    def _options(self) -> Options:
        if isinstance(self.activations, str):
            raise ValueError(f"activations={self.activations!r} is a string; give a list of names")
        given = {name: getattr(self, name) for name in Options.__dataclass_fields__}
        return Options(**given | {"activations": tuple(self.activations)})

    def _fitted(self) -> Tree:
        # check_is_fitted needs an estimator with a method fit, which this base class lacks.
        check_is_fitted(self, "tree_")
        return self.tree_

    def _front(self) -> Any:
        if not hasattr(self, "front_"):
            self._fitted()
            raise AttributeError(
                f"this {type(self).__name__} was fitted without a search and has no front; give it "
                "search=Evolution(...) and fit it again"
            )
        return self.front_

    def _inputs(self, X: ArrayLike) -> NDArray:
        named = self.columns_ is not None or hasattr(self, "feature_names_in_")
        return X if not named and _is_plain(X, self.n_features_in_) else rows_to_predict(self, X)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing is not None
        tags.input_tags.categorical = tags.input_tags.string = True
        return tags


def seed_of(random_state: Any) -> int:
    """The next seed from a ``random_state`` as scikit-learn accepts it."""
    return int(check_random_state(random_state).randint(2**31 - 1))


def check_search(search: Any) -> None:
    """``ValueError`` if ``search`` has no method ``evolve``, or is a class instead of an instance."""
    if isinstance(search, type) or not hasattr(search, "evolve"):
        raise ValueError(f"search={search!r} must be a search.Evolution(...), or None")


def _is_plain(X: Any, features: int) -> TypeGuard[NDArray]:
    """Whether validation would return these few rows unchanged. It takes ten times as long as predicting one row."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and 0 < len(X) <= FEW
        and X.shape[1] == features
        and X.dtype in (np.float64, np.float32)
        and bool(np.isfinite(X).all())
    )
