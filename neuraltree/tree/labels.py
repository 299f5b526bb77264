"""Class labels as a NumPy array that loses none of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def label_array(labels: Sequence[str | int | float]) -> NDArray:
    """(classes,) the labels, each exactly as it is.

    NumPy makes doubles of 1 and 2**63, and cuts zero characters off the end of a text: such labels are objects.
    """
    array = np.array(labels)
    found = array.tolist()
    exact = found == list(labels) and [*map(type, found)] == [*map(type, labels)]
    return array if exact else np.array(labels, dtype=object)
