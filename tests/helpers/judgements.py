"""The part of a run folder that keeps the units of its end, in memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class Memory:
    def __init__(self) -> None:
        self.units: dict[int, dict[str, np.ndarray]] = {}

    def find(self, unit: int) -> dict[str, np.ndarray] | None:
        return self.units.get(unit)

    def add(self, unit: int, arrays: Mapping[str, np.ndarray]) -> None:
        self.units[unit] = dict(arrays)
