"""results/activations.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.rendering.searches import (
    ALL,
    HOW,
    Measure,
    ResultRows,
    by_seed,
    comparison,
    differences,
    gains,
    least_p,
    present,
    seeds_of,
)
from experiments.rendering.text import figure, page
from experiments.studies.activations.run import KINDS, MIXED, TABLES
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

TESTED = Measure("test_score", "test score", 3)
MEASURES = (
    Measure("hypervolume", "validation hypervolume, %", 2),
    Measure("test_volume", "volume of test rows, %", 2),
    TESTED,
    Measure("weights", "weights", 0),
)
TITLE, COMMAND = "Each activation alone", "`python -m experiments.run activations`"
TEXT = """Written by `python -m experiments.render` from [activations.csv](activations.csv), made by {command}.

The same search with equal training (weight·samples), once with each activation for all hidden nodes and once with
{mixed} mixed, on {seeds} per table. The test score and the weights are those of the member with the lowest
validation error, trained again on all training rows and scored once; the score is R² on friedman, accuracy elsewhere.
Volumes are in % of the box that ends at the error of the best constant and the largest number of weights a tree can
have. In the volume of test rows, for each size, the member with the lowest validation error among those no larger
counts. p tests the differences from the mixed set; for the means over the tables it cannot be below {least}. {how}."""
PICTURE = "![test scores by activation](activations.png)"


def render(rows: ResultRows, results: Path) -> None:
    jobs, tables = present(KINDS, rows, "job"), present(TABLES, rows, "table")
    parts = [comparison(rows, table, jobs, MIXED, MEASURES, TESTED) for table in (*tables, ALL)]
    least = figure(least_p(differences(rows, ALL, jobs, MIXED, TESTED)))
    text = TEXT.format(command=COMMAND, mixed=", ".join(KINDS[MIXED]), seeds=seeds_of(rows), how=HOW, least=least)
    write_text(results / "activations.md", page(TITLE, text, PICTURE, *parts))
    save(picture(rows, jobs), results / "activations.png")


def headline(rows: ResultRows) -> str:
    text = f"{COMMAND}, {seeds_of(rows)} per table; [activations.md](activations.md)."
    return f"## {TITLE}\n\n{text}\n\n{gains(rows, list(KINDS), MIXED, TESTED)}"


def picture(rows: ResultRows, jobs: list[str]) -> Figure:
    """A panel for each table: a dot for every seed, the median as a bar."""
    tables = present(TABLES, rows, "table")
    made = Figure(figsize=(3.4 * len(tables), 3.6), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False)[0]
    for ax, table in zip(panels, tables, strict=True):
        for place, job in enumerate(jobs):
            values = list(by_seed(rows, table, job, TESTED.column).values())
            look = style.ACTIVATION_LOOKS.get(job, style.Look(style.BLUE, "P"))
            ax.plot([place] * len(values), values, look.marker, color=look.colour, mec=style.BLACK, mew=0.5, ms=6)
            if values:
                ax.plot(place, np.median(values), "_", color=style.BLACK, ms=16, mew=2)
        ax.set(title=table, xticks=range(len(jobs)))
        ax.set_xticklabels(jobs, rotation=45, ha="right")
        ax.grid(alpha=0.25, axis="y")
    panels[0].set_ylabel("test score")
    return made
