"""How a search went: the front, its hypervolume and the activations in use, by generation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator, PercentFormatter

from neuraltree.plot import style
from search.pictures.axes import column, first_cost, of_history, set_axis
from search.pictures.common import EMPTY
from search.pictures.trade_off import draw_steps, staircase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from search.folder.history import History

MOST_FRONTS = 8
MARKERS = "osD^vPX*"
DOTTED = 40  # generations; more are drawn as a line without dots


def plot_generations(history: History, ax: Axes | None = None, *, x: str | None = None, y: str = "val_error") -> Axes:
    """The fronts of at most 8 generations from the first to the last; later ones are darker.

    ``x`` is by default the first objective that is a cost. Raises ``ValueError`` for an unknown column.
    """
    x = first_cost(history.objectives) if x is None else x
    across, up = column(x, history.objectives), column(y, history.objectives)
    columns = np.column_stack([of_history(history, x), of_history(history, y)])
    ax = style.axes_or_new(ax, (7.2, 4.0))
    reached = [i for i, ids in enumerate(history.fronts) if len(ids)]
    if not reached:
        return style.say(ax, EMPTY)
    places = np.linspace(0, len(reached) - 1, min(MOST_FRONTS, len(reached))).round().astype(int)
    shades = colormaps["cividis"](np.linspace(0.92, 0, len(places)))
    drawn = []
    for place, shade, marker in zip(places.tolist(), shades, MARKERS, strict=False):
        generation = reached[place]
        points = columns[history.fronts[generation]]
        best = points[staircase(points, across, up)]
        draw_steps(ax, best, across, color=shade, lw=1.2)
        style.dots(ax, best, s=24, color=[shade], marker=marker, label=f"generation {generation}")
        drawn.append(best)
    values = np.concatenate(drawn)
    set_axis(ax, "x", across, values[:, 0])
    set_axis(ax, "y", up, values[:, 1])
    ax.grid(alpha=0.25)
    style.legend_beside(ax)
    return ax


def plot_hypervolume(history: History, ax: Axes | None = None) -> Axes:
    """The hypervolume of the population's front, by generation."""
    ax = style.axes_or_new(ax, (5.2, 3.6))
    generations = [row["generation"] for row in history.rows]
    draw_volumes(ax, generations, [row["hypervolume"] for row in history.rows])
    return ax


def draw_volumes(ax: Axes, generations: list[float], volumes: list[float]) -> None:
    ax.plot(generations, volumes, color=style.BLUE, marker="o" if len(generations) < DOTTED else None, ms=3)
    _by_generation(ax)
    ax.set_ylabel("hypervolume")
    ax.grid(alpha=0.25)


def plot_activations(history: History, ax: Axes | None = None) -> Axes:
    """The share of each activation in the population's hidden nodes, by generation."""
    ax = style.axes_or_new(ax, (6.8, 3.6))
    nodes = np.asarray(history.activation_nodes, dtype=np.float64)
    used = np.flatnonzero(nodes.any(axis=0))
    if not len(used):
        return style.say(ax, "no tree has a hidden node")
    shares = nodes[:, used] / np.maximum(nodes.sum(axis=1, keepdims=True), 1)
    names = [history.activations[i] for i in used]
    looks = [style.ACTIVATION_LOOKS.get(name, style.Look("white", "o", "++")) for name in names]
    # Each generation is a step of width 1, so that a single generation is visible.
    edges = np.arange(len(nodes) + 1) - 0.5
    heights = np.concatenate([shares, shares[-1:]]).T
    colours, hatches = [look.colour for look in looks], [look.hatch for look in looks]
    ax.stackplot(edges, heights, labels=names, colors=colours, hatch=hatches, step="post", ec="white", lw=0.4)
    _by_generation(ax)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    ax.set(ylabel="hidden nodes of the population", ylim=(0, 1), xlim=(edges[0], edges[-1]))
    style.legend_beside(ax, reverse=True)
    return ax


def _by_generation(ax: Axes) -> None:
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("generation")
