"""Class labels as a NumPy array, without loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def label_array(labels: Sequence[str | int | float]) -> NDArray:
    """(classes,) the labels, each unchanged.

    NumPy would convert 1 and 2**63 together to doubles, and strips zero characters from the end of a text. An array of
    such labels holds objects.
    """
    array = np.array(labels)
    found = array.tolist()
    exact = found == list(labels) and [*map(type, found)] == [*map(type, labels)]
    return array if exact else np.array(labels, dtype=object)
