"""From a config to its table: read, mended, checked, and its columns turned into features."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.labels import Label
from search.config.settings import TaskConfig
from search.errors import InputError
from search.strict import one_line
from search.table.cell_checks import check_cells, check_target, check_weight, enough_rows
from search.table.column_features import features_of
from search.table.data import Table, digest_of
from search.table.files.raw import Raw
from search.table.files.sources import read_source
from search.table.mending import mended, with_target
from search.table.signals.signal_table import signal_table
from search.table.split_columns import Rules, read_rules
from search.table.splits import Split, split
from search.table.streams.stream_tables import sample_of, streamed_table
from search.table.suspects import suspects
from search.table.target import as_numbers, is_regression, read_classes, varying

if TYPE_CHECKING:
    from search.config.config import Config

MOST_PROBLEMS = 10
T = TypeVar("T")


def load_table(config: Config) -> Table:
    """The table that a config asks for; a sample of it, with a stream of all rows, if it is read in blocks.

    What is harmless is mended, and said in its notes. ``InputError`` has everything else that would make a run fail.
    """
    return signal_table(config) if config.signal.is_used else read_table(config)[1]


def read_table(config: Config) -> tuple[Raw, Table]:
    """The cells that a config asks for, row by row those of the table that they make; see ``load_table``."""
    if sample_rows := sample_of(config.data):
        return streamed_table(config, sample_rows, table_of)
    raw = with_target(read_source(config.data))
    return raw, table_of(raw, config)


def table_of(raw: Raw, config: Config) -> Table:
    """The table in the cells of a source, all of whose rows have a target; see ``load_table``."""
    data, problems = config.data, _Problems([*raw.faults.values()])
    enough_rows(raw)
    found = problems.of(_target, raw, config.task)
    raw = problems.of(mended, raw, data) or raw
    problems.of(check_cells, raw, data)
    problems.of(check_weight, raw, data.weight)
    rules, fairness = problems.of(read_rules, raw, data) or (Rules(), None)
    problems.of(_check_names, [*raw.features, raw.target], raw.source)
    if found is None or problems.found:
        raise InputError(*problems.found[:MOST_PROBLEMS])
    y, classes = found
    kind = "regression" if classes is None else "binary" if len(classes) == 2 else "multiclass"
    table = Table(np.empty((len(y), 0)), y, (), raw.target, classes, kind, "", raw.weight, rules, fairness)
    train, test = _parts(table, data.test_fraction, config.run.seed)
    table = features_of(table, raw, train, data)
    notes = (*table.notes, *suspects(table, raw, train, test, data))
    return replace(table, digest=digest_of(table, raw), notes=notes)


class _Problems:
    """What several checks refuse."""

    def __init__(self, found: list[str]) -> None:
        self.found = found

    def of(self, check: Callable[..., T], *arguments: Any) -> T | None:
        """The result of a check; None if it refuses."""
        try:
            return check(*arguments)
        except InputError as error:
            self.found += error.problems
            return None


def _target(raw: Raw, task: TaskConfig) -> tuple[NDArray, tuple[Label, ...] | None]:
    """Numbers to predict and None, or positions in classes and the classes."""
    regression = is_regression(raw, task)
    raw = replace(raw, y=as_numbers(raw.y)) if regression else raw
    check_target(raw)
    if not regression:
        y, classes = read_classes(raw, task.positive)
        _check_names([*map(str, classes)], raw.source)
        return y, classes
    for key, unused in (("class_weight", "none"), ("positive", "")):
        if (value := getattr(task, key)) != unused:
            raise InputError(f"task.{key} = {json.dumps(value)} needs classes; {raw.source} is a regression task")
    return varying(raw), None


def _check_names(names: list[str], source: str) -> None:
    """``InputError`` for names that are not UTF-8, which arrays of texts can hold but files cannot."""
    try:
        "".join(names).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{source}: the name of a column or a class is not UTF-8: {one_line(error)}") from None


def _parts(table: Table, test_fraction: float, seed: int) -> Split:
    """The training and test rows of the run; all rows if they cannot be split, which the run will refuse."""
    with suppress(ValueError):
        return split(table, test_fraction, seed)
    rows = np.arange(len(table.y))
    return rows, rows[:0]
