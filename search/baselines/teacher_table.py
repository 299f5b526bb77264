"""The models that a config names as teachers, one row each. scikit-learn is imported when a row is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

HIDDEN, RATE, EPOCHS, BATCH, PENALTY = 50, 0.005, 100, 32, 1.0  # of the MLP
STEPS = 20_000  # the most steps of the MLP, about: a large table needs fewer epochs
TREES, LEAST_IN_LEAF = 100, 2
COST = 10.0  # of the kernel machine
CALIBRATION_FOLDS = 4  # that turn its distances into probabilities
RIDGES = tuple(10.0**power for power in range(-2, 4))


class Teacher(NamedTuple):
    """``make(regression, rows)``: an unfitted estimator. Its time to be fitted grows with rows to the ``power``."""

    name: str
    doc: str
    make: Callable[[bool, int], Any]
    power: float = 1.0


def _scaled(model: Any) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), model)


def scaled_target(model: Any) -> Any:
    """The model with inputs and target in standard deviations."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(_scaled(model), transformer=StandardScaler())


def _linear(regression: bool, rows: int) -> Any:
    from sklearn.linear_model import LogisticRegression, RidgeCV

    del rows
    return _scaled(RidgeCV(RIDGES) if regression else LogisticRegression(max_iter=1000))


def _mlp(regression: bool, rows: int) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    how: dict[str, Any] = {
        "hidden_layer_sizes": (HIDDEN,),
        "alpha": PENALTY,
        "learning_rate_init": RATE,
        "batch_size": BATCH,
        "max_iter": max(1, min(EPOCHS, STEPS * BATCH // rows)),
    }
    return scaled_target(MLPRegressor(**how)) if regression else _scaled(MLPClassifier(**how))


def _random_forest(regression: bool, rows: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    del rows
    return (RandomForestRegressor if regression else RandomForestClassifier)(TREES, min_samples_leaf=LEAST_IN_LEAF)


def _extra_trees(regression: bool, rows: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    del rows
    return (ExtraTreesRegressor if regression else ExtraTreesClassifier)(TREES, min_samples_leaf=LEAST_IN_LEAF)


def _boosted_trees(regression: bool, rows: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    del rows
    return (HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier)()


def _svm(regression: bool, rows: int) -> Any:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC, SVR

    del rows
    if regression:
        return scaled_target(SVR(C=COST))
    return _scaled(CalibratedClassifierCV(SVC(C=COST), cv=CALIBRATION_FOLDS, ensemble=False))


TEACHERS: tuple[Teacher, ...] = (
    Teacher("linear", "ridge regression with a penalty by cross-validation, or logistic regression", _linear),
    Teacher("mlp", f"a multilayer perceptron of {HIDDEN} hidden ReLU units", _mlp),
    Teacher("random_forest", f"{TREES} trees on bootstrap samples", _random_forest),
    Teacher("extra_trees", f"{TREES} extremely randomised trees", _extra_trees),
    Teacher("boosted_trees", "gradient boosting of trees on binned inputs", _boosted_trees),
    Teacher("svm", f"a kernel machine of cost {COST:g}, calibrated for classes: for small tables", _svm, power=2.0),
)
BY_NAME: dict[str, Teacher] = {row.name: row for row in TEACHERS}
NAMES: tuple[str, ...] = tuple(BY_NAME)
