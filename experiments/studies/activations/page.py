"""results/activations.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.rendering.searches import (
    ALL,
    HOW,
    Measure,
    Rows,
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

The same search at equal training (weight·samples) with one activation for all hidden nodes, and with {mixed} mixed,
on {seeds} per table. Test score: R² on friedman, accuracy elsewhere, of the member with the lowest validation error,
trained again on all training rows and scored once; weights: its own. Volumes in % of the box up to the error of the
best constant and the most weights of a tree; of test rows, for each size, by the member that validation chooses. p is
of the differences from the mixed set: none of the means over the tables can have one below {least}. {how}."""
PICTURE = "![test scores by activation](activations.png)"


def render(rows: Rows, results: Path) -> None:
    jobs, tables = present(KINDS, rows, "job"), present(TABLES, rows, "table")
    parts = [comparison(rows, table, jobs, MIXED, MEASURES, TESTED) for table in (*tables, ALL)]
    least = figure(least_p(differences(rows, ALL, jobs, MIXED, TESTED)))
    text = TEXT.format(command=COMMAND, mixed=", ".join(KINDS[MIXED]), seeds=seeds_of(rows), how=HOW, least=least)
    write_text(results / "activations.md", page(TITLE, text, PICTURE, *parts))
    save(picture(rows, jobs), results / "activations.png")


def headline(rows: Rows) -> str:
    text = f"{COMMAND}, {seeds_of(rows)} per table; [activations.md](activations.md)."
    return f"## {TITLE}\n\n{text}\n\n{gains(rows, list(KINDS), MIXED, TESTED)}"


def picture(rows: Rows, jobs: list[str]) -> Figure:
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
