"""The ordinary models that evolved trees learn from: their kinds and settings are the same for every table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from experiments.common.ordinary import forest_weights, svm_weights
from search.baselines.teacher_table import scaled_target

HIDDEN, PENALTIES, RATE, EPOCHS, BATCH = 50, (1.0, 0.05), 0.005, 100, 32
TREES, LEAST_IN_LEAF = 100, 2
CLASS_COSTS, CLASS_WIDTHS = (1, 10, 100), (0.1, 0.3, 1.0)  # of the kernel machine; widths times the number of inputs
VALUE_COSTS, VALUE_WIDTHS = (0.3, 1, 10), (0.03, 0.1, 0.3)
LINEAR_COSTS, RIDGES = (0.01, 0.1, 1, 30), tuple(10.0**power for power in range(-2, 4))
INNER_FOLDS = 4
SETTINGS = {
    "svm": {"C": (CLASS_COSTS, VALUE_COSTS), "gamma_by_inputs": (CLASS_WIDTHS, VALUE_WIDTHS), "folds": INNER_FOLDS},
    "extra_trees": {"trees": TREES, "min_samples_leaf": LEAST_IN_LEAF},
    "linear": {"C": LINEAR_COSTS, "alpha": RIDGES},
    "mlp": {"hidden": HIDDEN, "alpha": PENALTIES, "rate": RATE, "epochs": EPOCHS, "batch": BATCH},
}


@contextmanager
def fitting() -> Iterator[None]:
    """Suppress the warnings about intended settings: few epochs, and classes with fewer rows than inner folds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        yield


def teachers(kind: str, inputs: int, seed: int) -> list[Any]:
    """A kernel machine, randomised trees, a linear model and two MLPs for a table with this number of inputs."""
    return _for_values(inputs, seed) if kind == "regression" else _for_classes(inputs, seed)


def _mlp(seed: int, penalty: float) -> dict[str, Any]:
    return {
        "hidden_layer_sizes": (HIDDEN,),
        "alpha": penalty,
        "learning_rate_init": RATE,
        "max_iter": EPOCHS,
        "batch_size": BATCH,
        "random_state": seed,
    }


def _for_classes(inputs: int, seed: int) -> list[Any]:
    kernel = {"C": CLASS_COSTS, "gamma": [width / inputs for width in CLASS_WIDTHS]}
    machine = CalibratedClassifierCV(GridSearchCV(SVC(), kernel, cv=INNER_FOLDS), cv=INNER_FOLDS, ensemble=False)
    linear = LogisticRegression(max_iter=1000)
    return [
        make_pipeline(StandardScaler(), machine),
        ExtraTreesClassifier(TREES, min_samples_leaf=LEAST_IN_LEAF, random_state=seed),
        make_pipeline(
            StandardScaler(), GridSearchCV(linear, {"C": LINEAR_COSTS}, cv=INNER_FOLDS, scoring="neg_log_loss")
        ),
        *(make_pipeline(StandardScaler(), MLPClassifier(**_mlp(seed, penalty))) for penalty in PENALTIES),
    ]


def _for_values(inputs: int, seed: int) -> list[Any]:
    kernel = {"C": VALUE_COSTS, "gamma": [width / inputs for width in VALUE_WIDTHS]}
    return [
        scaled_target(GridSearchCV(SVR(), kernel, cv=INNER_FOLDS)),
        ExtraTreesRegressor(TREES, min_samples_leaf=LEAST_IN_LEAF, random_state=seed),
        make_pipeline(StandardScaler(), RidgeCV(RIDGES)),
        *(scaled_target(MLPRegressor(**_mlp(seed, penalty))) for penalty in PENALTIES),
    ]


def scalars_of(kind: str, fitted: Any) -> int:
    """The size of a fitted teacher, counted as for the ordinary models; scaling and calibration do not count."""
    model = _innermost(fitted)
    if isinstance(model, SVC | SVR):
        return svm_weights(kind, model)
    if isinstance(model, ExtraTreesClassifier | ExtraTreesRegressor):
        return forest_weights(kind, model)
    layers = [*model.coefs_, *model.intercepts_] if hasattr(model, "coefs_") else [model.coef_, model.intercept_]
    return sum(np.size(layer) for layer in layers)


def _innermost(model: Any) -> Any:
    """The innermost estimator inside a target's scaling, a pipeline, a calibration or a search of settings."""
    while True:
        if isinstance(model, TransformedTargetRegressor):
            model = model.regressor_
        elif isinstance(model, Pipeline):
            model = model[-1]
        elif isinstance(model, CalibratedClassifierCV):
            model = model.calibrated_classifiers_[0].estimator
        elif isinstance(model, GridSearchCV):
            model = model.best_estimator_
        else:
            return model
