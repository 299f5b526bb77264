"""results/search_peers.md and .png."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.peers import matrices, networks, operon, plain_gp, programs, pruning
from experiments.peers.arena import BUDGET_S, MOST_WEIGHTS, Member
from experiments.rendering.searches import (
    ALL,
    HOW,
    Measure,
    ResultRows,
    comparison,
    gains,
    names,
    of,
    present,
    seeds_of,
)
from experiments.rendering.text import page, table
from experiments.studies.search_peers.run import METHODS, TABLES
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import legend_below, save

VOLUME = Measure("test_volume", "volume of test errors, %", 2)
LOG_VOLUME = Measure("log_test_volume", "test volume, logarithmic weights, %", 2)
MEASURES = (
    VOLUME,
    LOG_VOLUME,
    Measure("scalar_test_volume", "test volume by scalars, %", 2),
    Measure("hypervolume", "volume of validation errors, %", 2),
    Measure("test_score", "test score", 3),
    Measure("weights", "weights", 0),
    Measure("smallest", "fewest weights", 0),
    Measure("scalars", "scalars", 0),
    Measure("front_size", "members", 0),
    Measure("evaluations", "models scored", 0),
    Measure("search_cpu_s", "CPU s", 1),
    Measure("compile_cpu_s", "compile CPU s", 1),
)
LOOKS = {
    "evolved": style.Look(style.BLUE, "o"),
    "random": style.Look(style.GREY, "D"),
    "optuna": style.Look(style.VERMILION, "s"),
    "pruned": style.Look(style.ORANGE, "^"),
    "pyoperon": style.Look(style.GREEN, "v"),
    "gplearn": style.Look(style.PURPLE, "P"),
    "deap": style.Look(style.SKY, "X"),
    "kozax": style.Look(style.BLACK, "*"),
}
BASE = "evolved"
TITLE, COMMAND = "The search against its peers at equal CPU time", "`python -m experiments.run search_peers`"
TEXT = f"""Written by `python -m experiments.render` from [search_peers.csv](search_peers.csv), made by {COMMAND}.

Every method gets {BUDGET_S:g} CPU seconds in one process, on {{seeds}} per table, with the same training and test rows
and the same standardised inputs. It ends with the step in which the time runs out. Compile time counts: each process
starts with nothing compiled, and the table shows compile time separately. Only kozax compiles before its clock starts,
because otherwise it would not reach its first generation. Validation error and size on training rows choose a front.
Each method then fits the members of its front again to all training rows, outside the budget. gplearn and DEAP cannot
refit, so their formulas have seen the rows of three folds only. All members are scored once on the test rows. Test
score, weights and scalars are those of the member with the lowest validation error; the score is R² or accuracy.
"Fewest weights" are those of the smallest member.

The volume of test errors describes a user who has room for some number of weights, from 1 to {MOST_WEIGHTS}, and takes
the member with the lowest validation error that fits. It is the mean, over all these numbers, of the reduction in test
error relative to the best constant, in % of the constant's error (1 − R², or the share of wrong classes). On a
logarithmic axis, the range from 1 to 16 weights counts as much as the range from 16 to {MOST_WEIGHTS}; a network with
one unit may need more than 16. The weights of trees and networks are their trainable scalars. The weights of a formula
are its leaves: its numbers and every reading of a variable, as if each had a coefficient. pyoperon has such
coefficients; its numbers that others could absorb do not count. The "scalars" of a formula are its numbers alone. Do
not compare validation errors between methods: for networks and trees they come from four folds, but trees also use the
epoch that was best there; for formulas they come from the rows that the first of these folds leaves out.

The training settings of this project (epochs, batch size, learning rate) were chosen among six on other hold-outs of
glass and of friedman, which is one of these tables. Peers have the settings of their documentation.

- evolved: this project's search; random: the same training of new random trees in every generation; both judge their
  fronts afresh within the time, and honest errors choose among the members;
- optuna: NSGA-II in populations of {networks.POPULATION} over scikit-learn's MLPs of one or two layers, from 1 unit to
  as many units as one layer can have with {MOST_WEIGHTS} weights; it chooses activation, solver (L-BFGS or Adam),
  penalty and learning rate, and minimises the error over the folds and the number of weights;
- pruned: MLPs of 32 units pruned to {len(pruning.SIZES)} sizes by magnitude, with several penalties and seeds;
- pyoperon: NSGA-II over R² and length, {operon.POPULATION} formulas, {operon.ITERATIONS} steps of
  Levenberg-Marquardt for each formula;
- gplearn: {programs.POPULATION} programs, its default penalty on length; the best program of every size;
- deap: plain GP of {plain_gp.POPULATION} formulas as in DEAP's example; the best formula of every size;
- kozax: {matrices.POPULATION} formulas of up to {matrices.MOST_NODES} nodes, {matrices.STEPS} steps of Adam for the
  constants of the best {matrices.ELITE}; its own front.

All formulas use +, −, ×, a / √(1 + b²), sin and tanh. p tests the differences from {BASE}.
{HOW}."""
PICTURE = "![test error against weights](search_peers.png)"
AXIS = np.unique(np.geomspace(2, MOST_WEIGHTS, 60).round().astype(int))


def render(rows: ResultRows, results: Path) -> None:
    regression, tables = _regression(rows), present(TABLES, rows, "table")
    parts = [f"## All tables\n\n{compared(rows, ALL)}"]
    if len(names(regression, "table")) > 1:
        parts.append(f"## Regression\n\n{compared(regression, ALL)}")
    parts += [f"## {name}\n\n{compared(rows, name)}" for name in tables]
    text = TEXT.format(seeds=seeds_of(rows))
    write_text(results / "search_peers.md", page(TITLE, text, PICTURE, *parts, remarks(rows)))
    save(picture(rows), results / "search_peers.png")


def compared(rows: ResultRows, name: str) -> str:
    return comparison(rows, name, list(METHODS), BASE, MEASURES, VOLUME, LOG_VOLUME)


def remarks(rows: ResultRows) -> str | None:
    """The tables on which a method did not run, or ran differently, and why."""
    said = dict.fromkeys((row["job"], row["note"], row["table"]) for row in rows if row["note"])
    by_note: dict[tuple[str, str], list[str]] = {}
    for job, note, name in said:
        by_note.setdefault((job, note), []).append(name)
    lines = [[job, ", ".join(found), note] for (job, note), found in by_note.items()]
    return f"## Remarks\n\n{table(['method', 'tables', 'remark'], lines)}" if lines else None


def headline(rows: ResultRows) -> str:
    text = (
        f"At {BUDGET_S:g} CPU seconds each, {seeds_of(rows)} per table: the volume of test errors, differences from "
        f"the evolved trees; {COMMAND}. [search_peers.md](search_peers.md) defines the volume."
    )
    parts = [gains(some, list(METHODS), BASE, VOLUME, LOG_VOLUME) for some in (rows, _regression(rows))]
    both = ["All tables:", parts[0], "Regression alone:", parts[1]]
    return "\n\n".join([f"## {TITLE}", text, *both, PICTURE])


def _regression(rows: ResultRows) -> ResultRows:
    return [row for row in rows if TABLES[row["table"]] == "regression"]


def picture(rows: ResultRows) -> Figure:
    """A panel for each table: the test error of the member with the lowest validation error up to each size."""
    tables = present(TABLES, rows, "table")
    made = Figure(figsize=(3.6 * len(tables), 3.9), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False)[0]
    for ax, name in zip(panels, tables, strict=True):
        _draw(ax, rows, name)
    panels[0].set_ylabel("test error, median over the hold-outs")
    legend_below(made, len(LOOKS))
    return made


def _draw(ax: Axes, rows: ResultRows, name: str) -> None:
    top = 0.0
    for job, look in LOOKS.items():
        fronts = [
            [Member(*member) for member in json.loads(row["front"])] for row in of(rows, name, job) if row["front"]
        ]
        if not fronts:
            continue
        line = np.array([np.median([chosen(front, int(most)) for front in fronts]) for most in AXIS])
        shown = np.isfinite(line)
        ax.plot(AXIS[shown], line[shown], color=look.colour, marker=look.marker, ms=4, markevery=6, lw=1.3, label=job)
        top = max(top, float(np.min(line[shown], initial=1.0)))
    ax.set(title=name, xlabel="weights, at most", xscale="log", ylim=(0, min(1.0, 2.5 * top)))
    ax.grid(alpha=0.25)


def chosen(front: list[Member], most: int) -> float:
    """The test error of the member with the lowest validation error among those of at most ``most`` weights."""
    small = [member for member in front if member.weights <= most]
    return min(small, key=lambda member: member.val_error).test_error if small else math.inf
