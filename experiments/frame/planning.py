"""The units of an experiment: the chosen ones, the number that are done, and the time left for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from experiments.catalogue import MODULES, csv_path, load
from experiments.frame.experiment import Experiment, Unit
from experiments.frame.row_store import key, keys, read_rows
from experiments.frame.workers import Outcome
from search.errors import InputError
from search.strict import listed


def chosen_units(experiment: Experiment, seeds: int, quick: bool, only: Sequence[str]) -> list[Unit]:
    """The units that match a pattern ``table/job``, or all units without patterns.

    ``InputError`` if a pattern matches none.
    """
    units = list(experiment.units(seeds, quick))
    for pattern in only:
        if not any(_matches(unit, pattern) for unit in units):
            tables, jobs = (list(dict.fromkeys(names)) for names in zip(*(unit[:2] for unit in units), strict=True))
            raise InputError(
                f"--only {pattern} matches no unit of {experiment.name}; write table/job, as in 'wine/*'; "
                f"tables: {listed(tables)}; jobs: {listed(jobs)}"
            )
    return [unit for unit in units if not only or any(_matches(unit, pattern) for pattern in only)]


def _matches(unit: Unit, pattern: str) -> bool:
    return fnmatchcase(f"{unit.table}/{unit.job}", pattern)


def describe(units: Sequence[Unit], path: Path) -> str:
    """A line for each table and job with the number of its units that are done."""
    there = {key(row) for row in read_rows(path)}
    counts = Counter((unit.table, unit.job) for unit in units)
    done = Counter((unit.table, unit.job) for unit in units if keys(unit) <= there)
    return "\n".join(f"{table}/{job}: {done[table, job]} of {count}" for (table, job), count in counts.items())


def describe_all() -> str:
    """A line for each experiment."""
    return "\n".join(f"{name}: {_described(name)}" for name in MODULES)


def _described(name: str) -> str:
    experiment = load(name)
    units = experiment.units(experiment.seeds, False)
    there = {key(row) for row in read_rows(csv_path(name))}
    return f"{sum(keys(unit) <= there for unit in units)} of {len(units)} units done; {experiment.doc}"


class Clock:
    """Counts units and estimates the time left from the mean of each job so far, or of all jobs."""

    def __init__(self, total: int, missing: Sequence[Unit], jobs: int, rows: Sequence[Mapping[str, str]]) -> None:
        self.total, self.jobs = total, jobs
        self.left = Counter(unit.job for unit in missing)
        self.seconds: dict[str, list[float]] = {}
        for job, seconds in {
            (*key(row)[:2], row["seconds"]): (row["job"], float(row["seconds"])) for row in rows
        }.values():
            self.seconds.setdefault(job, []).append(seconds)

    def line(self, unit: Unit, outcome: Outcome) -> str:
        """The progress line for a unit that has ended."""
        self.left[unit.job] -= 1
        self.seconds.setdefault(unit.job, []).append(outcome.seconds)
        done = self.total - self.left.total()
        what = f"failed: {outcome.error}" if outcome.error else f"{outcome.seconds:.1f} s"
        place = f"[{done}/{self.total}] {unit.table}/{unit.job} seed {unit.seed}"
        return f"{place}: {what}; {_span(self._rest())} left"

    def _rest(self) -> float:
        means = {job: sum(some) / len(some) for job, some in self.seconds.items()}
        usual = sum(means.values()) / len(means)
        return sum(count * means.get(job, usual) for job, count in self.left.items()) / self.jobs


def _span(seconds: float) -> str:
    units = ((3600.0, "h"), (60.0, "min"))
    return next((f"{seconds / size:.1f} {name}" for size, name in units if seconds >= size), f"{seconds:.0f} s")
