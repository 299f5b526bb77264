"""The scores of the tables: accuracy for classes, R² for numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def score(kind: str, target: ArrayLike, predicted: ArrayLike) -> float:
    """Accuracy of class codes, or R² of a regression: 1 is perfect."""
    wanted, got = np.asarray(target), np.asarray(predicted)
    if kind != "regression":
        return float(np.mean(wanted == got))
    return float(1.0 - np.sum((wanted - got) ** 2) / np.sum((wanted - wanted.mean()) ** 2))
