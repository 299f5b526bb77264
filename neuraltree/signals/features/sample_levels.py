"""Levels: the mean of the magnitudes, the root of the mean square, and single samples."""

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.sample_integers import quotient, root

MEAN_ABS = Feature(
    "mean_abs",
    "the mean of |x|",
    reads=("absolutes",),
    integer=lambda parts, n, parameter: quotient(parts["absolutes"], n),
    c="static int32_t nt_mean_abs(int32_t absolutes, int n, int parameter) { (void)parameter; return absolutes / n; }",
)
RMS = Feature(
    "rms",
    "the root of the mean of x²",
    reads=("squares",),
    integer=lambda parts, n, parameter: quotient(root(n * parts["squares"]), n),
    c="""static int32_t nt_rms(int64_t squares, int n, int parameter) {
    (void)parameter;
    return (int32_t)(nt_root((uint64_t)(n * squares)) / (uint32_t)n);
}""",
    functions=("root",),
)
RAW = Feature(
    "raw",
    "one of 16 samples at equal distances: 16 is the newest of the window, 15 one a 16th of the window older ...",
    reads=("window",),
    integer=lambda parts, n, parameter: parts["window"][:, (parameter * n + 15) // 16 - 1],
    c="""static int32_t nt_raw(const int16_t *x, int n, int parameter) {
    return x[(parameter * n + 15) / 16 - 1];
}""",
    parameters=lambda n, rate_hz: tuple(range(2, 17, 2)),
    allowed=lambda n: (1, 16),
)
LAG = Feature(
    "lag",
    "one sample: 0, or no number, is the newest of the window, 6 the one six samples older; tried where a config asks",
    reads=("window",),
    integer=lambda parts, n, parameter: parts["window"][:, n - 1 - parameter],
    c="""static int32_t nt_lag(const int16_t *x, int n, int parameter) {
    return x[n - 1 - parameter];
}""",
    parameters=lambda n, rate_hz: (),
    allowed=lambda n: (0, n - 1),
)
