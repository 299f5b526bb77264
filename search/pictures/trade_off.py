"""The trade-off between two columns of a front, with test errors, measured costs and baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.formats import C_PRECISIONS
from neuraltree.plot import style
from search.pictures.axes import Baseline, Column, Values, column, of_front, set_axis
from search.pictures.beside import ERRORS, draw_baselines, draw_infeasible, draw_measured, draw_spread, draw_tests
from search.pictures.common import EMPTY, MANY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from search.folder.history import History
    from search.front import Front

# Of number formats, the first that the front has first. Baselines have marks with a black edge.
FORMAT_COLOURS = (style.BLUE, style.ORANGE, style.BLACK, style.PURPLE, style.SKY)
FORMAT_MARKERS = "os^Dv<p>h"


def plot_front(
    front: Front,
    x: str = "weights",
    y: str | None = None,
    ax: Axes | None = None,
    baselines: Sequence[Baseline] = (),
    history: History | None = None,
) -> Axes:
    """Two columns of a front against each other; the staircase joins the members that no other beats in both.

    By default ``y`` is the error that counts; with a ``history``, the validation error that its trees have. A ring
    marks the recommended member. Thin bars are standard errors of honest errors, bars lead to measured costs, crosses
    are test errors, and ``baselines`` are drawn if they have both columns. Members with formats of their own have
    a mark for each format. Trees of the ``history`` that break a constraint are grey.
    Raises ``ValueError`` for a column that no member has.
    """
    ax = style.axes_or_new(ax, (7.2, 4.0))
    draw_trade_off(ax, front, x, y or (front.error if history is None else "val_error"), baselines, history)
    if len(front):
        style.legend_beside(ax)
    return ax


def draw_trade_off(
    ax: Axes, front: Front, x: str, y: str, baselines: Sequence[Baseline], history: History | None
) -> None:
    """``plot_front`` without a legend."""
    across, up = column(x, front.objectives), column(y, front.objectives)
    ax.set_axisbelow(True)
    ax.grid(alpha=0.25)
    if not len(front):
        style.say(ax, EMPTY).set(xlabel=across.label, ylabel=up.label)
        return
    points = np.column_stack([of_front(front, x), of_front(front, y)])
    best = staircase(points, across, up)
    draw_steps(ax, points[best], across, color=style.BLUE, lw=1.2, zorder=2.5)
    size = 28 if len(front) <= MANY else 10
    label = next((ERRORS[name] for name in (x, y) if name in ERRORS), "front")
    draw_members(ax, front, points, size, label)
    draw_spread(ax, front, points, x, y)
    drawn = [points, draw_measured(ax, front, points, x, y), draw_tests(ax, front, baselines, x, y, size)]
    chosen = points[front.members.index(front.recommended())]
    ring = style.dots(ax, chosen[None], s=160, edgecolors=style.GREEN, lw=2, label="recommended", zorder=4)
    ring.set_facecolor("none")
    drawn.append(draw_baselines(ax, baselines, x, y))
    values = np.concatenate(drawn)
    set_axis(ax, "x", across, values[:, 0])
    set_axis(ax, "y", up, values[:, 1])
    if history is not None:
        draw_infeasible(ax, history, x, y)


def draw_members(ax: Axes, front: Front, points: Values, size: float, label: str) -> None:
    """Draw the members, each number format with a mark of its own if it was chosen for each member."""
    of = np.array([member.precision for member in front])
    formats = [name for name in C_PRECISIONS if name in of]
    if not formats:
        style.dots(ax, points, s=size, color=style.BLUE, label=label, zorder=3)
        return
    for i, name in enumerate(formats):
        look = {"marker": FORMAT_MARKERS[i % len(FORMAT_MARKERS)], "c": FORMAT_COLOURS[i % len(FORMAT_COLOURS)]}
        style.dots(ax, points[of == name], s=size, label=f"{label}, {name}", zorder=3, **look)


def staircase(points: Values, across: Column, up: Column) -> NDArray[np.int64]:
    """The indices of ``points`` (points, 2) that no other point beats in both columns, from left to right."""
    known = np.flatnonzero(np.isfinite(points).all(axis=1))
    costs = -points[known] * np.array([across.better, up.better])
    order = np.lexsort((costs[:, 1], costs[:, 0]))
    least = np.minimum.accumulate(costs[order, 1])
    kept = order[np.concatenate([[True], costs[order[1:], 1] < least[:-1]])] if len(order) else order
    return known[kept][:: -across.better]


def draw_steps(ax: Axes, points: Values, across: Column, **look: Any) -> None:
    """Draw a staircase: at each place, the best height of the points that are no worse across."""
    ax.step(points[:, 0], points[:, 1], where="post" if across.better < 0 else "pre", **look)
