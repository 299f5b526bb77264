"""Means, deviations and ranges of columns, from blocks of rows that come one after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.tree.scaler import Scaler


class Moments(NamedTuple):
    """Of each column (columns,): the number of cells that are not missing, their mean, the sum of their squared
    distances from it, the smallest and the largest. A column without cells has the mean 0."""

    cells: FloatArray
    mean: FloatArray
    squares: FloatArray
    low: FloatArray
    high: FloatArray

    @staticmethod
    def of(X: FloatArray) -> Moments:
        """Of numbers (rows, columns), NaN for a missing cell."""
        sums = X.sum(axis=0)
        if np.isfinite(sums).all() and len(X):  # NaN and infinity would be in the sums
            mean = sums / len(X)
            squares = np.square(X - mean).sum(axis=0)
            return Moments(np.full(len(mean), float(len(X))), mean, squares, X.min(axis=0), X.max(axis=0))
        there = ~np.isnan(X)
        cells = there.sum(axis=0).astype(np.float64)
        mean = np.where(there, X, 0.0).sum(axis=0) / np.maximum(cells, 1)
        with np.errstate(invalid="ignore"):  # infinite numbers, which are refused later
            squares = np.where(there, np.square(X - mean), 0.0).sum(axis=0)
        low = np.where(there, X, np.inf).min(axis=0, initial=np.inf)
        high = np.where(there, X, -np.inf).max(axis=0, initial=-np.inf)
        return Moments(cells, mean, squares, low, high)

    @staticmethod
    def weighted(X: FloatArray, weight: FloatArray) -> Moments:
        """Of numbers (rows, columns), none of them missing, each row of which stands for ``weight`` rows."""
        cells = np.full(X.shape[1], weight.sum())
        mean = np.average(X, axis=0, weights=weight)
        squares = (weight[:, None] * np.square(X - mean)).sum(axis=0)
        return Moments(cells, mean, squares, X.min(axis=0), X.max(axis=0))

    @staticmethod
    def none(columns: int) -> Moments:
        """Of no rows."""
        zero = np.zeros(columns)
        return Moments(zero, zero, zero, np.full(columns, np.inf), np.full(columns, -np.inf))

    def __add__(self, other: Moments) -> Moments:  # type: ignore[override]
        """Of the rows of both (Chan, Golub & LeVeque 1983, The American Statistician 37, formula 2.1b)."""
        cells = self.cells + other.cells
        share = other.cells / np.maximum(cells, 1)
        with np.errstate(invalid="ignore"):  # infinite numbers, which are refused later
            apart = other.mean - self.mean
            mean = self.mean + apart * share
            squares = self.squares + other.squares + np.square(apart) * self.cells * share
        return Moments(
            cells,
            mean,
            squares,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    def filled(self, rows: float, fill: FloatArray) -> Moments:
        """With ``fill`` (columns,) in the place of what is missing of so many rows."""
        zero = np.zeros(len(fill))
        missing = rows - self.cells
        there = missing > 0
        low, high = np.where(there, fill, np.inf), np.where(there, fill, -np.inf)
        return self + Moments(missing, fill, zero, low, high)

    def beside(self, other: Moments) -> Moments:
        """Of the columns of both."""
        return Moments(*(np.concatenate(each) for each in zip(self, other, strict=True)))

    def take(self, columns: list[int]) -> Moments:
        return Moments(*(part[columns] for part in self))

    @property
    def scaler(self) -> Scaler:
        """To mean 0 and standard deviation 1; a constant column has scale 1, as in ``Scaler.fit``."""
        scale = np.sqrt(self.squares / np.maximum(self.cells, 1))
        return Scaler(self.mean, np.where((self.low == self.high) | (scale == 0), 1.0, scale))
