"""The last value, a linear model and networks of one hidden layer, on the rows of the trees."""

from __future__ import annotations

import time
import warnings

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import TimeSeriesSplit
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from experiments.frame.experiment import Row
from experiments.studies.series.forecast_tasks import Task
from neuraltree.arrays import FloatArray
from search.table.data import Table
from search.table.splits import RowIndices

HIDDEN = (8, 32)
PENALTIES = np.logspace(-6, 3, 19)


def other_rows(table: Table, train: RowIndices, test: RowIndices, seed: int, task: Task) -> list[Row]:
    """A row for each model. ``table``: of the lags, integers."""
    found: list[Row] = [_last_value(table, test, task)]
    options = {"solver": "lbfgs", "max_iter": 5000, "random_state": seed}
    networks = {f"mlp_{size}": MLPRegressor(hidden_layer_sizes=(size,), **options) for size in HIDDEN}
    models = {"linear": RidgeCV(PENALTIES, cv=TimeSeriesSplit(5)), **networks}
    for name, last in models.items():
        begun = time.process_time()
        made = TransformedTargetRegressor(make_pipeline(StandardScaler(), last), transformer=StandardScaler())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            made.fit(table.X[train], table.y[train])
        predicted = made.predict(table.X[test])
        found.append(
            {
                "model": name,
                "params": _params(made.regressor_[-1]),
                "train_rows": len(train),
                "test_rmse": rmse(predicted, table.y[test]),
                "fit_s": time.process_time() - begun,
            }
        )
    return found


def rmse(values: FloatArray, truth: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.square(values - truth))))


def _last_value(table: Table, test: RowIndices, task: Task) -> Row:
    """The newest sample of the target, with the precision of the integers."""
    assert table.front is not None
    front = table.front
    place = [(one.stream.source, one.feature.parameter) for one in front.wanted].index((task.target, 0))
    scale = front.counts_per_unit[front.channels.index(task.target)]
    return {"model": "last_value", "params": 0, "test_rmse": rmse(table.X[test, place] / scale, table.y[test])}


def _params(model: RegressorMixin) -> int:
    parts = [model.coef_, model.intercept_] if isinstance(model, RidgeCV) else [*model.coefs_, *model.intercepts_]
    return sum(np.size(part) for part in parts)
