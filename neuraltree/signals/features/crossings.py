"""How often the samples cross a level."""

import numpy as np

from neuraltree.signals.features.feature import Feature

ZERO_CROSSINGS = Feature(
    "zero_crossings",
    "samples whose sign is not that of the sample before; the first of the window counts too",
    reads=("sign_changes",),
    integer=lambda parts, n, parameter: parts["sign_changes"],
    c="""static int32_t nt_zero_crossings(int16_t sign_changes, int n, int parameter) {
    (void)n;
    (void)parameter;
    return sign_changes;
}""",
)
MEAN_CROSSINGS = Feature(
    "mean_crossings",
    "changes from below the mean to the mean or above, and back",
    reads=("window", "sum"),
    integer=lambda parts, n, parameter: np.count_nonzero(
        np.diff(n * parts["window"] < parts["sum"][:, None], axis=1), axis=1
    ).astype(np.int64),
    c="""static int32_t nt_mean_crossings(const int16_t *x, int32_t sum, int n, int parameter) {
    int32_t found = 0, before = (int32_t)n * x[0] - sum;
    (void)parameter;
    for (int i = 1; i < n; i++) {
        const int32_t now = (int32_t)n * x[i] - sum;
        found += (now ^ before) < 0;
        before = now;
    }
    return found;
}""",
)
