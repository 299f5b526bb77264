"""``bneuralt.png``: test score against weights, a panel for each table and one for each mean, all models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from experiments.common.paper_tables import CLASSIFICATION, REGRESSION, TABLES
from experiments.rendering.scores import LABELS, OURS, Entry, Scores, mean_weights, means_by_table
from neuraltree.plot import style
from search.pictures.run_pictures import legend_below, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 4
# Blue is ours; colour and marker together tell the others apart.
LOOKS = {
    "evolved": style.Look(style.BLUE, "o"),
    "ensemble": style.Look(style.BLUE, "*"),
    "evolved_alone": style.Look(style.PALE, "o"),
    "ensemble_alone": style.Look(style.PALE, "*"),
    "random_tree": style.Look(style.SKY, "o"),
    "linear": style.Look(style.BLACK, "P"),
    "mlp_8": style.Look(style.ORANGE, "s"),
    "mlp_100": style.Look(style.VERMILION, "s"),
    "pruned_mlp": style.Look(style.VERMILION, "v"),
    "pruned_taught": style.Look(style.ORANGE, "v"),
    "cart": style.Look(style.GREEN, "^"),
    "random_forest": style.Look(style.GREEN, "D"),
    "extra_trees": style.Look(style.GREEN, "d"),
    "boosting": style.Look(style.GREEN, "X"),
    "svm": style.Look(style.PURPLE, "h"),
    "gaussian_process": style.Look(style.PURPLE, "p"),
    "teachers": style.Look(style.ORANGE, "*"),
}
Point = tuple[float, float]  # weights, score


def draw(scores: Scores, path: Path) -> None:
    """Draw means over seeds; a model of several budgets is a path."""
    rows = -(-(len(TABLES) + 2) // COLUMNS)
    figure = Figure(figsize=(3.4 * COLUMNS, 2.7 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, sharex=True).ravel()
    groups = [("mean accuracy, 9 tables", CLASSIFICATION), ("mean R², 5 tables", REGRESSION)]
    groups += [(table, (table,)) for table in TABLES]
    for ax, (title, tables) in zip(panels, groups, strict=True):
        for model in LABELS:
            _draw_model(ax, scores, model, tables)
        ax.set(xscale="log", title=title)
        ax.grid(color=style.PALE, lw=0.4, alpha=0.6)
        ax.set_axisbelow(True)
        ax.title.set_fontweight("bold" if len(tables) > 1 else "normal")
    for ax in panels[-COLUMNS:]:
        ax.set_xlabel("weights")
    figure.supylabel("test accuracy or R², mean over seeds")
    legend_below(figure, 5)
    save(figure, path)


def _draw_model(ax: Axes, scores: Scores, model: str, tables: Sequence[str]) -> None:
    """The sizes of a model as a path, or the one size it has."""
    look, ours = LOOKS[model], model in OURS
    sized = points(scores, [entry for entry in scores if entry.model == model and entry.budget], tables)
    alone = points(scores, [Entry(model)] if Entry(model) in scores else [], tables)
    common: dict[str, Any] = {"color": look.colour, "marker": look.marker, "zorder": 4 if ours else 3}
    common |= {"label": LABELS[model], "markeredgecolor": style.BLACK, "markeredgewidth": 0.5}
    if len(sized):
        ax.plot(*sized.T, ms=5, lw=1.6 if ours else 1, **common)
    if len(alone):
        ax.plot(*alone.T, ms=8 if ours else 6, lw=0, **common)


def points(scores: Scores, entries: Sequence[Entry], tables: Sequence[str]) -> np.ndarray:
    """(points, 2) mean weights and mean score of every entry that has all of the tables, smallest first."""
    found: list[Point] = []
    for entry in entries:
        weights, means = mean_weights(scores[entry], tables), means_by_table(scores[entry])
        if weights is not None:
            found.append((weights, float(np.mean([means[table] for table in tables]))))
    return np.array(sorted(found)).reshape(-1, 2)
