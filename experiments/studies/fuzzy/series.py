"""The rows of the study: two time series that the sources predict, and tables of the papers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.common.known_series import time_series
from experiments.common.known_series.time_series import FIRST, GAS_FURNACE, HORIZON, LAGS, MACKEY_GLASS, ROWS, TRAINED
from neuraltree.arrays import FloatArray

SERIES = (MACKEY_GLASS, GAS_FURNACE)
RATES, LEVELS = 6, 4  # the last gas rates and CO2 levels that predict the next level: Jang's ten candidates


class Rows(NamedTuple):
    """What a model learns and what it is scored on; ``y`` is float64, or class codes if ``classes`` is above 0."""

    X: FloatArray
    y: NDArray
    X_test: FloatArray
    y_test: NDArray
    classes: int


def rows_of(name: str, seed: int) -> Rows:
    """A series has one split by time for all seeds, a table of the papers the hold-out ``seed``."""
    if name in SERIES:
        X, y = mackey_rows() if name == MACKEY_GLASS else gas_rows()
        cut = TRAINED if name == MACKEY_GLASS else len(X) // 2
        return Rows(X[:cut], y[:cut], X[cut:], y[cut:], 0)
    table = paper_tables.table(name)
    train, test = holdout(table, seed)
    return Rows(table.X[train], table.y[train], table.X[test], table.y[test], len(table.classes or ()))


def mackey_rows() -> tuple[FloatArray, FloatArray]:
    """(rows, 4) x(t - 18), x(t - 12), x(t - 6), x(t), and (rows,) x(t + 6), for the ``ROWS`` times t from ``FIRST``."""
    whole, t = time_series.mackey_glass(), FIRST + np.arange(ROWS)
    return np.column_stack([whole[t - lag] for lag in LAGS]), whole[t + HORIZON]


def gas_rows() -> tuple[FloatArray, FloatArray]:
    """(290, 10) the gas rates u(t - 6) .. u(t - 1) and the levels y(t - 4) .. y(t - 1), and (290,) y(t)."""
    rate, level = time_series.gas_furnace()
    t = np.arange(max(RATES, LEVELS), len(level))
    before = [rate[t - lag] for lag in range(RATES, 0, -1)] + [level[t - lag] for lag in range(LEVELS, 0, -1)]
    return np.column_stack(before), level[t]
