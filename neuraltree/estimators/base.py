"""What the regressor and the classifier of one neural tree share."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from neuraltree.engine.forks import check_fork
from neuraltree.estimators.importance import importances
from neuraltree.estimators.options import Options
from neuraltree.estimators.samples import Sample
from neuraltree.tree.labels import label_array
from neuraltree.tree.model_files import load
from neuraltree.tree.tree import Label, Tree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neuraltree.estimators.learning import Learned

FEW = 16  # rows that are looked at without scikit-learn's machinery where there is nothing it could say


class TreeEstimator(BaseEstimator):
    """What regressor and classifier share.

    Parameters
    ----------
    search : ``search.Evolution``, or None to train one random tree that reads every input.
    activations : kinds of hidden nodes, of ``neuraltree.ACTIVATIONS``.
    max_nodes, max_depth, max_arity : limits of a tree; ``max_nodes`` None is 60, in a search 35 for each class or
        target where that is more, and for a single tree as many more as reading every input takes; ``max_arity`` None
        is 64 in a search and 5 for a single tree.
    optimizer, learning_rate, weight_decay : of the training, a row of ``neuraltree.engine.optimizers``; "adamw" decays.
    epochs : passes over the rows; None is 20 in a search, and as many as make 1,500 steps (50 at least) for one tree.
    batch_size : rows of a step; None is 64 in a search and 200 for one tree.
    warm_start : ``fit`` goes on training the fitted tree, without another search. The front stays as it was found.
    n_jobs : threads of a search, -1 for all cores; the result does not depend on it.
    random_state : int, ``numpy.random.RandomState`` or None.
    verbose : 1 shows the progress on standard error.

    Attributes
    ----------
    tree_ : the fitted ``neuraltree.Tree``.
    front_ : the Pareto front of a search, see ``search.front.Front``; lowest validation error first. No member
        dominates another by its final values.
    history_ : how a search evolved, see ``search.folder.history.History``.
    n_iter_ : epochs trained; right after a search, generations.
    loss_curve_ : mean training loss of each epoch; right after a search, lowest validation error of each generation.
    feature_importances_ : (features,) sums of |path weights| in standardised units, adding up to 1.
    n_features_in_, feature_names_in_ : as in scikit-learn.
    """

    _kinds: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        search: Any = None,
        *,
        activations: Sequence[str] = ("sigmoid", "tanh", "gaussian", "relu"),
        max_nodes: int | None = None,
        max_depth: int = 5,
        max_arity: int | None = None,
        optimizer: str = "adam",
        learning_rate: float = 0.01,
        weight_decay: float = 0.0,
        epochs: int | None = None,
        batch_size: int | None = None,
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
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

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
            estimator.classes_ = label_array(tree.classes)
        return estimator

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        """A fitted estimator from a file that ``neuraltree.save`` wrote, or a model of the reference."""
        return cls.from_tree(load(path))

    def predict_one(self, x: Sequence[float]) -> Label | float | tuple[float, ...]:
        """The prediction for one row given as plain numbers, in microseconds: only their count is checked."""
        try:
            return self.tree_.predict_one(x)
        except AttributeError:
            self._fitted()
            raise

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        return importances(self._fitted())

    def select(self, **budgets: float) -> Self:
        """Predict with the most accurate member of the front within all budgets, e.g. ``select(flash_bytes=4096)``.

        Without budgets it is the member of lowest validation error, as after ``fit``. Nothing is fitted again.
        Raises ``ValueError`` where nothing fits; the message says how near the front comes.
        """
        self.tree_ = self._front().select(**budgets).tree()
        self._moments: list[NDArray] = []
        self._losses: list[float] = []
        return self

    def plot_front(self, x: str = "weights", y: str = "val_error", ax: Axes | None = None, **options: Any) -> Axes:
        """Draw two columns of the front; ``options`` are those of ``search.pictures.plot_front``.

        With ``history=model.history_`` trees that break a constraint are drawn too.
        """
        return self._front().plot(x, y, ax=ax, **options)

    def plot_tree(self, ax: Axes | None = None) -> Axes:
        """Draw the fitted tree."""
        from neuraltree.plot.tree_plot import plot_tree

        return plot_tree(self._fitted(), ax=ax)

    def _learn(self, sample: Sample) -> Self:
        """From scratch: a search, or one random tree."""
        check_fork()
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
        """Train the tree there is; without a decay of the learning rate where calls follow each other."""
        check_fork()
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
            moments=getattr(self, "_moments", []),
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

            self.tree_ = new_tree(sample, self._options(), np.random.default_rng(seed_of(self.random_state)))
        return self._go_on(sample, epochs=1, decay=False)

    def _keep(self, learned: Learned, before: Sequence[float] = ()) -> Self:
        self.tree_, self._moments = learned.tree, learned.moments
        self._losses = [*before, *learned.losses.tolist()]
        self.loss_curve_, self.n_iter_ = self._losses, len(self._losses)
        return self

    def _continues(self) -> bool:
        return self.warm_start and hasattr(self, "tree_")

    def _options(self) -> Options:
        if isinstance(self.activations, str):
            raise ValueError(f"activations={self.activations!r} is a text; give a list of names")
        given = {name: getattr(self, name) for name in Options.__dataclass_fields__}
        return Options(**given | {"activations": tuple(self.activations)})

    def _fitted(self) -> Tree:
        # check_is_fitted refuses an estimator that has no fit.
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
        if _is_plain(X, self.n_features_in_) and not hasattr(self, "feature_names_in_"):
            return X
        # Floats of 4 bytes are widened where they are used, a few rows at a time.
        return validate_data(self, X, reset=False, dtype=[np.float64, np.float32])


def seed_of(random_state: Any) -> int:
    """The next seed of what scikit-learn takes as a ``random_state``."""
    return int(check_random_state(random_state).randint(2**31 - 1))


def check_search(search: Any) -> None:
    """``ValueError`` for what cannot search: a name, or a class in place of an object of it."""
    if isinstance(search, type) or not hasattr(search, "evolve"):
        raise ValueError(f"search={search!r} must be a search.Evolution(...), or None")


def _is_plain(X: Any, features: int) -> TypeGuard[NDArray]:
    """Whether validation would return these few rows as they are; it takes ten times as long as predicting one."""
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and 0 < len(X) <= FEW
        and X.shape[1] == features
        and X.dtype in (np.float64, np.float32)
        and bool(np.isfinite(X).all())
    )
