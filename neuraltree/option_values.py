"""What the value of an option is."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np


def is_finite(value: Any) -> bool:
    """Whether an option is a real number, neither infinite nor NaN."""
    return isinstance(value, Real) and bool(np.isfinite(float(value)))


def is_whole(value: Any, least: int = 1) -> bool:
    """Whether an option is a whole number of ``least`` or more."""
    return isinstance(value, Integral) and int(value) >= least
