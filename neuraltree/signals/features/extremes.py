"""Features of the smallest and the greatest sample."""

import numpy as np

from neuraltree.signals.features.feature import Feature
from neuraltree.signals.sample_integers import quotient, root

MIN = Feature(
    "min",
    "the smallest sample",
    reads=("minimum",),
    integer=lambda parts, n, parameter: parts["minimum"],
    c="""static int32_t nt_min(int16_t minimum, int n, int parameter) {
    (void)n;
    (void)parameter;
    return minimum;
}""",
)
MAX = Feature(
    "max",
    "the greatest sample",
    reads=("maximum",),
    integer=lambda parts, n, parameter: parts["maximum"],
    c="""static int32_t nt_max(int16_t maximum, int n, int parameter) {
    (void)n;
    (void)parameter;
    return maximum;
}""",
)
RANGE = Feature(
    "range",
    "the greatest sample less the smallest",
    reads=("minimum", "maximum"),
    integer=lambda parts, n, parameter: parts["maximum"] - parts["minimum"],
    c="""static int32_t nt_range(int16_t minimum, int16_t maximum, int n, int parameter) {
    (void)n;
    (void)parameter;
    return (int32_t)maximum - minimum;
}""",
)
# The root has 4 more bits than that of n Σx² alone, for windows of small samples.
CREST = Feature(
    "crest",
    "the greatest |x| over the root of the mean of x²",
    reads=("minimum", "maximum", "squares"),
    integer=lambda parts, n, parameter: quotient(
        np.maximum(parts["maximum"], -parts["minimum"]) * n * (1 << 14), root(n * parts["squares"] * 256)
    ),
    c="""static int32_t nt_crest(int16_t minimum, int16_t maximum, int64_t squares, int n, int parameter) {
    const int32_t peak = maximum > -minimum ? maximum : -minimum;
    const uint32_t level = nt_root((uint64_t)(n * squares * 256));
    (void)parameter;
    return level ? (int32_t)((int64_t)peak * n * (1 << 14) / level) : 0;
}""",
    scale=1 << 10,
    functions=("root",),
)
