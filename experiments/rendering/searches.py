"""Shared parts of the pages about the search: values by seed, medians with quartiles, comparisons of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.statistics import holm, interval, paired, signed_rank_p
from experiments.rendering.text import figure, right, signed

ResultRows = Sequence[Mapping[str, str]]
ALL = "mean over the tables"


class Measure(NamedTuple):
    """A column as a page shows it; jobs ``apart`` cannot be compared by it."""

    column: str
    label: str
    digits: int
    apart: tuple[str, ...] = ()


def of(rows: ResultRows, table: str, job: str) -> ResultRows:
    return [row for row in rows if row["table"] == table and row["job"] == job]


def by_seed(rows: ResultRows, table: str, job: str, column: str) -> dict[int, float]:
    """The values of a column, a row for each seed; cells without a number are left out.

    If ``table`` is ``ALL``: the mean over the tables, for the seeds that all tables have.
    """
    if table != ALL:
        return {int(row["seed"]): float(row[column]) for row in of(rows, table, job) if row[column]}
    parts = [by_seed(rows, each, job, column) for each in names(rows, "table")]
    shared = set.intersection(*map(set, parts)) if parts else set()
    return {seed: float(np.mean([part[seed] for part in parts])) for seed in sorted(shared)}


def names(rows: ResultRows, column: str) -> list[str]:
    """The distinct values of a column, in the order of the rows."""
    return list(dict.fromkeys(row[column] for row in rows))


def present(wanted: Iterable[str], rows: ResultRows, column: str) -> list[str]:
    """The ``wanted`` values that occur in a column, in their own order; rows are in the order in which units ended."""
    found = names(rows, column)
    return [name for name in wanted if name in found]


def spread(values: Iterable[float], digits: int) -> str:
    """The median and, in brackets, the quartiles."""
    low, middle, high = np.quantile(list(values), [0.25, 0.5, 0.75])
    return f"{figure(middle, digits)} [{figure(low, digits)}, {figure(high, digits)}]"


class Difference(NamedTuple):
    """A job minus the base over the seeds that both have: the mean, its interval, Holm's p of signed ranks."""

    mean: float
    low: float
    high: float
    p: float
    seeds: int

    def text(self, digits: int) -> str:
        return f"{signed(self.mean, digits)} [{signed(self.low, digits)}, {signed(self.high, digits)}]"


def differences(
    rows: ResultRows, table: str, jobs: Sequence[str], base: str, measure: Measure
) -> dict[str, Difference]:
    """Differences by job; a job without a seed in common with the base is left out."""
    wanted = by_seed(rows, table, base, measure.column)
    compared = [job for job in jobs if job not in (base, *measure.apart)]
    pairs = {job: paired(by_seed(rows, table, job, measure.column), wanted) for job in compared}
    pairs = {job: pair for job, pair in pairs.items() if len(pair[0])}
    if not pairs:
        return {}
    adjusted = holm([signed_rank_p(*pair) for pair in pairs.values()])
    return {job: difference(*pair, float(p)) for (job, pair), p in zip(pairs.items(), adjusted, strict=True)}


def difference(first: NDArray[np.float64], second: NDArray[np.float64], p: float) -> Difference:
    """The difference of two arrays of values (seeds,) in the same order."""
    apart = first - second
    return Difference(float(np.mean(apart)), *interval(apart), p, len(apart))


def least_p(found: Mapping[str, Difference]) -> float:
    """The smallest p that Holm's correction can leave: that of pairs which all have the same sign."""
    return min(1.0, len(found) * 2.0 / 2 ** max(each.seeds for each in found.values())) if found else 1.0


HOW = (
    "Brackets after medians: quartiles; after mean differences: the 95 % interval of the bootstrap over hold-outs. p: "
    "Wilcoxon's signed-rank test, Holm's correction within each table. Hold-outs share rows, so both are "
    "overconfident about new data of the same kind"
)


def comparison(
    rows: ResultRows, table: str, jobs: Sequence[str], base: str, measures: Sequence[Measure], *tested: Measure
) -> str:
    """A table of the jobs: medians [quartiles] of ``measures``, and differences from ``base`` for those ``tested``."""
    found = [differences(rows, table, jobs, base, measure) for measure in tested]

    def line(job: str) -> list[str]:
        cells = [by_seed(rows, table, job, measure.column).values() for measure in measures]
        shown = [spread(values, m.digits) if values else "" for values, m in zip(cells, measures, strict=True)]
        return [job, *shown, *_shown(job, found, tested)]

    header = [table, *(measure.label for measure in measures), *_header(base, tested)]
    return right(header, [line(job) for job in jobs if by_seed(rows, table, job, tested[0].column)])


def gains(rows: ResultRows, jobs: Sequence[str], base: str, *tested: Measure) -> str:
    """A table of the differences alone, for the means over the tables."""
    found = [differences(rows, ALL, jobs, base, measure) for measure in tested]
    lines = [[job, *_shown(job, found, tested)] for job in jobs if any(job in each for each in found)]
    return right([f"mean over {len(names(rows, 'table'))} tables", *_header(base, tested)], lines)


def _header(base: str, tested: Sequence[Measure]) -> list[str]:
    return [text for measure in tested for text in (f"{measure.label}: mean difference from {base}", "p (Holm)")]


def _shown(job: str, found: Sequence[dict[str, Difference]], tested: Sequence[Measure]) -> list[str]:
    cells = []
    for by_job, measure in zip(found, tested, strict=True):
        each = by_job.get(job)
        cells += [each.text(measure.digits), figure(each.p)] if each else ["", ""]
    return cells


def seeds_of(rows: ResultRows) -> str:
    """The number of hold-outs in the rows, as a phrase."""
    counts = {len({row["seed"] for row in of(rows, t, j)}) for t in names(rows, "table") for j in names(rows, "job")}
    counts.discard(0)
    return " to ".join(map(str, sorted({min(counts), max(counts)}))) + " hold-outs"
