"""How a window goes with time, with itself a little later, and with another stream.

With sums over n samples, n Σxy − Σx Σy is n² times the covariance. It stays below 2^50 in windows of 1024 samples, so
that 2^13 times it fits 63 bits. Roots are taken of 64 times a variance, for windows of small samples.
"""

from collections.abc import Mapping

import numpy as np

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.sample_integers import quotient, root
from neuraltree.tree.nodes import IntArray

ONE = 1 << 13  # a correlation of 1


def _slope(parts: Mapping[str, IntArray], n: int, parameter: int) -> IntArray:
    lean = 2 * (parts["window"] @ np.arange(n)) - (n - 1) * parts["sum"]
    return quotient(6 * lean, n * n - 1)


SLOPE = Feature(
    "slope",
    "the rise of the least-squares line over n samples",
    reads=("window", "sum"),
    integer=_slope,
    c="""static int32_t nt_slope(const int16_t *x, int32_t sum, int n, int parameter) {
    int64_t lean = 0;
    (void)parameter;
    for (int i = 1; i < n; i++) lean += (int32_t)i * x[i];
    return (int32_t)(6 * (2 * lean - (int64_t)(n - 1) * sum) / ((int32_t)n * n - 1));
}""",
)


def _autocorrelation(parts: Mapping[str, IntArray], n: int, lag: int) -> IntArray:
    x, total = parts["window"], parts["sum"]
    products = np.einsum("ij,ij->i", x[:, :-lag], x[:, lag:])
    both = 2 * total - x[:, :lag].sum(axis=1) - x[:, n - lag :].sum(axis=1)
    covariance = quotient(n * n * products - n * total * both + (n - lag) * total**2, n)
    return quotient(covariance * ONE, n * parts["squares"] - total**2)


AUTOCORRELATION = Feature(
    "autocorrelation",
    "the correlation of the window with itself that many samples later, by the variance of all samples",
    reads=("window", "sum", "squares"),
    integer=_autocorrelation,
    c="""static int32_t nt_autocorrelation(const int16_t *x, int32_t sum, int64_t squares, int n, int parameter) {
    const int64_t variance = n * squares - (int64_t)sum * sum;
    int64_t products = 0, covariance;
    int32_t both = 2 * sum;
    for (int i = 0; i < n - parameter; i++) products += (int32_t)x[i] * x[i + parameter];
    for (int i = 0; i < parameter; i++) both -= (int32_t)x[i] + x[n - 1 - i];
    covariance = (int32_t)n * n * products - (int64_t)n * sum * both + (n - parameter) * ((int64_t)sum * sum);
    return variance ? (int32_t)(covariance / n * (1 << 13) / variance) : 0;
}""",
    scale=ONE,
    parameters=lambda n, rate_hz: tuple(lag for lag in (1, 2, 4, 8, 16) if lag <= n // 4),
    allowed=lambda n: (1, n - 1),
)


def _correlation(parts: Mapping[str, IntArray], n: int, parameter: int) -> IntArray:
    x, y = parts["x.sum"], parts["y.sum"]
    covariance = n * parts["products"] - x * y
    spread = root(64 * (n * parts["x.squares"] - x**2)) * root(64 * (n * parts["y.squares"] - y**2)) >> 6
    return np.clip(quotient(covariance * ONE, spread), -ONE, ONE)


CORRELATION = Feature(
    "correlation",
    "the correlation of two streams; 0 if one is constant",
    reads=("x.sum", "x.squares", "y.sum", "y.squares", "products"),
    integer=_correlation,
    c="""static int32_t nt_correlation(int32_t x, int64_t xx, int32_t y, int64_t yy, int64_t xy, int n, int parameter) {
    const int64_t spread = (int64_t)nt_root((uint64_t)(64 * (n * xx - (int64_t)x * x))) *
                           nt_root((uint64_t)(64 * (n * yy - (int64_t)y * y))) >> 6;
    const int64_t found = spread ? (n * xy - (int64_t)x * y) * (1 << 13) / spread : 0;
    (void)parameter;
    return (int32_t)(found > 1 << 13 ? 1 << 13 : found < -(1 << 13) ? -(1 << 13) : found);
}""",
    scale=ONE,
    functions=("root",),
)
