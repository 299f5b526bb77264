"""Metrics of rows that come in blocks: those that follow from sums over the rows."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.tasks.metrics import Truth, metric_named


class _Row(NamedTuple):
    """``metric`` is that of a block, to the ``power`` whose mean over the rows counts; ``by_class``: of each class."""

    metric: str
    power: int = 1
    by_class: bool = False


_ROWS = {
    "mae": _Row("mae"),
    "huber": _Row("huber"),
    "pinball": _Row("pinball"),
    "error_rate": _Row("error_rate"),
    "log_loss": _Row("log_loss"),
    "rmse": _Row("rmse", power=2),
    "one_minus_r2": _Row("rmse", power=2),
    "balanced_error": _Row("error_rate", by_class=True),
    "balanced_log_loss": _Row("log_loss", by_class=True),
}


def is_summed(metric: str) -> bool:
    """Whether a metric of ``neuraltree.tasks.metrics`` follows from sums over rows."""
    return metric in _ROWS or _stem(metric) in _ROWS


def _stem(metric: str) -> str:
    return metric.rpartition("_")[0]


class MetricSum:
    """A metric of one model over all rows that were added; a target of numbers is one column."""

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self._row = _ROWS[metric] if metric in _ROWS else _ROWS[_stem(metric)]._replace(metric=metric)
        self._totals: dict[int, float] = {}
        self._counts: dict[int, int] = {}
        self._target = (0, 0.0, 0.0)  # the rows, the mean of their targets, and the sum of squared distances from it

    def add(self, truth: Truth, outputs: FloatArray) -> None:
        """Add rows: outputs (1, outputs, rows)."""
        formula = metric_named(self._row.metric)
        for key, rows in self._groups(truth):
            value = float(formula(truth.take(rows), outputs[:, :, rows])[0])
            self._totals[key] = self._totals.get(key, 0.0) + len(rows) * value**self._row.power
            self._counts[key] = self._counts.get(key, 0) + len(rows)
        if self.metric == "one_minus_r2":
            self._spread(truth.target)

    def _groups(self, truth: Truth) -> Iterator[tuple[int, NDArray[np.int64]]]:
        if not self._row.by_class:
            yield 0, np.arange(len(truth.target))
            return
        for code in np.unique(truth.target).tolist():
            yield code, np.flatnonzero(truth.target == code)

    def _spread(self, target: NDArray) -> None:
        """Merge the mean and the squares of a block (Chan, Golub & LeVeque 1983)."""
        rows, mean, squares = self._target
        count, apart = rows + len(target), float(target.mean()) - mean
        squares += float(np.square(target - target.mean()).sum()) + apart**2 * rows * len(target) / count
        self._target = count, mean + apart * len(target) / count, squares

    @property
    def value(self) -> float:
        """The metric; NaN without rows."""
        if not self._counts:
            return float("nan")
        mean = float(np.mean([self._totals[key] / self._counts[key] for key in self._counts]))
        if self.metric == "one_minus_r2":
            spread = self._target[2] / self._target[0]
            return mean / spread if spread > 0 else float(mean > 0)
        return sqrt(mean) if self._row.power == 2 else mean
