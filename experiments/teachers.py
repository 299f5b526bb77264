"""The ordinary models that evolved trees learn from: their kinds and settings are the same for every table."""

from __future__ import annotations

from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

HIDDEN, PENALTY, RATE, EPOCHS, BATCH = 50, 1.0, 0.005, 100, 32
TREES, LEAST_IN_LEAF = 100, 2
COSTS, WIDTHS, INNER_FOLDS = (1, 10), (0.1, 0.3), 3
SETTINGS = {
    "svm": {"C": COSTS, "gamma_by_inputs": WIDTHS, "folds": INNER_FOLDS},
    "extra_trees": {"trees": TREES, "min_samples_leaf": LEAST_IN_LEAF},
    "linear": {"C": 0.1, "alphas": "1e-2 to 1e3"},
    "mlp": {"hidden": HIDDEN, "alpha": PENALTY, "rate": RATE, "epochs": EPOCHS, "batch": BATCH},
}


def teachers(kind: str, inputs: int, seed: int) -> list[Any]:
    """A kernel machine, randomised trees, a linear model and an MLP for a table of so many inputs."""
    return _for_values(inputs, seed) if kind == "regression" else _for_classes(inputs, seed)


def _mlp(seed: int) -> dict[str, Any]:
    return {
        "hidden_layer_sizes": (HIDDEN,),
        "alpha": PENALTY,
        "learning_rate_init": RATE,
        "max_iter": EPOCHS,
        "batch_size": BATCH,
        "random_state": seed,
    }


def _grid(model: Any, inputs: int) -> GridSearchCV:
    return GridSearchCV(model, {"C": COSTS, "gamma": [width / inputs for width in WIDTHS]}, cv=INNER_FOLDS)


def _for_classes(inputs: int, seed: int) -> list[Any]:
    return [
        make_pipeline(StandardScaler(), CalibratedClassifierCV(_grid(SVC(), inputs), cv=INNER_FOLDS, ensemble=False)),
        ExtraTreesClassifier(TREES, min_samples_leaf=LEAST_IN_LEAF, random_state=seed),
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)),
        make_pipeline(StandardScaler(), MLPClassifier(**_mlp(seed))),
    ]


def _for_values(inputs: int, seed: int) -> list[Any]:
    return [
        TransformedTargetRegressor(make_pipeline(StandardScaler(), _grid(SVR(), inputs)), transformer=StandardScaler()),
        ExtraTreesRegressor(TREES, min_samples_leaf=LEAST_IN_LEAF, random_state=seed),
        make_pipeline(StandardScaler(), RidgeCV([10.0**power for power in range(-2, 4)])),
        TransformedTargetRegressor(
            make_pipeline(StandardScaler(), MLPRegressor(**_mlp(seed))), transformer=StandardScaler()
        ),
    ]
