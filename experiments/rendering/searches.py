"""What the pages about the search share: values by seed, medians with quartiles, comparisons with one of the jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from experiments.rendering.text import figure, right
from experiments.statistics import holm, paired, signed_rank_p

Rows = Sequence[Mapping[str, str]]
ALL = "mean over the tables"


class Measure(NamedTuple):
    """A column as a page shows it."""

    column: str
    label: str
    digits: int


def of(rows: Rows, table: str, job: str) -> Rows:
    return [row for row in rows if row["table"] == table and row["job"] == job]


def by_seed(rows: Rows, table: str, job: str, column: str) -> dict[int, float]:
    """The values of a column, a row for each seed; cells without a number are left out.

    Of ``ALL`` the mean over the tables, of the seeds that all of them have.
    """
    if table != ALL:
        return {int(row["seed"]): float(row[column]) for row in of(rows, table, job) if row[column]}
    parts = [by_seed(rows, each, job, column) for each in names(rows, "table")]
    shared = set.intersection(*map(set, parts)) if parts else set()
    return {seed: float(np.mean([part[seed] for part in parts])) for seed in sorted(shared)}


def names(rows: Rows, column: str) -> list[str]:
    """What there is in a column, in the order of the rows."""
    return list(dict.fromkeys(row[column] for row in rows))


def spread(values: Iterable[float], digits: int) -> str:
    """The median and, in brackets, the quartiles."""
    low, middle, high = np.quantile(list(values), [0.25, 0.5, 0.75])
    return f"{figure(middle, digits)} [{figure(low, digits)}, {figure(high, digits)}]"


class Difference(NamedTuple):
    """Of a job from the base, over the seeds that both have: mean and Holm's p of the signed-rank test."""

    mean: float
    p: float
    seeds: int


def differences(rows: Rows, table: str, jobs: Sequence[str], base: str, column: str) -> dict[str, Difference]:
    """By job, those without a seed in common with the base left out."""
    wanted = by_seed(rows, table, base, column)
    pairs = {job: paired(by_seed(rows, table, job, column), wanted) for job in jobs if job != base}
    pairs = {job: pair for job, pair in pairs.items() if len(pair[0])}
    if not pairs:
        return {}
    adjusted = holm([signed_rank_p(*pair) for pair in pairs.values()])
    return {
        job: Difference(float(np.mean(first - second)), float(p), len(first))
        for (job, (first, second)), p in zip(pairs.items(), adjusted, strict=True)
    }


def comparison(
    rows: Rows, table: str, jobs: Sequence[str], base: str, measures: Sequence[Measure], tested: Measure
) -> str:
    """A table of the jobs: medians [quartiles] of the measures, and the mean difference of ``tested`` from ``base``."""
    found = differences(rows, table, jobs, base, tested.column)

    def line(job: str) -> list[str]:
        cells = [by_seed(rows, table, job, measure.column).values() for measure in measures]
        shown = [spread(values, m.digits) if values else "" for values, m in zip(cells, measures, strict=True)]
        return [job, *shown, *_shown(found.get(job), tested.digits)]

    header = [table, *(measure.label for measure in measures), f"{tested.label}: mean − that of {base}", "p (Holm)"]
    return right(header, [line(job) for job in jobs if by_seed(rows, table, job, tested.column)])


def _shown(difference: Difference | None, digits: int) -> list[str]:
    return [f"{difference.mean:+.{digits}f}".replace("-", "−"), figure(difference.p)] if difference else ["", ""]


def seeds_of(rows: Rows) -> str:
    """How many hold-outs the rows are of, as a phrase."""
    counts = {len({row["seed"] for row in of(rows, t, j)}) for t in names(rows, "table") for j in names(rows, "job")}
    counts.discard(0)
    return " to ".join(map(str, sorted({min(counts), max(counts)}))) + " hold-outs"
