"""The rows of the study: two time series that the sources predict, and tables of the papers."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.holdout import holdout
from neuraltree.arrays import FloatArray

MACKEY_GLASS, GAS_FURNACE = "mackey_glass", "gas_furnace"
SERIES = (MACKEY_GLASS, GAS_FURNACE)
TAU, STEP, EVERY, START = 17, 0.1, 10, 1.2  # Mackey and Glass, Science 197, 1977; one sample a unit of time
FIRST, ROWS, TRAINED = 118, 1000, 500  # t of the first row; Jang, "ANFIS", IEEE Trans. SMC 23, 1993, section VI
# Box and Jenkins, "Time Series Analysis", 1970, series J: 296 pairs of a gas rate and the CO2 in the outlet gas.
SERIES_J = Path(__file__).with_name("gas_furnace.csv")
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
        X, y = mackey_glass() if name == MACKEY_GLASS else gas_furnace()
        cut = TRAINED if name == MACKEY_GLASS else len(X) // 2
        return Rows(X[:cut], y[:cut], X[cut:], y[cut:], 0)
    table = paper_tables.table(name)
    train, test = holdout(table, seed)
    return Rows(table.X[train], table.y[train], table.X[test], table.y[test], len(table.classes or ()))


def mackey_glass() -> tuple[FloatArray, FloatArray]:
    """(rows, 4) x(t - 18), x(t - 12), x(t - 6), x(t), and (rows,) x(t + 6), for the ``ROWS`` times t from ``FIRST``.

    x' = .2 x(t - 17) / (1 + x(t - 17)^10) - .1 x(t), x(0) = 1.2, x = 0 before. Runge-Kutta of order 4; a delayed value
    in the middle of a step is the mean of its ends.
    """
    delay, steps = round(TAU / STEP), round((FIRST + ROWS + 6) / STEP)
    x = np.zeros(steps + 1)
    x[0] = START
    for i in range(steps):
        first, last = (x[i - delay], x[i - delay + 1]) if i >= delay else (0.0, 0.0)
        begin, middle, end = (0.2 * late / (1 + late**10) for late in (first, (first + last) / 2, last))
        k1 = begin - 0.1 * x[i]
        k2 = middle - 0.1 * (x[i] + STEP * k1 / 2)
        k3 = middle - 0.1 * (x[i] + STEP * k2 / 2)
        k4 = end - 0.1 * (x[i] + STEP * k3)
        x[i + 1] = x[i] + STEP * (k1 + 2 * k2 + 2 * k3 + k4) / 6
    whole, t = x[::EVERY], FIRST + np.arange(ROWS)
    return np.column_stack([whole[t - 18], whole[t - 12], whole[t - 6], whole[t]]), whole[t + 6]


def gas_furnace() -> tuple[FloatArray, FloatArray]:
    """(290, 10) the gas rates u(t - 6) .. u(t - 1) and the levels y(t - 4) .. y(t - 1), and (290,) y(t)."""
    rate, level = np.loadtxt(SERIES_J, delimiter=",", skiprows=1).T
    t = np.arange(max(RATES, LEVELS), len(level))
    before = [rate[t - lag] for lag in range(RATES, 0, -1)] + [level[t - lag] for lag in range(LEVELS, 0, -1)]
    return np.column_stack(before), level[t]
