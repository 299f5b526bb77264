"""The courses of a training whose rows come in blocks: with all rows in one block, the course of ``make_course``."""

from __future__ import annotations

import numpy as np

from neuraltree.engine.training import Course, Settings, scheduled, shuffled


class BlockCourses:
    """One course after the other. The learning rates follow the schedule over all epochs and rows.

    Every block but the last of an epoch must hold a multiple of the batch size, so that steps are as many as if all
    ``rows`` of an epoch were in memory.
    """

    def __init__(self, settings: Settings, rows: int, *, epochs: int, seed: int | tuple[int, ...]) -> None:
        self.settings = settings
        self._rates = scheduled(settings, epochs * -(-rows // settings.batch_size))
        self._rng = np.random.default_rng(seed)
        self._done = 0

    def next(self, rows: int) -> Course:
        """The course through the next block: its rows in a random order, once."""
        order = shuffled(np.arange(rows), self.settings, 1, self._rng)
        first, self._done = self._done, self._done - -rows // self.settings.batch_size
        if self._done > len(self._rates):
            raise ValueError(f"{self._done} steps, and {len(self._rates)} were planned")
        return Course(order, self._rates[first : self._done], np.zeros(0, dtype=np.int32), 1)
