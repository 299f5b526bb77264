"""Which members of a finished front stay: those that no other member dominates, by the values they end with."""

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
    rows of a front come in the order of validation error and id, so of equal members that order decides.
    """
    kept = np.arange(len(rows))
    # A cost that was measured has two values, and tables and pictures show both. Measured values decide first. What
    # remains is then compared as predicted: a row that goes here beats the one that stays by less than predictions err.
    for value in (held_to, _as_predicted):
        points = [[value(rows[i], name) for name in objectives] for i in kept.tolist()]
        kept = kept[moocore.is_nondominated(np.array(points).reshape(len(kept), len(objectives)))]
    return kept


def _as_predicted(values: Mapping[str, float], name: str) -> float:
    return values.get(name, inf)
