"""Percentiles and the median absolute deviation: exact order statistics, in C by bisection over the values.

Each pass of the bisection counts once through the window: 16 passes whatever the samples are, and no RAM.
"""

from collections.abc import Mapping

import numpy as np

from neuraltree.signals.features.feature import Feature
from neuraltree.tree.nodes import IntArray


def _ranked(parts: Mapping[str, IntArray], n: int, percent: int) -> IntArray:
    return parts["ordered"][:, (n * percent + 99) // 100 - 1]


PERCENTILE = Feature(
    "percentile",
    "the smallest sample that at least that many percent of the samples do not exceed",
    reads=("ordered",),
    integer=_ranked,
    c="""static int32_t nt_percentile(const int16_t *x, int n, int parameter) {
    return nt_ranked(x, n, ((int32_t)n * parameter + 99) / 100);
}""",
    functions=("ranked",),
    parameters=lambda n, rate_hz: (10, 25, 50, 75, 90),
    allowed=lambda n: (1, 100),
)


def _mad(parts: Mapping[str, IntArray], n: int, parameter: int) -> IntArray:
    distances = np.abs(parts["ordered"] - _ranked(parts, n, 50)[:, None])
    return np.partition(distances, (n + 1) // 2 - 1, axis=1)[:, (n + 1) // 2 - 1]


MAD = Feature(
    "mad",
    "the median of the distances from the median; both are the lower one of two",
    reads=("ordered",),
    integer=_mad,
    c="""static int32_t nt_mad(const int16_t *x, int n, int parameter) {
    const int rank = (n + 1) / 2;
    const int32_t median = nt_ranked(x, n, rank);
    int32_t low = 0, high = 65535;
    (void)parameter;
    while (low < high) {
        const int32_t middle = (low + high) >> 1;
        int count = 0;
        for (int i = 0; i < n; i++) count += x[i] - median <= middle && median - x[i] <= middle;
        if (count >= rank) high = middle; else low = middle + 1;
    }
    return low;
}""",
    functions=("ranked",),
)
