"""When a search ends: after its generations; or with a time, before it is over, and earlier on a plateau.

No generation depends on when the search ends. So a search that time has ended after N generations has the same bits as
one of N generations, and either can go on later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from search.config.durations import seconds_of
from search.config.settings import SearchConfig
from search.engine.evolution_step import Info, State
from search.engine.problem import Setup
from search.judge.honest import FOLDS, REPEATS, judging_epochs

# On a plateau the hypervolume has risen by no more than this share of itself in so many generations;
# `benchmarks.run plateau` has what other numbers cost and save.
RISE, GENERATIONS = 0.002, 30
RECENT = 5  # generations whose speed predicts the next ones
BASELINES_SHARE = 0.15  # of the time of a run, which its baselines may take
SAFETY = 1.5  # times the predicted seconds of the judgement and the refit, of which some trees are trained twice


class Ending:
    """Whether a search goes on after a generation.

    ``reserve_s``: the seconds that the end of the run takes besides the judgement and the refit.
    """

    def __init__(self, search: SearchConfig, *, begun: float) -> None:
        self.generations = None if search.time else search.generations
        self.limit_s = seconds_of(search.time) if search.time else math.inf
        self.reserve_s = 0.0
        self._begun = begun
        self._volumes: list[float] = []
        self._seconds: list[float] = []  # of the last generations
        self._rates: list[float] = []  # and seconds for each weight and row that they trained
        self._last_s = 0.0

    def go_on(self, history: Sequence[Mapping[str, Any]], timed_from: int) -> None:
        """Count what an earlier process did after generation ``timed_from``, at which the time of the run began."""
        self._volumes = [float(row["hypervolume"]) for row in history if row["generation"] >= timed_from]
        later = [row for row in history if row["generation"] > timed_from or not timed_from]
        self._begun -= sum(float(row[name]) for row in later for name in row if name.startswith("seconds_"))

    def note(self, setup: Setup, state: State, info: Info, seconds: dict[str, float]) -> None:
        """Take in a generation and the seconds of its phases."""
        problem = setup.problem
        rows = sum(len(fit) for fit, _ in problem.folds) * problem.epochs
        trained = float(info.evaluated.columns["weights"].sum()) * rows
        self._seconds = [*self._seconds, sum(seconds.values())][-RECENT:]
        self._rates = [*self._rates, seconds["train"] / max(trained, 1.0)][-RECENT:]
        self._last_s = self._finish_s(setup, state, info)
        self._volumes.append(info.hypervolume)

    def _finish_s(self, setup: Setup, state: State, info: Info) -> float:
        """The predicted seconds of the judgement and the refit of the present front."""
        weights = state.members.columns["weights"][info.front]
        epochs = judging_epochs(setup, len(weights) * REPEATS, state.evaluations)
        passes = epochs * REPEATS * (FOLDS - 1) + (setup.last_epochs or setup.problem.epochs)
        return median(self._rates) * float(weights.sum()) * passes * len(setup.train_rows)

    def why(self, generation: int) -> str:
        """Why the search ends after this generation; "" if it goes on."""
        if self.generations is not None:
            return "" if generation < self.generations else "all generations are done"
        needed = median(self._seconds) + SAFETY * self._last_s + self.reserve_s if self._seconds else self.reserve_s
        if time.perf_counter() - self._begun + needed > self.limit_s:
            return "the rest of the time is for the judgement"
        return "the front no longer gets better" if on_plateau(self._volumes) else ""


def on_plateau(volumes: Sequence[float], rise: float = RISE, width: int = GENERATIONS) -> bool:
    """Whether the hypervolume has risen by no more than the share ``rise`` of itself in the last ``width``
    generations."""
    if len(volumes) <= width or volumes[-1] <= 0:
        return False
    return volumes[-1] - volumes[-1 - width] <= rise * volumes[-1]
