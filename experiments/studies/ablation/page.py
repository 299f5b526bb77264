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
    Rows,
    by_seed,
    comparison,
    differences,
    least_p,
    names,
    present,
    seeds_of,
)
from experiments.rendering.text import figure, page
from experiments.studies.ablation.run import FULL, ONE_HOLD_OUT, TABLES, VARIANTS
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
    Measure("weights", "its weights", 0),
    Measure("trees", "trees trained", 0),
)
TITLE, COMMAND = "The search without each of its parts", "`python -m experiments.run ablation`"
TEXT = """Written by `python -m experiments.render` from [ablation.csv](ablation.csv), made by {command}.

Each variant spends at most the same weight·samples as the full search, to a whole generation, on {seeds} per table,
with hypervolume selection and the objectives validation error and weights. Without an operator, the others make its
children. "{one}" validates on a quarter of the training rows instead of four folds: it trains about four times as many
trees for the budget, and its validation hypervolume, of other rows, is not compared. Where
nothing is inherited every tree begins with random weights, and is trained for as many epochs as the others in each
generation, or for more.

The volume of test rows: of the front of the last population, trained again on all training rows and scored once, for
each size the test error of the member that validation chooses among those no larger, in % of the box up to the error of
the best constant and the most weights of a tree. The best member is the one with the lowest validation error; its score
is R² on friedman, accuracy elsewhere. p is of the differences from the full search: none of the means over the tables
can have one below {least}. {how}."""
PICTURE = (
    "![what each hold-out gains or loses without a part, in the volume of test rows, and the median](ablation.png)"
)


def render(rows: Rows, results: Path) -> None:
    tables = (*present(TABLES, rows, "table"), ALL)
    parts = [comparison(rows, table, list(VARIANTS), FULL, MEASURES, VALIDATED, TESTED) for table in tables]
    least = figure(least_p(_differences(rows, TESTED)))
    text = TEXT.format(command=COMMAND, seeds=seeds_of(rows), one=ONE_HOLD_OUT, how=HOW, least=least)
    write_text(results / "ablation.md", page(TITLE, text, PICTURE, *parts))
    save(picture(rows), results / "ablation.png")


def headline(rows: Rows) -> str:
    parts = [_sure(rows, measure) for measure in (VALIDATED, TESTED)]
    text = (
        f"{COMMAND}, {seeds_of(rows)} per table; mean differences from the full search over "
        f"{len(names(rows, 'table'))} tables, where p < {figure(LEVEL, 2)}. [ablation.md](ablation.md) has them all."
    )
    return "\n\n".join([f"## {TITLE}", text, *parts])


def _sure(rows: Rows, measure: Measure) -> str:
    """What is significant of one measure."""
    found = _differences(rows, measure)
    sure = sorted((each.mean, job) for job, each in found.items() if each.p < LEVEL)
    shown = ", ".join(f"{job} {found[job].text(measure.digits)}" for _, job in sure)
    apart = "".join(f"; not comparable: {job}" for job in measure.apart)
    label, others = f"{measure.label[0].upper()}{measure.label[1:]}", len(found) - len(sure)
    return f"{label}: {shown or 'none'}; not significant: {others}{apart}."


def _differences(rows: Rows, measure: Measure) -> dict[str, Difference]:
    return differences(rows, ALL, list(VARIANTS), FULL, measure)


def picture(rows: Rows) -> Figure:
    """A panel for each table: what every seed loses or gains without a part, and the median."""
    tables = present(TABLES, rows, "table")
    jobs = [job for job in present(VARIANTS, rows, "job") if job != FULL]
    made = Figure(figsize=(2 + 3.2 * len(tables), 1.2 + 0.3 * len(jobs)), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False, sharey=True)[0]
    for ax, table in zip(panels, tables, strict=True):
        _draw(ax, rows, table, jobs)
    panels[0].invert_yaxis()
    made.supxlabel("volume of test rows, % points")
    return made


def _draw(ax: Axes, rows: Rows, table: str, jobs: list[str]) -> None:
    full = by_seed(rows, table, FULL, TESTED.column)
    for place, job in enumerate(jobs):
        first, second = paired(by_seed(rows, table, job, TESTED.column), full)
        if len(first):
            ax.plot(first - second, np.full(len(first), place), "o", color=style.SKY, ms=4, alpha=0.7)
            ax.plot(np.median(first - second), place, "|", color=style.BLACK, ms=12, mew=2)
    ax.axvline(0, color=style.GREY, lw=1, ls=":")
    ax.set(title=table, yticks=range(len(jobs)), yticklabels=jobs)
    ax.grid(alpha=0.25)
