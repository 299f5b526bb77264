"""results/stochasticity.md and .png."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import spearmanr

from experiments.common.statistics import holm, paired, signed_rank_p
from experiments.rendering.searches import ResultRows, names, of, present, seeds_of, spread
from experiments.rendering.text import figure, page, right
from experiments.studies.stochasticity.run import EPOCHS, EVOLVED, MOST_NODES, RANDOM, TABLES, TREES
from neuraltree.plot import style
from search.folder.records import write_text
from search.pictures.axes import COLUMNS, set_axis
from search.pictures.run_pictures import save

LOOKS = {RANDOM: style.Look(style.PALE, "o"), EVOLVED: style.Look(style.VERMILION, "^")}
EDGES = (0, 30, 60, 120, 1_000_000)  # weights
TITLE, COMMAND = "Architectural stochasticity", "`python -m experiments.run stochasticity`"
TEXT = """Written by `python -m experiments.render` from [stochasticity.csv](stochasticity.csv), made by {command}.

Random trees of up to {nodes} nodes, and the members of evolved fronts, on {seeds} per table. The random trees are
trained alike: {epochs} epochs, the best epoch chosen by four folds, then training on all training rows. Every tree is
scored once on the test rows: R² on friedman, accuracy elsewhere. The table gives medians [quartiles] by number of
weights, and Spearman's correlation of score and weights. "Best" is the tree with the lowest validation error of each
hold-out: a member of the evolved front, or one of {trees} random trees. These {trees} trees take about a sixth of the
training that the search spends, and may have more nodes than its trees. p compares the best trees: Wilcoxon's
signed-rank test, Holm's correction over the tables."""
PICTURE = "![score against weights](stochasticity.png)"


def render(rows: ResultRows, results: Path) -> None:
    header = ["", *_ranges(), "best", "weights of the best", "correlation"]
    tables = present(TABLES, rows, "table")
    body = [_line(rows, table, job) for table in tables for job in (RANDOM, EVOLVED) if of(rows, table, job)]
    text = TEXT.format(command=COMMAND, nodes=MOST_NODES, epochs=EPOCHS, trees=TREES, seeds=seeds_of(rows))
    write_text(results / "stochasticity.md", page(TITLE, text, PICTURE, right(header, body), _best(rows)))
    save(picture(rows), results / "stochasticity.png")


def headline(rows: ResultRows) -> str:
    text = f"{COMMAND}, {seeds_of(rows)} per table; medians [quartiles]; [stochasticity.md](stochasticity.md)."
    return f"## {TITLE}\n\n{text}\n\n{_best(rows)}\n\n{PICTURE}"


def _best(rows: ResultRows) -> str:
    """Scores of all random trees, and of the random and evolved trees with the lowest validation error."""
    header = [
        "test score",
        "random trees, all",
        "random, best by validation",
        "evolved, best by validation",
        "p (Holm)",
    ]
    tables = present(TABLES, rows, "table")
    pairs = [[_best_scores(rows, table, job) for job in (RANDOM, EVOLVED)] for table in tables]
    p = holm([signed_rank_p(*paired(*pair)) for pair in pairs])
    body = []
    for table, pair, each in zip(tables, pairs, p, strict=True):
        everything = spread(numbers(of(rows, table, RANDOM), "test_score"), 3)
        chosen = (spread(scores.values(), 3) if scores else "" for scores in pair)
        body.append([table, everything, *chosen, figure(each)])
    return right(header, body)


def _best_scores(rows: ResultRows, table: str, job: str) -> dict[int, float]:
    return {int(row["seed"]): float(row["test_score"]) for row in best(of(rows, table, job))}


def numbers(rows: ResultRows, column: str) -> NDArray[np.float64]:
    return np.array([float(row[column]) for row in rows])


def best(rows: ResultRows) -> ResultRows:
    """For every seed, the tree with the lowest validation error."""
    return [min(_of_seed(rows, seed), key=lambda row: float(row["val_error"])) for seed in names(rows, "seed")]


def _of_seed(rows: ResultRows, seed: str) -> ResultRows:
    return [row for row in rows if row["seed"] == seed]


def _ranges() -> list[str]:
    middle = [f"{low + 1} to {high} weights" for low, high in pairwise(EDGES[1:-1])]
    return [f"up to {EDGES[1]} weights", *middle, f"over {EDGES[-2]} weights"]


def _line(rows: ResultRows, table: str, job: str) -> list[str]:
    mine = of(rows, table, job)
    weights, scores = numbers(mine, "weights"), numbers(mine, "test_score")
    parts = [scores[(weights > low) & (weights <= high)] for low, high in pairwise(EDGES)]
    chosen = best(mine)
    varied = len(np.unique(weights)) > 1 and len(np.unique(scores)) > 1
    return [
        f"{table}, {job}",
        *(spread(part, 3) if len(part) else "" for part in parts),
        spread(numbers(chosen, "test_score"), 3),
        spread(numbers(chosen, "weights"), 0),
        f"{spearmanr(weights, scores).statistic:+.2f}" if varied else "",
    ]


def picture(rows: ResultRows) -> Figure:
    tables = present(TABLES, rows, "table")
    made = Figure(figsize=(4.0 * len(tables), 3.8), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False)[0]
    for ax, table in zip(panels, tables, strict=True):
        _draw(ax, rows, table)
    panels[0].set_ylabel("test score")
    panels[-1].legend(frameon=False, loc="lower right")
    return made


def _draw(ax: Axes, rows: ResultRows, table: str) -> None:
    """Scores below the lowest percentile are drawn on the lower edge."""
    floor = float(np.quantile(numbers([row for row in rows if row["table"] == table], "test_score"), 0.01))
    for job, look in LOOKS.items():
        mine = of(rows, table, job)
        points = np.column_stack([numbers(mine, "weights"), np.maximum(numbers(mine, "test_score"), floor)])
        edges = {"edgecolors": style.BLACK, "lw": 0.3, "alpha": 0.8}
        style.dots(ax, points, s=16, color=look.colour, marker=look.marker, label=job, **edges)
    ax.set_title(table)
    set_axis(ax, "x", COLUMNS["weights"], numbers([row for row in rows if row["table"] == table], "weights"))
    ax.grid(alpha=0.25)
