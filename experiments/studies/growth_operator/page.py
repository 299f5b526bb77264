"""results/growth_operator.md and .png."""

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
    gains,
    names,
    present,
    seeds_of,
)
from experiments.rendering.text import page, right
from experiments.studies.growth_operator.run import GROW, INSERT, TABLES, VARIANTS
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

KEPT = Measure("holdout_volume", "volume on rows hidden from the search, %", 2)
MEASURES = (
    Measure("hypervolume", "validation hypervolume, %", 2),
    Measure("val_error", "lowest validation error", 3),
    KEPT,
    Measure("holdout_score", "score of that member on the hidden rows", 3),
)
TITLE, COMMAND = "Growth guided by gradients in the search", "`python -m experiments.run growth_operator`"
TEXT = """Made by {command}; {seeds}. Only training rows are used: the test rows of the hold-outs are not read.

{insert} and {grow} both let a function node read one more input. {insert} chooses the new edge at random; {grow}
mostly chooses the edge with the largest gradient of the training loss. All jobs train the same number of trees. In each
job, 7 % of the children come from the operator that it names, or from both operators together, or from neither. A
quarter of the training rows is hidden from the search. The last front is trained again on the other rows and scored on
that quarter: for each size, the error of the member with the lowest validation error among those no larger counts.
Volumes are in % of the box that ends at the error of the best constant and the largest number of weights a tree can
have. p tests the differences from {insert}. {how}."""
CHILDREN = """## The children

For each operator in the searches that use it alone: the share of its children with a lower validation error than their
parent, and the median change of the error in %; means over the seeds. A child was trained once more than its parent;
the effect of that training alone is not known."""
PICTURE = "![children better than their parents](growth_operator.png)"


def render(rows: ResultRows, results: Path) -> None:
    jobs, tables = list(VARIANTS), present(TABLES, rows, "table")
    text = TEXT.format(command=COMMAND, seeds=seeds_of(rows), insert=f"`{INSERT}`", grow=f"`{GROW}`", how=HOW)
    parts = [comparison(rows, table, jobs, INSERT, MEASURES, KEPT) for table in (*tables, ALL)]
    lines = [_children(rows, table, name) for table in tables for name in (INSERT, GROW)]
    children = right(["table", "operator", "children", "better than their parent, %", "change, %"], lines, left=2)
    write_text(results / "growth_operator.md", page(TITLE, text, *parts, CHILDREN, children, PICTURE))
    save(figure(rows), results / "growth_operator.png")


def headline(rows: ResultRows) -> str:
    insert, grow = (
        100 * float(np.mean([_mean(rows, table, operator, "improved") for table in names(rows, "table")]))
        for operator in (INSERT, GROW)
    )
    text = (
        f"{COMMAND}, {seeds_of(rows)} per table: {grow:.0f} % of the children of `{GROW}` are better than their "
        f"parents, compared with {insert:.0f} % for `{INSERT}`. [growth_operator.md](growth_operator.md)."
    )
    return f"## {TITLE}\n\n{text}\n\n{gains(rows, list(VARIANTS), INSERT, KEPT)}"


def _mean(rows: ResultRows, table: str, operator: str, what: str) -> float:
    """The mean over the seeds of searches with this operator alone, if it made children there."""
    values = list(by_seed(rows, table, operator, f"{operator} {what}").values())
    return float(np.mean(values)) if values else float("nan")


def _children(rows: ResultRows, table: str, operator: str) -> list[str]:
    children, improved, change = (_mean(rows, table, operator, what) for what in ("children", "improved", "change"))
    return [table, f"`{operator}`", f"{children:.0f}", f"{100 * improved:.0f}", f"{change:+.1f}".replace("-", "−")]


def figure(rows: ResultRows) -> Figure:
    """A dot for each search: the share of children that are better than their parents, by operator and table."""
    made = Figure(figsize=(6, 3.2), layout="constrained")
    ax, tables = made.subplots(), present(TABLES, rows, "table")
    for shift, operator, colour in ((-0.12, INSERT, style.ORANGE), (0.12, GROW, style.BLUE)):
        for place, table in enumerate(tables):
            shares = [100 * value for value in by_seed(rows, table, operator, f"{operator} improved").values()]
            label = operator if place == 0 else None
            ax.plot(np.full(len(shares), place + shift), shares, "o", color=colour, ms=4, alpha=0.7, label=label)
            if shares:
                ax.plot(place + shift, np.median(shares), "_", color=style.BLACK, ms=14, mew=2)
    ax.set(xticks=range(len(tables)), xticklabels=tables, ylim=(0, 100), ylabel="children better than their parents, %")
    ax.grid(axis="y", alpha=0.25)
    ax.legend(frameon=False)
    return made
