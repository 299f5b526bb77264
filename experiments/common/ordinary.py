"""Forests, boosting, kernel machines and Gaussian processes of scikit-learn, with their sizes.

The size of a model is the number of scalars fitted to the data that its predictions need. For trees these are
thresholds and leaf values (one per class beyond two); for an SVM the entries of its support vectors, dual coefficients
and intercepts; for a Gaussian process the entries of its training rows, a coefficient per row and kernel parameters.
As in neural trees, the choice of inputs, and settings chosen by cross-validation, do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

FOREST_TREES = 200
BOOSTING_STEPS = 200

Choice = dict[str, Any]  # parameters of an estimator


class Ordinary(NamedTuple):
    """``make(kind, inputs, choice, seed)`` gives an estimator; ``weights(kind, fitted)`` its size.

    Cross-validation takes the best of ``choices``, which are ordered from the simplest.
    """

    choices: tuple[Choice, ...]
    make: Callable[[str, int, Choice, int], Any]
    weights: Callable[[str, Any], int]


def _grid(**values: tuple[Any, ...]) -> tuple[Choice, ...]:
    return tuple(dict(zip(values, chosen, strict=True)) for chosen in product(*values.values()))


def _trees(name: str) -> Callable[[str, int, Choice, int], Any]:
    """Makes ``name``Regressor or ``name``Classifier of scikit-learn's ensembles."""

    def make(kind: str, inputs: int, choice: Choice, seed: int) -> Any:
        from sklearn import ensemble

        del inputs
        made = getattr(ensemble, f"{name}{'Regressor' if kind == 'regression' else 'Classifier'}")
        return made(FOREST_TREES, **choice, random_state=seed, n_jobs=1)

    return make


def _boosting(kind: str, inputs: int, choice: Choice, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    del inputs
    made = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    # By default a leaf has at least 20 rows, so a hundred rows would give stumps.
    return made(max_iter=BOOSTING_STEPS, **choice, min_samples_leaf=5, early_stopping=False, random_state=seed)


def _svm(kind: str, inputs: int, choice: Choice, seed: int) -> Any:
    from sklearn.svm import SVC, SVR

    del seed
    made = SVR if kind == "regression" else SVC
    return made(C=choice["C"], gamma=choice["gamma_by_inputs"] / inputs, cache_size=500)


def _gaussian_process(kind: str, inputs: int, choice: Choice, seed: int) -> Any:
    from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    del choice
    # Standardised rows are about sqrt(2 inputs) apart; the likelihood chooses from there.
    smooth = ConstantKernel(1.0, (1e-2, 1e6)) * RBF(inputs**0.5, (1e-1, 1e3))
    if kind == "regression":
        return GaussianProcessRegressor(smooth + WhiteKernel(0.1, (1e-4, 10.0)), random_state=seed)
    return GaussianProcessClassifier(smooth, random_state=seed)


def _per_leaf(kind: str, fitted: Any) -> int:
    return len(fitted.classes_) if kind == "multiclass" else 1


def forest_weights(kind: str, fitted: Any) -> int:
    leaves = [int(tree.get_n_leaves()) for tree in fitted.estimators_]
    return sum(leaves) - len(leaves) + sum(leaves) * _per_leaf(kind, fitted)


def boosting_weights(kind: str, fitted: Any) -> int:
    """Each class beyond two has trees of its own, so a leaf has one value; and each has a first guess."""
    trees = [tree for step in fitted._predictors for tree in step]  # no public name has them
    leaves = [int(tree.get_n_leaf_nodes()) for tree in trees]
    return 2 * sum(leaves) - len(leaves) + _per_leaf(kind, fitted)


def svm_weights(kind: str, fitted: Any) -> int:
    del kind
    return int(fitted.support_vectors_.size + fitted.dual_coef_.size + fitted.intercept_.size)


def process_weights(kind: str, fitted: Any) -> int:
    """Classes beyond two have a process each over the same rows."""
    if kind == "regression":
        return int(fitted.X_train_.size + fitted.alpha_.size + fitted.kernel_.theta.size)
    first = fitted.base_estimator_
    processes = first.estimators_ if kind == "multiclass" else [first]
    rows = processes[0].X_train_
    return int(rows.size + sum(len(rows) + one.kernel_.theta.size for one in processes))


ORDINARY = {
    "random_forest": Ordinary(_grid(max_features=("sqrt", 0.5)), _trees("RandomForest"), forest_weights),
    "extra_trees": Ordinary(_grid(min_samples_leaf=(2, 1)), _trees("ExtraTrees"), forest_weights),
    "boosting": Ordinary(_grid(max_leaf_nodes=(4, 12), learning_rate=(0.03, 0.1)), _boosting, boosting_weights),
    "svm": Ordinary(_grid(C=(0.3, 1.0, 10.0, 100.0), gamma_by_inputs=(0.03, 0.1, 0.3, 1.0, 3.0)), _svm, svm_weights),
    "gaussian_process": Ordinary(({},), _gaussian_process, process_weights),
}
