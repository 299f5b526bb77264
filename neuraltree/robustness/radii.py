"""The check of sizes of changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray


def checked_radii(radius: ArrayLike, rows: int, name: str = "radius") -> FloatArray:
    """() or (rows,) as numbers; ``ValueError`` for another shape, or one that is negative or NaN."""
    found = np.asarray(radius, dtype=np.float64)
    if found.shape not in ((), (rows,)) or not (found >= 0).all():
        raise ValueError(
            f"{name} is {radius!r}; it is a number of 0 or more in standard deviations of the inputs, or one for each "
            f"of the {rows} rows"
        )
    return found
