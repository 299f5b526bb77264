"""A time series as a table: earlier values beside the one to predict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray
from neuraltree.option_values import is_whole


def lagged(
    series: ArrayLike, lags: Sequence[int], horizon: int = 1, *, target: int = 0
) -> tuple[FloatArray, FloatArray]:
    """(rows, channels x lags) values ``lags`` samples before the newest, 0, and (rows,) of the channel ``target`` the
    value ``horizon`` samples after it; in time.

    ``series`` (samples,) or (samples, channels). The columns of a channel are beside each other, in the order of
    ``lags``; with ``horizon`` 0 the target is none of them. Row i is of sample i + max(lags). ``ValueError`` if no row
    is left, or numbers are not allowed.

    >>> X, y = lagged([1.0, 2.0, 4.0, 8.0, 16.0], lags=(0, 2), horizon=1)
    >>> X.tolist(), y.tolist()
    ([[4.0, 1.0], [8.0, 2.0]], [8.0, 16.0])
    """
    values = np.asarray(series, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2:
        raise ValueError(f"series has shape {values.shape}; give (samples,) or (samples, channels)")
    if not len(lags) or not all(is_whole(lag, 0) for lag in lags) or not is_whole(horizon, 0):
        raise ValueError(f"lags={lags!r}, horizon={horizon!r}; give whole numbers of 0 or more, and at least one lag")
    if not 0 <= target < values.shape[1]:
        raise ValueError(f"target={target!r}; the channels are 0 to {values.shape[1] - 1}")
    inputs = [i for i in range(values.shape[1]) if horizon or i != target]
    if not inputs:
        raise ValueError("horizon=0 would predict the only channel from itself; look ahead, or give other channels")
    t = np.arange(max(lags), len(values) - horizon)
    if not len(t):
        raise ValueError(
            f"{len(values)} samples are too few for a lag of {max(lags)} and a horizon of {horizon}: at least "
            f"{max(lags) + horizon + 1} are needed"
        )
    X = np.column_stack([values[t - lag, i] for i in inputs for lag in lags])
    return X, values[t + horizon, target]
