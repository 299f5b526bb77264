"""The range of each input that 8 bits represent best."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.compress.int8.lookup_tables import UNIT

SHARES = np.linspace(1.0, 0.3, 15)  # shares of the largest value, tried in turn
MOST_ROWS = 10_000


def fit_input_range(Z: ArrayLike) -> NDArray[np.float64]:
    """(features,) the largest |standardised input| to represent, from standardised rows (rows, features).

    For each feature it is the range whose clamping and rounding to -127..127 has the least squared error over the
    rows: a few outliers are clamped if the other rows gain more by finer steps.
    """
    Z = np.abs(np.asarray(Z, dtype=np.float64))
    largest = Z.max(axis=0)
    largest = np.where(largest > 0, largest, 1.0)  # a constant column has one value, 0
    rows = Z[np.linspace(0, len(Z) - 1, min(len(Z), MOST_ROWS)).astype(int)]
    errors = [np.square(_rounded(rows, largest * share) - rows).sum(axis=0) for share in SHARES]
    return largest * SHARES[np.argmin(errors, axis=0)]


def _rounded(Z: NDArray[np.float64], reach: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.minimum(np.rint(Z * (UNIT / reach)), UNIT) * (reach / UNIT)
