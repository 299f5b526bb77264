"""The part of a run folder that keeps a judgement, in memory."""

from __future__ import annotations

import numpy as np


class Memory:
    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

    def load_judged(self) -> dict[str, np.ndarray]:
        return dict(self.arrays)

    def save_judged(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = dict(arrays)
