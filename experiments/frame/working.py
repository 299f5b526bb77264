"""What a process of ``experiments.run`` does with a unit: run it, and hold its rows to what the experiment promises."""

from __future__ import annotations

from functools import partial

from experiments.catalogue import load
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.frame.row_store import key, keys
from experiments.frame.workers import Work


def worker(name: str, quick: bool) -> Work:
    """The function from a unit of an experiment to its whole rows."""
    return partial(checked_rows, load(name), quick)


def checked_rows(experiment: Experiment, quick: bool, unit: Unit) -> list[Row]:
    """The rows of a unit with ``table``, ``job`` and ``seed``. ``ValueError`` where they are not those promised."""
    given = experiment.run(unit, quick)
    rows = [{"table": unit.table, "job": unit.job, "seed": unit.seed, **row} for row in given]
    for row in rows:
        wrong = set(experiment.columns) ^ set(row) - {"table", "job", "seed"}
        if wrong:
            raise ValueError(f"a row lacks, or has besides those promised, the columns {', '.join(sorted(wrong))}")
    if {key(row) for row in rows} != keys(unit):
        raise ValueError(f"there must be rows of {sorted(keys(unit))}; got {sorted({key(row) for row in rows})}")
    return rows
