"""results/ablation.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.ablation import FULL, ONE_HOLD_OUT
from experiments.rendering.searches import ALL, Measure, Rows, by_seed, comparison, differences, names, seeds_of
from experiments.rendering.text import page
from experiments.statistics import paired
from neuraltree import plot_style as style
from search.pictures.files import save
from search.records import write_text

TESTED = Measure("test_hypervolume", "test hypervolume, %", 2)
MEASURES = (
    Measure("hypervolume", "validation hypervolume, %", 2),
    TESTED,
    Measure("test_score", "test score of the best member", 3),
    Measure("weights", "its weights", 0),
    Measure("trees", "trees trained", 0),
)
TITLE, COMMAND = "The search without each of its parts", "`python -m experiments.run ablation`"
TEXT = """Written by `python -m experiments.render` from [ablation.csv](ablation.csv), made by {command}.

Each variant spends the same weight·samples as the full search on {seeds} per table, with hypervolume selection and
the objectives validation error and weights. "{one}" validates on a quarter of the training rows instead of four
folds: it trains about four times as many trees for the budget, and its validation hypervolume is of other rows, so
compare the test columns. Test hypervolume: of the front of the last population, trained again on all training rows
and scored once, in % of the box up to the error of the best constant and the most weights of a tree. The best member
is the one with the lowest validation error; its score is R² on friedman, accuracy elsewhere. Medians [quartiles]; p:
Wilcoxon's signed-rank test of the differences from the full search, Holm's correction within each table."""
PICTURE = (
    "![differences of the test hypervolume from the full search, a dot for each hold-out and the median](ablation.png)"
)


def render(rows: Rows, results: Path) -> None:
    jobs = names(rows, "job")
    parts = [comparison(rows, table, jobs, FULL, MEASURES, TESTED) for table in (*names(rows, "table"), ALL)]
    text = TEXT.format(command=COMMAND, seeds=seeds_of(rows), one=ONE_HOLD_OUT)
    write_text(results / "ablation.md", page(TITLE, text, PICTURE, *parts))
    save(picture(rows), results / "ablation.png")


def headline(rows: Rows) -> str:
    found = differences(rows, ALL, names(rows, "job"), FULL, TESTED.column)
    order = sorted(found.items(), key=lambda item: item[1].mean)[:3]
    costs = ", ".join(f"{job} {d.mean:+.2f} (p {d.p:.3f})" for job, d in order)
    text = (
        f"What the test hypervolume misses most (% points, mean over {len(names(rows, 'table'))} tables): {costs}; "
        f"{COMMAND}, [ablation.md](ablation.md)."
    )
    return f"## {TITLE}\n\n{text}"


def picture(rows: Rows) -> Figure:
    """A panel for each table: what every seed loses or gains without a part, and the median."""
    tables = names(rows, "table")
    jobs = [job for job in names(rows, "job") if job != FULL]
    made = Figure(figsize=(2 + 3.2 * len(tables), 1.2 + 0.3 * len(jobs)), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False, sharey=True)[0]
    for ax, table in zip(panels, tables, strict=True):
        _draw(ax, rows, table, jobs)
    panels[0].invert_yaxis()
    made.supxlabel("test hypervolume, % points")
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
