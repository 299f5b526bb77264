"""The work of a process of ``experiments.run``: run a unit, and check that its rows are those promised."""

from __future__ import annotations

from functools import partial

from experiments.catalogue import load
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.row_store import key, keys
from experiments.frame.workers import Work


def worker(name: str, quick: bool) -> Work:
    """The function that maps a unit of an experiment to its complete rows."""
    return partial(checked_rows, load(name), quick)


def checked_rows(experiment: Experiment, quick: bool, unit: Unit) -> list[Row]:
    """The rows of a unit with ``table``, ``job`` and ``seed``. ``ValueError`` if they are not those promised."""
    given = experiment.run(unit, quick)
    rows = [{"table": unit.table, "job": unit.job, "seed": unit.seed, **row} for row in given]
    for row in rows:
        wrong = set(experiment.columns) ^ set(row) - {"table", "job", "seed"}
        if wrong:
            raise ValueError(
                f"a row lacks, or has in addition to those promised, the columns {', '.join(sorted(wrong))}"
            )
    if {key(row) for row in rows} != keys(unit):
        raise ValueError(f"there must be rows of {sorted(keys(unit))}; got {sorted({key(row) for row in rows})}")
    return rows
