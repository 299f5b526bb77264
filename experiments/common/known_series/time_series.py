"""Two time series of the literature on fuzzy models: Mackey-Glass, and the gas furnace of Box and Jenkins."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neuraltree.arrays import FloatArray

MACKEY_GLASS, GAS_FURNACE = "mackey_glass", "gas_furnace"
TAU, STEP, EVERY, START = 17, 0.1, 10, 1.2  # Mackey and Glass, Science 197, 1977; one sample a unit of time
# Jang, "ANFIS", IEEE Trans. SMC 23, 1993, section VI: x(t - 18), x(t - 12), x(t - 6) and x(t) predict x(t + 6).
LAGS, HORIZON = (18, 12, 6, 0), 6
FIRST, ROWS, TRAINED = 118, 1000, 500  # t of the first row; rows; of these the first that are learned
# Box and Jenkins, "Time Series Analysis", 1970, series J: 296 pairs of a gas rate and the CO2 in the outlet gas.
SERIES_J = Path(__file__).with_name("gas_furnace.csv")


def mackey_glass() -> FloatArray:
    """(t,) x(t) for t = 0, 1, ... as far as the rows reach.

    x' = .2 x(t - 17) / (1 + x(t - 17)^10) - .1 x(t), x(0) = 1.2, x = 0 before. Runge-Kutta of order 4; a delayed value
    in the middle of a step is the mean of its ends.
    """
    delay, steps = round(TAU / STEP), round((FIRST + ROWS + HORIZON) / STEP)
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
    return x[::EVERY]


def gas_furnace() -> tuple[FloatArray, FloatArray]:
    """(296,) the gas rate u(t) and (296,) the CO2 y(t)."""
    rate, level = np.loadtxt(SERIES_J, delimiter=",", skiprows=1).T
    return rate, level
