"""The mean."""

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.sample_integers import quotient

MEAN = Feature(
    "mean",
    "the mean",
    reads=("sum",),
    integer=lambda parts, n, parameter: quotient(parts["sum"], n),
    c="static int32_t nt_mean(int32_t sum, int n, int parameter) { (void)parameter; return sum / n; }",
)
