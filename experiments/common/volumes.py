"""The volume of a front on test rows if validation rows alone choose among its members."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def tested_volume(
    val_errors: Sequence[float], test_errors: Sequence[float], sizes: ArrayLike, corner: Sequence[float]
) -> float:
    """The area above the test errors that a user would get, in % of the box from 0 to ``corner`` (error, size).

    For each size, the user gets the test error of the model with the lowest validation error among those no larger, or
    the corner's error if that is less. The hypervolume of test errors would let test rows choose, which favours long
    fronts.
    """
    worst, largest = corner
    size, val = np.minimum(np.asarray(sizes, dtype=np.float64), largest), np.asarray(val_errors)
    order = np.lexsort((val, size))
    widths = np.diff(size[order], append=largest)
    area, best = 0.0, order[0] if len(order) else -1
    for place, width in zip(order, widths, strict=True):
        best = place if val[place] < val[best] else best
        area += width * max(0.0, worst - test_errors[best])
    return float(100.0 * area / (worst * largest))
