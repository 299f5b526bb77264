"""The window itself, for features that go through its samples."""

import numpy as np

from neuraltree.signals.parts.part import Part

WINDOW = Part("window", "the samples, the oldest first", lambda w: w.x, c_type="int16_t", values=lambda n: n)
# Counting needs no order: only NumPy sorts.
ORDERED = Part(
    "ordered",
    "the samples in ascending order; in C as they come",
    lambda w: np.sort(w.x.astype(np.int16), axis=1).astype(np.int64),
    c_type="int16_t",
    values=lambda n: n,
)
