"""Squares of the differences within a window."""

import numpy as np

from neuraltree.signals.parts.part import Part, Window
from neuraltree.tree.nodes import IntArray


def _difference_squares(w: Window) -> IntArray:
    steps = np.diff(w.x, axis=1)
    return np.einsum("ij,ij->i", steps, steps)


# A difference has 17 bits, so that its square is one of 32 bits without a sign only.
DIFFERENCE_SQUARES = Part(
    "difference_squares",
    "Σ of the squares of the differences of neighbours, all within the window",
    _difference_squares,
    c_type="int64_t",
    c="""static int64_t nt_difference_squares(const int16_t *x, int n) {
    int64_t total = 0;
    for (int i = 1; i < n; i++) {
        const int32_t d = (int32_t)x[i] - x[i - 1];
        total += (uint32_t)d * (uint32_t)d;
    }
    return total;
}""",
)
