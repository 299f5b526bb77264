"""When a search ends: after its generations; or with a time, before it is over, and earlier on a plateau.

No generation depends on when the search ends. So a search that time has ended after N generations has the same bits as
one of N generations, and either can go on later.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from neuraltree.arrays import FloatArray
from search.config.durations import seconds_of
from search.config.settings import SearchConfig
from search.engine.cut_finalists import END_TAKES
from search.engine.evolution_step import Info, State
from search.engine.problem import Setup
from search.engine.row_samples import rows_of
from search.judge.honest import FOLDS, REPEATS, judging_epochs, refit_course

if TYPE_CHECKING:
    from search.table.streams.stream import Stream

# On a plateau the hypervolume has risen by no more than this share of itself in so many generations;
# `benchmarks.run plateau` has what other numbers cost and save.
RISE, GENERATIONS = 0.002, 30
RECENT = 5  # generations whose speed predicts the next ones
BASELINES_SHARE = 0.15  # of the time of a run, which its baselines may take
SAFETY = 1.5  # times the predicted seconds of the judgement and the refit, of which some trees are trained twice
FORWARD = 0.4  # the time of a row's outputs, as a share of that of training on it
SCORED_PER_S = 1.5e8  # weights x rows on which finished models are scored in a second, by NumPy


class Ending:
    """Whether a search goes on after a generation. ``stream``: the rows of its table, if they come in blocks."""

    def __init__(self, search: SearchConfig, *, begun: float, stream: Stream | None = None) -> None:
        self._stream = stream
        self.generations = None if search.time else search.generations
        self.limit_s = seconds_of(search.time) if search.time else math.inf
        self._reserve_s = 0.0  # what the end of the run takes besides the judgement and the refit
        self._begun = begun
        self._volumes: list[float] = []  # of the last generations
        self._seconds: list[float] = []  # of the last generations
        self._speeds: list[float] = []  # and the weight·samples a second of their training, with its validation
        self._last_s = 0.0

    def go_on(self, history: Sequence[Mapping[str, Any]], timed_from: int) -> None:
        """Count what an earlier process did after generation ``timed_from``, at which the time of the run began."""
        timed = [float(row["hypervolume"]) for row in history if row["generation"] >= timed_from]
        self._volumes = timed[-1 - GENERATIONS :]
        later = [row for row in history if row["generation"] > timed_from or not timed_from]
        self._begun -= sum(float(row[name]) for row in later for name in row if name.startswith("seconds_"))

    def afford(
        self, models: Sequence[str], predict: Callable[[float], Mapping[str, float]], *, rest_s: float = 0.0
    ) -> Sequence[str]:
        """The baselines that there is time for. Their seconds, and ``rest_s`` for other last work, are reserved.

        ``predict(limit_s)``: those that fit into these seconds, with the seconds of each.
        """
        if self.generations is not None:
            return models
        predicted = predict(BASELINES_SHARE * self.limit_s)
        self._reserve_s = rest_s + sum(predicted.values())
        return list(predicted)

    def note(self, setup: Setup, state: State, info: Info, seconds: dict[str, float]) -> None:
        """Take in a generation and the seconds of its phases."""
        self._seconds = [*self._seconds, sum(seconds.values())][-RECENT:]
        weights = float(info.evaluated.columns["weights"].sum())
        rows = rows_of(setup.problem, state.generation) * setup.problem.epochs + validated_rows(setup)
        self._speeds = [*self._speeds, weights * rows / seconds["train"]][-RECENT:]
        self._last_s = self._finish_s(setup, state, info)
        self._volumes = [*self._volumes, info.hypervolume][-1 - GENERATIONS :]

    def _finish_s(self, setup: Setup, state: State, info: Info) -> float:
        """The predicted seconds of the judgement, the refit and the test of the present front."""
        weights = state.members.columns["weights"][info.front]
        return finish_s(setup, self._stream, weights, state.evaluations, median(self._speeds))

    def why(self, generation: int) -> str:
        """Why the search ends after this generation; "" if it goes on."""
        if self.generations is not None:
            return "" if generation < self.generations else "all generations are done"
        needed = median(self._seconds) + SAFETY * self._last_s + self._reserve_s if self._seconds else self._reserve_s
        if time.perf_counter() - self._begun + needed > self.limit_s:
            return "the rest of the time is for the judgement"
        return "the front no longer gets better" if on_plateau(self._volumes) else ""


def length_of(search: SearchConfig) -> str:
    """The length of a search, for people."""
    return f"{search.time} in all" if search.time else f"{search.generations} generations"


def on_plateau(volumes: Sequence[float], rise: float = RISE, width: int = GENERATIONS) -> bool:
    """Whether the hypervolume has risen by no more than the share ``rise`` of itself in the last ``width``
    generations."""
    if len(volumes) <= width or volumes[-1] <= 0:
        return False
    return volumes[-1] - volumes[-1 - width] <= rise * volumes[-1]


def validated_rows(setup: Setup) -> float:
    """What a tree's validation in a generation costs, in rows of training: those of all folds in each epoch and at
    the end."""
    return FORWARD * sum(len(held) for _, held in setup.problem.folds) * (setup.problem.epochs + 1)


def finish_s(setup: Setup, stream: Stream | None, weights: FloatArray, evaluations: int, speed: float) -> float:
    """The seconds of the judgement, the refit and the test of trees with so many ``weights`` (trees,), which are
    trained at a ``speed`` in weight·samples a second."""
    problem, total = setup.problem, END_TAKES[setup.cutting] * float(weights.sum())
    if setup.last_epochs:  # the lessons of teachers: of the judgement's folds, once, and of the refit
        rows = FOLDS * max(len(fit) for fit, _ in problem.folds) + len(problem.whole)
        return total * setup.last_epochs * rows / speed
    epochs = judging_epochs(setup, len(weights) * REPEATS, evaluations)
    last_epochs = refit_course(setup, evaluations)[0]
    rows = len(setup.train_rows)
    trained_rows = epochs * REPEATS * (FOLDS - 1) * rows + last_epochs * (setup.stream_rows or rows)
    seconds = total * trained_rows / speed
    if stream is None:
        return seconds
    return seconds + (last_epochs + 1) * stream.read_s + total * stream.test_rows / SCORED_PER_S
