"""Sums of powers of the distances from the mean, the distances being numbers of 11 bits.

n x − Σx is n times the exact distance. It is shifted so that the greatest has 10 bits, which no ratio of central
moments notices: then all sums fit 64 bits, and each power but the fourth fits 32.
"""

import numpy as np

from neuraltree.signals.parts.part import Part, Window
from neuraltree.signals.sample_integers import bit_length
from neuraltree.tree.nodes import IntArray


def _central(w: Window) -> IntArray:
    n, total = w.x.shape[1], w.parts["sum"]
    top = np.maximum(n * w.parts["maximum"] - total, total - n * w.parts["minimum"])
    shift = np.maximum(bit_length(top) - 10, 0)
    d = (n * w.x - (total - (1 << shift >> 1))[:, None]) >> shift[:, None]
    squares = d * d
    sums = [squares.sum(axis=1), np.einsum("ij,ij->i", squares, d), np.einsum("ij,ij->i", squares, squares)]
    return np.column_stack(sums)


CENTRAL = Part(
    "central",
    "Σ d², Σ d³ and Σ d⁴ of scaled distances d from the mean",
    _central,
    needs=("sum", "minimum", "maximum"),
    c_type="int64_t",
    c="""static void nt_central(const int16_t *x, int n, int32_t sum, int16_t minimum, int16_t maximum,
                       int64_t *values) {
    int32_t above = (int32_t)n * maximum - sum, below = sum - (int32_t)n * minimum, half;
    int shift = 0;
    if (below > above) above = below;
    while (above >> shift > 1023) shift++;
    half = ((int32_t)1 << shift) >> 1;
    values[0] = values[1] = values[2] = 0;
    for (int i = 0; i < n; i++) {
        const int32_t d = ((int32_t)n * x[i] - sum + half) >> shift, square = d * d;
        values[0] += square;
        values[1] += square * d;
        values[2] += (int64_t)square * square;
    }
}""",
    values=lambda n: 3,
)
