"""Standardisation of columns: fitted on training rows only, kept with the tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scaler:
    """(x − mean) / scale per column; ``mean`` and ``scale`` have shape (columns,)."""

    mean: Array
    scale: Array

    @classmethod
    def fit(cls, X: ArrayLike) -> Scaler:
        """Mean and standard deviation of the columns of ``X`` (rows, columns); a constant column has scale 1."""
        X = np.asarray(X, dtype=np.float64)
        mean, scale = X.mean(axis=0), X.std(axis=0)
        # Rounding can leave a constant column a standard deviation just above zero, so look at the values.
        return cls(mean, np.where((X.min(axis=0) == X.max(axis=0)) | (scale == 0), 1.0, scale))

    def transform(self, X: ArrayLike) -> Array:
        return (np.asarray(X, dtype=np.float64) - self.mean) / self.scale

    def inverse(self, X: ArrayLike) -> Array:
        return np.asarray(X, dtype=np.float64) * self.scale + self.mean
