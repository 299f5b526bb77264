"""The standard deviation, from exact sums."""

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.sample_integers import quotient, root

SD = Feature(
    "sd",
    "the standard deviation of the population: the root of n Σx² − (Σx)², by n",
    reads=("sum", "squares"),
    integer=lambda parts, n, parameter: quotient(root(n * parts["squares"] - parts["sum"] ** 2), n),
    c="""static int32_t nt_sd(int32_t sum, int64_t squares, int n, int parameter) {
    (void)parameter;
    return (int32_t)(nt_root((uint64_t)(n * squares - (int64_t)sum * sum)) / (uint32_t)n);
}""",
    functions=("root",),
)
