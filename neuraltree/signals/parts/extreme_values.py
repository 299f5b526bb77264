"""The smallest and the greatest sample, and changes of sign."""

import numpy as np

from neuraltree.signals.parts.part import Block, Part, Window
from neuraltree.tree.nodes import IntArray

MINIMUM = Part(
    "minimum",
    "the smallest sample",
    lambda w: w.x.min(axis=1),
    c_type="int16_t",
    block=Block("32767", "if (x < a) a = (int16_t)x;", "min"),
)
MAXIMUM = Part(
    "maximum",
    "the greatest sample",
    lambda w: w.x.max(axis=1),
    c_type="int16_t",
    block=Block("-32767", "if (x > a) a = (int16_t)x;", "max"),
)


def _sign_changes(w: Window) -> IntArray:
    negative = np.column_stack([w.before, w.x]) < 0
    return np.count_nonzero(negative[:, 1:] != negative[:, :-1], axis=1).astype(np.int64)


SIGN_CHANGES = Part(
    "sign_changes",
    "samples whose sign is not that of the sample before; 0 counts as positive",
    _sign_changes,
    c_type="int16_t",
    block=Block("0", "a = (int16_t)(a + ((x ^ before) < 0));", "add"),
)
