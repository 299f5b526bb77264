"""Skewness and kurtosis: ratios of central moments."""

from collections.abc import Mapping

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.sample_integers import quotient, root
from neuraltree.tree.nodes import IntArray


def _skewness(parts: Mapping[str, IntArray], n: int, parameter: int) -> IntArray:
    second, third, _ = parts["central"].T
    return quotient(quotient(third * 4096, second) * n * 4, root(second * n * 256))


# With S the sums of powers, √n S3 / S2^1.5 is (S3 / S2) n / √(n S2). The quotient has 12 bits more, the root 4.
SKEWNESS = Feature(
    "skewness",
    "the third central moment over the cube of the standard deviation; 0 if the window is constant",
    reads=("central",),
    integer=_skewness,
    c="""static int32_t nt_skewness(const int64_t *central, int n, int parameter) {
    (void)parameter;
    if (!central[0]) return 0;
    return (int32_t)(central[1] * 4096 / central[0] * n * 4 / nt_root((uint64_t)(central[0] * n * 256)));
}""",
    scale=1 << 10,
    functions=("root",),
)


def _kurtosis(parts: Mapping[str, IntArray], n: int, parameter: int) -> IntArray:
    second, _, fourth = parts["central"].T
    return quotient(quotient(fourth * 256, second) * n, second)


KURTOSIS = Feature(
    "kurtosis",
    "the fourth central moment over the square of the variance, 3 for a normal distribution; 128 at most",
    reads=("central",),
    integer=_kurtosis,
    c="""static int32_t nt_kurtosis(const int64_t *central, int n, int parameter) {
    (void)parameter;
    return central[0] ? (int32_t)(central[2] * 256 / central[0] * n / central[0]) : 0;
}""",
    scale=1 << 8,
)
