"""What the value of an option is, and errors for what it may not be."""

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


def check_whole(name: str, value: Any, least: int = 1) -> None:
    """``ValueError`` unless an option is a whole number of ``least`` or more."""
    if not is_whole(value, least):
        raise ValueError(f"{name}={value!r}; it must be a whole number of {least} or more")


def check_above_zero(name: str, value: Any) -> None:
    """``ValueError`` unless an option is a finite number above 0."""
    if not is_finite(value) or value <= 0:
        raise ValueError(f"{name}={value!r}; it must be a number above 0")
