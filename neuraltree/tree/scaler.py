"""Standardisation of columns: fitted on training rows only, and kept with the tree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scaler:
    """(x − mean) / scale per column; ``mean`` and ``scale`` have shape (columns,)."""

    mean: FloatArray
    scale: FloatArray

    @classmethod
    def fit(cls, X: ArrayLike, weight: FloatArray | None = None) -> Scaler:
        """Mean and standard deviation of the columns of ``X`` (rows, columns); a constant column has scale 1.

        ``weight`` (rows,) is the weight of each row; a row of weight 0 has no effect.
        """
        X = np.asarray(X, dtype=np.float64)
        if weight is not None:
            X, weight = X[weight > 0], weight[weight > 0]
        # Scale by a power of two, which changes no digit, so that squares neither overflow nor vanish.
        exponent = np.frexp(np.abs(X).max(axis=0))[1]
        small = np.ldexp(X, -exponent)
        mean = np.average(small, axis=0, weights=weight)
        scale = np.sqrt(np.average((small - mean) ** 2, axis=0, weights=weight))
        mean, scale = np.ldexp(mean, exponent), np.ldexp(scale, exponent)
        # Rounding can leave a constant column a standard deviation just above zero, so look at the values.
        return cls(mean, np.where((X.min(axis=0) == X.max(axis=0)) | (scale == 0), 1.0, scale))

    def transform(self, X: ArrayLike) -> FloatArray:
        return (np.asarray(X, dtype=np.float64) - self.mean) / self.scale

    def inverse(self, X: ArrayLike) -> FloatArray:
        return np.asarray(X, dtype=np.float64) * self.scale + self.mean
