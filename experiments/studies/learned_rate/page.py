"""results/learned_rate.md and .png."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.common.statistics import paired, signed_rank_p
from experiments.rendering.searches import ALL, HOW, Measure, ResultRows, comparison, names, present, seeds_of, spread
from experiments.rendering.text import figure, page, right
from experiments.studies.learned_rate.run import (
    COST,
    DEFAULT,
    EPOCHS,
    LEARNED,
    SCHEDULES,
    STARTS,
    STARTS_JOB,
    TABLES,
    TREES,
    UNTUNED,
    WAYS,
)
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.run_pictures import save

TITLE, COMMAND = "Learning rates that trees learn", "`python -m experiments.run learned_rate`"
TEXT = """Written by `python -m experiments.render` from [learned_rate.csv](learned_rate.csv), made by {command}.

Each tree learns its own rate by the slope of the loss by the rate (Baydin et al. 2018; Chandra et al. 2022, "Gradient
descent: the ultimate optimizer"): a_(i+1) = a_i + kappa g_i . u_(i-1), u being the last direction; stacked_sgd learns
kappa too. In a step a rate becomes at most twice as large and at least two thirds as large. The schedule multiplies the
learned rate. Kappa and these bounds were chosen by training losses on the hold-outs 1000 to 1002 of the same tables."""
STARTING = """## Starting rates

{trees} random trees, {epochs} epochs: medians of the trees' losses after the last epoch, then over {seeds}. Learned
rates train for fewer epochs: a step is taken to cost {cost} of the time of a fixed one. "Apart": the largest of the
columns from {low:g} to {high:g} divided by the smallest; 1.10 or less is the aim. Training loss on {table}:"""
TUNED = """## Against the best fixed rate

Validation loss divided by that of the best of {count} fixed rates, in the same CPU time for each training; the best one
is chosen for each hold-out and table by the same validation loss, which favours it. Medians [quartiles] over tables and
hold-outs; p: Wilcoxon's signed-rank test of the logarithms. Learned rates and "fixed" start at {start:g}. "Step": the
CPU time of a step as measured in these trainings, in % of that of the fixed form, medians."""
SEARCHES = """## In a search

Searches with the same CPU time for training, {seeds} per table: the budget in weight·samples is that of 1,200 usual
trees, less what the steps of learned rates cost. Everything else is the default, so the learning rate is .01 and
follows a cosine; "from {untuned:g}" starts at a rate that nobody tuned. Validation chooses, and test rows are scored
once. The score is R² or accuracy; the volume is that of test rows in % of the box. {how}."""
PICTURE = "![training loss against the starting rate](learned_rate.png)"
NEAR = STARTS[:4]  # from which the learned rate should end at one loss
START = 0.01
VOLUME = Measure("test_volume", "volume of test rows, %", 2)
SCORE = Measure("test_score", "test score of the best member", 3)
MEASURES = (VOLUME, SCORE, Measure("weights", "weights of the best member", 0), Measure("trees", "trees trained", 0))
COSTS = " and ".join(f"{value:.2f}" for value in dict.fromkeys(COST.values()))
FIXED = tuple(dict.fromkeys(LEARNED.values()))
COLOURS = dict(zip((*FIXED, *LEARNED), (style.GREY, style.BLACK, style.SKY, style.GREEN, style.VERMILION), strict=True))


def render(rows: ResultRows, results: Path) -> None:
    begun, searched = ([row for row in rows if (row["job"] == STARTS_JOB) == own] for own in (True, False))
    parts = [_starting(begun), PICTURE, _apart(begun), _tuned(begun)] if begun else []
    if searched:
        parts.append(SEARCHES.format(seeds=seeds_of(searched), untuned=UNTUNED, how=HOW))
        tables = (*present(TABLES, searched, "table"), ALL)
        parts += [comparison(searched, table, list(WAYS), DEFAULT, MEASURES, VOLUME, SCORE) for table in tables]
    write_text(results / "learned_rate.md", page(TITLE, TEXT.format(command=COMMAND), *parts))
    if begun:
        save(picture(begun), results / "learned_rate.png")


def headline(rows: ResultRows) -> str:
    searched = [row for row in rows if row["job"] != STARTS_JOB]
    text = f"{COMMAND}; [learned_rate.md](learned_rate.md)."
    shown = comparison(searched, ALL, list(WAYS), DEFAULT, (VOLUME, SCORE), VOLUME, SCORE) if searched else ""
    return "\n\n".join(part for part in (f"## {TITLE}", text, shown) if part)


def losses(rows: ResultRows, table: str, way: tuple[str, str], start: float, column: str) -> dict[int, float]:
    """By seed, of an optimiser with a schedule from a starting rate."""
    return {
        int(row["seed"]): float(row[column])
        for row in rows
        if (row["table"], row["optimizer"], row["schedule"]) == (table, *way) and float(row["start"]) == start
    }


def _median(rows: ResultRows, table: str, way: tuple[str, str], start: float, column: str = "train_loss") -> float:
    return float(np.median(list(losses(rows, table, way, start, column).values())))


def apart(rows: ResultRows, table: str, way: tuple[str, str], column: str = "train_loss") -> float:
    """The largest of the losses from ``NEAR`` divided by the smallest."""
    found = [_median(rows, table, way, start, column) for start in NEAR]
    return max(found) / min(found)


def _ways() -> list[tuple[str, str]]:
    return [(name, schedule) for schedule in SCHEDULES for name in (*FIXED, *LEARNED)]


def _starting(rows: ResultRows) -> str:
    table = present(TABLES, rows, "table")[0]
    lines = []
    for way in _ways():
        found = [_median(rows, table, way, start) for start in STARTS]
        last = _median(rows, table, way, START, "rate")
        cells = [*(figure(loss) for loss in found), figure(apart(rows, table, way), 2)]
        lines.append([", ".join(way), *cells, figure(last) if way[0] in LEARNED else ""])
    low, high = NEAR[0], NEAR[-1]
    text = STARTING.format(
        trees=TREES, epochs=EPOCHS, seeds=seeds_of(rows), low=low, high=high, cost=COSTS, table=table
    )
    header = [f"{table}, start", *(f"{start:g}" for start in STARTS), "apart", f"last rate from {START:g}"]
    return f"{text}\n\n{right(header, lines)}"


def _apart(rows: ResultRows) -> str:
    """On every table, for training and validation losses."""
    tables = present(TABLES, rows, "table")
    parts = ("train_loss", "val_loss")
    lines = [
        [", ".join(way), *(" / ".join(figure(apart(rows, table, way, part), 2) for part in parts) for table in tables)]
        for way in _ways()
    ]
    return f'"Apart" on every table, training / validation losses:\n\n{right(["", *tables], lines)}'


def _tuned(rows: ResultRows) -> str:
    lines, rates = [], names([row for row in rows if row["optimizer"] in FIXED], "start")
    for name, schedule in _ways():
        form, ratios = LEARNED.get(name, name), []
        for table in present(TABLES, rows, "table"):
            fixed = [losses(rows, table, (form, schedule), float(rate), "val_loss") for rate in rates]
            best = {seed: min(each[seed] for each in fixed) for seed in fixed[0]}
            ratios.append(np.divide(*paired(losses(rows, table, (name, schedule), START, "val_loss"), best)))
        ratio = np.log(np.concatenate(ratios))
        p = signed_rank_p(ratio, np.zeros_like(ratio))
        step = "" if name in FIXED else figure(100 * _cost(rows, name, form), 0)
        label = f"{name}, {schedule}" if name in LEARNED else f"fixed {name}, {schedule}"
        lines.append([label, spread(np.exp(ratio), 3), f"{p:.2g}", step])
    text = TUNED.format(count=len(rates), start=START)
    return f"{text}\n\n{right(['', 'validation loss / best fixed', 'p', 'step, %'], lines)}"


def _cost(rows: ResultRows, name: str, form: str) -> float:
    """The CPU time of a step divided by that of the fixed form: medians of each unit, then the median over units."""
    times: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        of_unit = times.setdefault((row["table"], row["seed"]), {name: [], form: []})
        if row["optimizer"] in of_unit:
            of_unit[row["optimizer"]].append(float(row["step_us"]))
    return float(np.median([np.median(each[name]) / np.median(each[form]) for each in times.values()]))


def picture(rows: ResultRows) -> Figure:
    """A panel for each table: the training loss over the starting rate, at the schedule of the defaults."""
    tables = present(TABLES, rows, "table")
    made = Figure(figsize=(2 + 2.4 * len(tables), 3.2), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False)[0]
    for ax, table in zip(panels, tables, strict=True):
        for name in (*FIXED, *LEARNED):
            starts = sorted({float(row["start"]) for row in rows if row["optimizer"] == name})
            found = [_median(rows, table, (name, SCHEDULES[-1]), start) for start in starts]
            ax.plot(starts, found, marker="o", ms=3, color=COLOURS[name], label=name)
        ax.set(title=table, xscale="log", xlabel="starting rate")
        ax.grid(alpha=0.25)
    panels[0].set_ylabel(f"training loss, {SCHEDULES[-1]}")
    panels[-1].legend(frameon=False, fontsize=7)
    return made
