"""results/ablation.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.common.statistics import paired
from experiments.rendering.searches import (
    ALL,
    HOW,
    Difference,
    Measure,
    ResultRows,
    by_seed,
    comparison,
    differences,
    least_p,
    names,
    present,
    seeds_of,
)
from experiments.rendering.text import figure, page
from experiments.studies.ablation.run import FULL, JUDGED, ONE_HOLD_OUT, TABLES, VARIANTS
from experiments.studies.tables.significance import LEVEL
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

TESTED = Measure("test_volume", "volume of test rows, %", 2)
VALIDATED = Measure("hypervolume", "validation hypervolume, %", 2, apart=(ONE_HOLD_OUT,))
MEASURES = (
    VALIDATED,
    TESTED,
    Measure("test_score", "test score of the best member", 3),
    Measure("weights", "weights of the best member", 0),
    Measure("trees", "trees trained", 0),
)
TITLE, COMMAND = "The search without each of its parts", "`python -m experiments.run ablation`"
TEXT = """Written by `python -m experiments.render` from [ablation.csv](ablation.csv), made by {command}.

Each variant has the same training budget in weight·samples as the full search and ends with the last whole generation
within it, on {seeds} per table. All use hypervolume selection and the objectives validation error and weights. If an
operator is left out, the other operators make its children. "{one}" validates on a quarter of the training rows instead
of four folds. It therefore trains about four times as many trees within the budget. Its validation hypervolume comes
from other rows and is not compared. Without inheritance, every tree starts with random weights; it is trained for the
usual number of epochs, or for 60. "{judged}" is the full search, after which honest errors choose among the members
instead of validation errors; the training of that judgement is not part of the budget.

The volume of test rows is computed from the front of the last population. Its members are trained again on all training
rows and scored once. For each size, the test error of the member with the lowest validation error among those no larger
counts. The volume is in % of the box that ends at the error of the best constant and the largest number of weights a
tree can have. The best member is the one with the lowest validation error; its score is R² on friedman, accuracy
elsewhere. p tests the differences from the full search; for the means over the tables it cannot be below {least}.
{how}."""
PICTURE = "![gain or loss in the volume of test rows without each part: each hold-out, and the median](ablation.png)"


def render(rows: ResultRows, results: Path) -> None:
    tables = (*present(TABLES, rows, "table"), ALL)
    parts = [comparison(rows, table, list(VARIANTS), FULL, MEASURES, VALIDATED, TESTED) for table in tables]
    least = figure(least_p(_differences(rows, TESTED)))
    text = TEXT.format(command=COMMAND, seeds=seeds_of(rows), one=ONE_HOLD_OUT, judged=JUDGED, how=HOW, least=least)
    write_text(results / "ablation.md", page(TITLE, text, PICTURE, *parts))
    save(picture(rows), results / "ablation.png")


def headline(rows: ResultRows) -> str:
    parts = [_sure(rows, measure) for measure in (VALIDATED, TESTED)]
    text = (
        f"{COMMAND}, {seeds_of(rows)} per table; mean differences from the full search over "
        f"{len(names(rows, 'table'))} tables, if p < {figure(LEVEL, 2)}. [ablation.md](ablation.md) lists all."
    )
    return "\n\n".join([f"## {TITLE}", text, *parts])


def _sure(rows: ResultRows, measure: Measure) -> str:
    """The significant differences in one measure."""
    found = _differences(rows, measure)
    sure = sorted((each.mean, job) for job, each in found.items() if each.p < LEVEL)
    shown = ", ".join(f"{job} {found[job].text(measure.digits)}" for _, job in sure)
    apart = "".join(f"; not comparable: {job}" for job in measure.apart)
    label, others = f"{measure.label[0].upper()}{measure.label[1:]}", len(found) - len(sure)
    return f"{label}: {shown or 'none'}; not significant: {others}{apart}."


def _differences(rows: ResultRows, measure: Measure) -> dict[str, Difference]:
    return differences(rows, ALL, list(VARIANTS), FULL, measure)


def picture(rows: ResultRows) -> Figure:
    """A panel for each table: the gain or loss of every seed without each part, and the median."""
    tables = present(TABLES, rows, "table")
    jobs = [job for job in present(VARIANTS, rows, "job") if job != FULL]
    made = Figure(figsize=(2 + 3.2 * len(tables), 1.2 + 0.3 * len(jobs)), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False, sharey=True)[0]
    for ax, table in zip(panels, tables, strict=True):
        _draw(ax, rows, table, jobs)
    panels[0].invert_yaxis()
    made.supxlabel("volume of test rows, % points")
    return made


def _draw(ax: Axes, rows: ResultRows, table: str, jobs: list[str]) -> None:
    full = by_seed(rows, table, FULL, TESTED.column)
    for place, job in enumerate(jobs):
        first, second = paired(by_seed(rows, table, job, TESTED.column), full)
        if len(first):
            ax.plot(first - second, np.full(len(first), place), "o", color=style.SKY, ms=4, alpha=0.7)
            ax.plot(np.median(first - second), place, "|", color=style.BLACK, ms=12, mew=2)
    ax.axvline(0, color=style.GREY, lw=1, ls=":")
    ax.set(title=table, yticks=range(len(jobs)), yticklabels=jobs)
    ax.grid(alpha=0.25)
