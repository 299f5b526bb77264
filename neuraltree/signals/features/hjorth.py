"""Hjorth's mobility and complexity, of the differences within a window.

With m numbers of the sum s and the sum of squares q, m q − s² is m² times their variance; the sum of differences is
the last number less the first. Roots are taken of 64 times that, for windows of small samples.
"""

from collections.abc import Mapping

import numpy as np

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.sample_integers import quotient, root
from neuraltree.tree.nodes import IntArray

READS = ("window", "sum", "squares", "difference_squares")


def _deviations(parts: Mapping[str, IntArray], n: int) -> tuple[IntArray, IntArray]:
    x = parts["window"]
    variance = n * parts["squares"] - parts["sum"] ** 2
    of_steps = (n - 1) * parts["difference_squares"] - (x[:, -1] - x[:, 0]) ** 2
    return root(64 * variance), root(64 * of_steps)


def _mobility(parts: Mapping[str, IntArray], n: int, parameter: int) -> IntArray:
    deviation, of_steps = _deviations(parts, n)
    return quotient(of_steps * n * (1 << 13), (n - 1) * deviation)


MOBILITY = Feature(
    "mobility",
    "Hjorth's mobility: the standard deviation of the differences over that of the samples",
    reads=READS,
    integer=_mobility,
    c="""static int32_t nt_mobility(const int16_t *x, int32_t sum, int64_t squares, int64_t steps, int n,
                           int parameter) {
    const int64_t rise = (int32_t)x[n - 1] - x[0];
    const int64_t deviation = nt_root((uint64_t)(64 * (n * squares - (int64_t)sum * sum)));
    const int64_t of_steps = nt_root((uint64_t)(64 * ((n - 1) * steps - rise * rise)));
    (void)parameter;
    return deviation ? (int32_t)(of_steps * n * (1 << 13) / ((n - 1) * deviation)) : 0;
}""",
    scale=1 << 13,
    functions=("root",),
)


def _complexity(parts: Mapping[str, IntArray], n: int, parameter: int) -> IntArray:
    deviation, of_steps = _deviations(parts, n)
    steps = np.diff(parts["window"], axis=1)
    bends = np.diff(steps, axis=1)
    of_bends = root(64 * ((n - 2) * np.einsum("ij,ij->i", bends, bends) - (steps[:, -1] - steps[:, 0]) ** 2))
    of_signal = quotient(of_steps * n * (1 << 20), (n - 1) * deviation)
    of_difference = quotient(of_bends * (n - 1) * 1048576, (n - 2) * of_steps)
    return np.minimum(quotient(of_difference * 256, of_signal), 32767)


COMPLEXITY = Feature(
    "complexity",
    "Hjorth's complexity: the mobility of the differences over that of the samples",
    reads=READS,
    integer=_complexity,
    c="""static int32_t nt_complexity(const int16_t *x, int32_t sum, int64_t squares, int64_t steps, int n,
                             int parameter) {
    const int64_t rise = (int32_t)x[n - 1] - x[0];
    const int64_t deviation = nt_root((uint64_t)(64 * (n * squares - (int64_t)sum * sum)));
    const int64_t of_steps = nt_root((uint64_t)(64 * ((n - 1) * steps - rise * rise)));
    const int64_t turn = (int64_t)x[n - 1] - x[n - 2] - x[1] + x[0];
    int64_t bends = 0, of_signal, found;
    (void)parameter;
    for (int i = 2; i < n; i++) {
        const int64_t bend = (int32_t)x[i] - 2 * (int32_t)x[i - 1] + x[i - 2];
        bends += bend * bend;
    }
    bends = nt_root((uint64_t)(64 * ((n - 2) * bends - turn * turn)));
    of_signal = deviation ? of_steps * n * 1048576 / ((n - 1) * deviation) : 0;
    if (!of_signal) return 0;
    found = bends * (n - 1) * 1048576 / ((n - 2) * of_steps) * 256 / of_signal;
    return found > 32767 ? 32767 : (int32_t)found;
}""",
    scale=1 << 8,
    functions=("root",),
)
