"""The filter of a finished front: members stay if no other member dominates them in their final values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

import moocore
import numpy as np
from numpy.typing import NDArray

from search.objectives import held_to


def undominated(rows: Sequence[Mapping[str, float]], objectives: Sequence[str]) -> NDArray[np.int64]:
    """Ascending positions of the rows that no other row dominates; of rows with equal objectives the first stays.

    A row dominates another if it is no worse in any objective and better in one; an unknown value is the worst. The
    rows of a front are ordered by error, weights and id, so among equal members this order decides.
    """
    kept = np.arange(len(rows))
    # A measured cost has two values, measured and predicted, and tables and pictures show both. Measured values decide
    # first. The rows left are then compared by predicted values: a row removed here has a better measured cost than
    # the row that dominates it, but by less than the predictions' error.
    for value in (held_to, _as_predicted):
        points = [[value(rows[i], name) for name in objectives] for i in kept.tolist()]
        kept = kept[moocore.is_nondominated(np.array(points).reshape(len(kept), len(objectives)))]
    return kept


def _as_predicted(values: Mapping[str, float], name: str) -> float:
    return values.get(name, inf)
