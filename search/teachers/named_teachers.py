"""Teachers that a config names: their lessons, and what they cost."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from search.baselines.teacher_table import BY_NAME
from search.config.settings import TrainConfig
from search.engine.problem import Setup
from search.judge.honest import FOLDS
from search.table.data import Table
from search.teachers.teaching import LAST_ROWS, ROWS, check_temperature, fit_teacher, lessons

PROBED_ROWS = 500  # the most rows of the fit that predicts the seconds of all


def named_lessons(
    plain: Setup, table: Table, train: TrainConfig, say: Callable[[str], None]
) -> tuple[Setup, Setup | None]:
    """``lessons`` of the teachers that a config names, with the same bits on any number of cores."""
    with _fitting():
        teachers = _made(plain, table, train.teachers)
        return lessons(plain, table, teachers, say, 1 - train.teacher_share, train.teacher_temperature)


def _made(plain: Setup, table: Table, names: Sequence[str]) -> list[Any]:
    return [BY_NAME[name].make(table.classes is None, len(plain.train_rows)) for name in names]


@contextmanager
def _fitting() -> Iterator[None]:
    """In one thread, whose sums have one order; without warnings that an MLP has few epochs or few rows in a batch."""
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Got `batch_size`", UserWarning)
        yield


def lesson_rows(plain: Setup) -> int:
    """The rows of the lessons of all folds, which an epoch of a generation trains on."""
    return sum(max(ROWS, len(fit)) for fit, _ in plain.problem.folds)


def told_teachers(plain: Setup, table: Table, train: TrainConfig) -> str:
    """Which teachers there are and what they cost, by a fit of each to some of the rows.

    ``InputError`` if one cannot be fitted to them, or not be learned at the temperature.
    """
    names = train.teachers
    if not names:
        return "none"
    check_temperature(plain, train.teacher_temperature)
    count, folds = len(plain.train_rows), len(plain.problem.folds)
    some = np.arange(count)[:: -(-count // PROBED_ROWS)]
    fits, seconds = folds + FOLDS + 2, 0.0
    for name, made in zip(names, _made(plain, table, names), strict=True):
        begun = time.perf_counter()
        with _fitting():
            fit_teacher(made, plain, table, some)
        seconds += fits * (time.perf_counter() - begun) * (count / len(some)) ** BY_NAME[name].power
    return (
        f"{', '.join(names)}; each is fitted {fits} times: in {folds} folds of the search, in {FOLDS} of the "
        f"judgement, and on all rows; about {seconds:.0f} s more, a rough guess; trees learn {ROWS:,} rows or more "
        f"of a fold, {LAST_ROWS:,} or more at the end"
    )
