"""results/selection.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.common.searching import FULL
from experiments.rendering.searches import (
    ALL,
    HOW,
    Measure,
    ResultRows,
    by_seed,
    comparison,
    gains,
    names,
    present,
    seeds_of,
)
from experiments.rendering.text import page
from experiments.studies.selection.run import LONG, METHODS, RANDOM, TABLES
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import legend_below, save

VOLUME = Measure("hypervolume", "validation hypervolume, %", 2)
BY_TREES = Measure("hypervolume_by_trees", "hypervolume at equal trees, %", 2)
TESTED = Measure("test_volume", "volume of test rows, %", 2)
MEASURES = (
    VOLUME,
    BY_TREES,
    TESTED,
    Measure("trees", "trees trained", 0),
)
LOOKS = {
    "hypervolume": style.Look(style.BLUE, "o"),
    "nsga2": style.Look(style.VERMILION, "s"),
    "nsga3": style.Look(style.GREEN, "^"),
    RANDOM: style.Look(style.GREY, "D"),
    LONG: style.Look(style.ORANGE, "P"),
}
BASE = "hypervolume"

TITLE, COMMAND = "Selection at equal training", "`python -m experiments.run selection`"
TEXT = """Written by `python -m experiments.render` from [selection.csv](selection.csv), made by {command}.

Every method trains until it has spent the same weight·samples (weights x rows x epochs, over all folds) on {seeds}
per table, with the same first population and settings. It is scored after the last generation within that budget.
Objectives: validation error (4 folds) and weights. Random search draws its trees like those of the first population. It
trains them for as many epochs as one generation of the other methods, or for {epochs} epochs, because the other methods
inherit weights and so continue training.

The validation hypervolume covers the best trade-offs of all trees trained so far (the archive, built alike for every
method). It is in % of the box that ends at the error of the best constant and the largest number of weights a tree can
have. "At equal trees": after {trees:,} trees, whatever their weights. Validation rows choose epochs and
survivors again in every generation, so inherited weights look slightly too good on them. The volume of test rows has no
such bias: the front of the last population is trained again on all training rows and scored once. For each size, the
test error of the member with the lowest validation error among those no larger counts, in the same box. The training
settings were chosen among six on other hold-outs of friedman and glass. Hypervolume selection itself uses a reference
point at an error of 1, not at the error of the best constant. p tests the differences from hypervolume selection.
{how}."""
PICTURE = "![hypervolume by training](selection.png)"


def render(rows: ResultRows, results: Path) -> None:
    ends = [row for row in rows if float(row["share"]) == 1.0]
    compared = (VOLUME, BY_TREES, TESTED)
    tables = (ALL, *present(TABLES, ends, "table"))
    parts = [comparison(ends, table, list(METHODS), BASE, MEASURES, *compared) for table in tables]
    epochs = METHODS[LONG]["train"]["epochs"]
    text = TEXT.format(command=COMMAND, trees=FULL.trees, seeds=seeds_of(ends), how=HOW, epochs=epochs)
    write_text(results / "selection.md", page(TITLE, text, PICTURE, *parts))
    save(picture(rows), results / "selection.png")


def headline(rows: ResultRows) -> str:
    ends = [row for row in rows if float(row["share"]) == 1.0]
    text = f"{COMMAND}, {seeds_of(ends)} per table; [selection.md](selection.md) defines the volumes."
    return f"## {TITLE}\n\n{text}\n\n{gains(ends, list(METHODS), BASE, VOLUME, TESTED)}\n\n{PICTURE}"


def picture(rows: ResultRows) -> Figure:
    """A panel for each table: medians and quartiles over the seeds."""
    tables = present(TABLES, rows, "table")
    shares = sorted({float(row["share"]) for row in rows})
    made = Figure(figsize=(4.2 * len(tables), 3.8), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False)[0]
    for ax, table in zip(panels, tables, strict=True):
        for job in (job for job in METHODS if job in names(rows, "job")):
            values = [list(by_seed(_at(rows, share), table, job, "hypervolume").values()) for share in shares]
            # 0 means that the share of the budget does not cover the first population.
            drawn = [each if each and min(each) > 0 else [np.nan] for each in values]
            low, middle, high = np.array([np.quantile(each, [0.25, 0.5, 0.75]) for each in drawn]).T
            look = LOOKS[job]
            ax.fill_between(np.multiply(100, shares), low, high, color=look.colour, alpha=0.15, lw=0)
            ax.plot(np.multiply(100, shares), middle, color=look.colour, marker=look.marker, ms=3.5, lw=1.2, label=job)
        ax.set(title=table, xlabel="training spent, % of the budget")
        ax.grid(alpha=0.25)
    panels[0].set_ylabel("validation hypervolume of the archive, %")
    legend_below(made, len(LOOKS))
    return made


def _at(rows: ResultRows, share: float) -> ResultRows:
    return [row for row in rows if float(row["share"]) == share]
