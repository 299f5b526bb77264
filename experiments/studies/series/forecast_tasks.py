"""What the study predicts: the series as recordings, and the config of a search on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.common.known_series.time_series import (
    FIRST,
    GAS_FURNACE,
    HORIZON,
    LAGS,
    MACKEY_GLASS,
    ROWS,
    gas_furnace,
    mackey_glass,
)
from neuraltree.arrays import FloatArray

GAS_TEN = "gas_furnace_10"
DEVICE = "cortex-m4f"
TRAINING = {"epochs": 200, "batch_size": 16, "learning_rate": 0.02}
SIZE, QUICK_SIZE = (60, 30), (12, 2)  # population and generations
FOLDS = 2  # in time; with 4 the first has too few rows to tell good structures


class Task(NamedTuple):
    """``lags``: by channel, samples before the newest; the ``target`` is predicted ``horizon`` samples after it."""

    target: str
    horizon: int
    lags: dict[str, tuple[int, ...]]
    rate_hz: float = 1.0


# x(t - 18), x(t - 12), x(t - 6), x(t) predict x(t + 6); u(t - 4) and y(t - 1), or the ten candidates of Jang, y(t).
TASKS = {
    MACKEY_GLASS: Task("x", HORIZON, {"x": LAGS}),
    GAS_FURNACE: Task("co2", 1, {"rate": (3,), "co2": (0,)}, 1 / 9),
    GAS_TEN: Task("co2", 1, {"rate": tuple(range(6)), "co2": tuple(range(4))}, 1 / 9),
}


def series_of(name: str) -> dict[str, FloatArray]:
    """(samples,) of each channel. Of Mackey-Glass what the rows of Jang read: 1,000, of which 500 are for the test."""
    if name == MACKEY_GLASS:
        return {"x": mackey_glass()[FIRST - max(LAGS) : FIRST + ROWS + HORIZON]}
    rate, level = gas_furnace()
    return {"rate": rate, "co2": level}


def write_series(name: str, path: Path) -> None:
    """A CSV file of samples, every number exact."""
    series = series_of(name)
    values = np.column_stack([*series.values()])
    np.savetxt(path, values, "%.17g", ",", header=",".join(series), comments="")


def config_tables(name: str, precision: str, seed: int, quick: bool, folder: Path) -> dict[str, Any]:
    """The config of a search on a file ``series.csv`` in the folder, whose second half is for the test."""
    task = TASKS[name]
    population, generations = QUICK_SIZE if quick else SIZE
    return {
        "data": {"source": str(folder / "series.csv"), "test_fraction": 0.5},
        "run": {"out": str(folder / "run"), "seed": seed},
        "signal": {
            "target": task.target,
            "horizon": task.horizon,
            "lags": {channel: list(lags) for channel, lags in task.lags.items()},
            "rate_hz": task.rate_hz,
        },
        "search": {
            "population": population,
            "generations": generations,
            "folds": FOLDS,
            "objectives": ["rmse", "flash_bytes"],
        },
        "train": TRAINING | ({"epochs": 10} if quick else {}),
        "hardware": {"device": DEVICE, "precision": precision},
        "baselines": {"models": []},
    }
