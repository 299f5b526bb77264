"""The two shapes of membership functions, as logarithms over the distance from the centre in widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray


class Membership(NamedTuple):
    """``log_value(t)`` and its derivative ``log_slope(t)``, for distances t = |x - a| / b of any shape."""

    log_value: Callable[[FloatArray], FloatArray]
    log_slope: Callable[[FloatArray], FloatArray]


MEMBERSHIPS = {
    "bell": Membership(lambda t: -np.log1p(t * t), lambda t: -2 * t / (1 + t * t)),  # 1 / (1 + t²)
    "gaussian": Membership(lambda t: -0.5 * t * t, np.negative),  # exp(-t² / 2)
}
