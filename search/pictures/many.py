"""Pictures of three columns of a front, and of all its objectives at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from neuraltree.plot import style
from search.objectives import named_columns
from search.pictures.axes import (  # fmt: skip
    WHOLE,
    Column,
    Values,
    column,
    formatter,
    is_wide,
    log_locator,
    of_front,
    written,
)
from search.pictures.common import EMPTY, MANY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from search.front import Front

COLOURS = "cividis"  # dark is low
FAINTEST = 0.15  # opacity of the lines of many members
LETTER = 0.075  # inches, the width of a letter below an axis


def plot_front_3d(front: Front, x: str, y: str, z: str, ax: Axes | None = None) -> Axes:
    """Three columns of a front; colour repeats the height, and stems lead to the floor if there are few members.

    Raises ``ValueError`` for a column that no member has, or for axes that are not 3-D.
    """
    ax = style.axes_or_new(ax, (6.0, 4.8), "3d")
    if ax.name != "3d":
        raise ValueError(f'ax is a {ax.name} plot; make it with add_subplot(projection="3d")')
    room: Any = ax
    known = [column(name, front.objectives) for name in (x, y, z)]
    if not len(front):
        room.set_axis_off()
        room.text2D(0.5, 0.5, EMPTY, ha="center", va="center", transform=ax.transAxes)
        return ax
    values = [of_front(front, name) for name in (x, y, z)]
    places = [_along(room, which, of, v) for which, of, v in zip("xyz", known, values, strict=True)]
    floor = float(np.nanmin(places[2]))
    if len(front) <= MANY:
        for a, b, c in zip(*places, strict=True):
            room.plot([a, a], [b, b], [floor, c], color=style.PALE, lw=0.8, zorder=1)
    size = 36 if len(front) <= MANY else 12
    look = {"depthshade": False, "edgecolors": style.BLACK}
    room.scatter(*places, c=places[2], cmap=COLOURS, s=size, lw=0.4, label="front", **look)
    i = front.members.index(front.recommended())
    chosen = [axis[i : i + 1] for axis in places]
    room.scatter(*chosen, s=160, facecolors="none", lw=1.8, label="recommended", **look)
    room.view_init(elev=22, azim=-52)
    room.set_box_aspect(None, zoom=0.9)
    ax.legend(loc="upper left", frameon=False)
    return ax


def _along(room: Any, which: str, of: Column, values: Values) -> Values:
    """The places of values along an axis, which gets its label and ticks: 3-D axes have no logarithmic scale."""
    axis = {"x": room.xaxis, "y": room.yaxis, "z": room.zaxis}[which]
    axis.set_label_text(of.label, parse_math=False)
    axis.labelpad = 8
    shown = formatter(of)
    if not is_wide(values):
        axis.set_major_locator(MaxNLocator(5, integer=of.unit in WHOLE))
        axis.set_major_formatter(shown)
        return values
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    ticks = np.array([tick for tick in log_locator(values).tick_values(low, high) if low <= tick <= high])
    axis.set_major_locator(FixedLocator(np.log10(ticks).tolist()))
    axis.set_major_formatter(FuncFormatter(lambda place, _: shown(10.0**place)))
    return np.log10(values)


def plot_parallel(front: Front, ax: Axes | None = None) -> Axes:
    """A line for every member across all objectives and the number of weights; a dashed one is the recommended member.

    Every axis goes from the lowest to the highest value of the front, which are written at its ends.
    """
    names = list(dict.fromkeys([front.error, *named_columns(front.objectives, front.error), "weights"]))
    names = [name for name in names if not len(front) or any(name in member.values for member in front)]
    ax = style.axes_or_new(ax, (min(max(6.4, 1.0 + 1.35 * len(names)), 14.0), 4.2))
    if not len(front):
        return style.say(ax, EMPTY)
    values = np.column_stack([of_front(front, name) for name in names])
    places = np.arange(len(names))
    heights = np.column_stack([_scaled(values[:, i]) for i in places])
    across = np.broadcast_to(places, heights.shape)
    errors = values[:, 0]
    shades = ScalarMappable(LogNorm() if is_wide(errors) else Normalize(), COLOURS)
    shades.set_array(errors)
    order = np.argsort(-errors)  # the lowest error on top
    lines = LineCollection(list(np.stack([across, heights], axis=2)[order]), colors=shades.to_rgba(errors[order]))
    lines.set(lw=1.2, alpha=float(np.clip(MANY / len(front), FAINTEST, 0.9)))
    ax.add_collection(lines)
    chosen = heights[front.members.index(front.recommended())]
    ax.plot(places, chosen, color=style.BLACK, lw=2, ls=(0, (4, 2)), marker="o", ms=4, label="recommended", zorder=4)
    ax.vlines(places, 0, 1, color=style.GREY, lw=1, zorder=3)
    _ends(ax, front, names, values)
    of = column(front.error, front.objectives)
    bar = ax.figure.colorbar(shades, ax=ax, format=formatter(of), pad=0.02, label=of.label)
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_locator(log_locator(errors) if is_wide(errors) else MaxNLocator(6))
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1.08), borderaxespad=0, frameon=False)
    return ax


def _scaled(values: Values) -> Values:
    """0 to 1 from the lowest to the highest, logarithmic if they span much; 0.5 if all are the same."""
    values = np.log(values) if is_wide(values) else values
    low, high = np.nanmin(values), np.nanmax(values)
    return (values - low) / (high - low) if high > low else np.where(np.isfinite(values), 0.5, np.nan)


def _ends(ax: Axes, front: Front, names: list[str], values: Values) -> None:
    """The name of every axis below it, and its lowest and highest value at its ends."""
    known = [column(name, front.objectives) for name in names]
    for i, of in enumerate(known):
        for value, height, side in ((np.nanmin(values[:, i]), 0, "top"), (np.nanmax(values[:, i]), 1, "bottom")):
            text = written(float(value), of)
            gap = (0, -5 if side == "top" else 5)
            ax.annotate(
                text, (i, height), gap, textcoords="offset points", ha="center", va=side, color=style.GREY, fontsize=9
            )
    scales = ["\nlog scale" if is_wide(values[:, i]) else "" for i in range(len(names))]
    labels = [
        of.label.replace(" (", "\n(").replace(" of class ", "\nof class ") + scale
        for of, scale in zip(known, scales, strict=True)
    ]
    room = style.width(ax) / len(names)
    slanted = max(len(line) for label in labels for line in label.split("\n")) * LETTER > room
    turn: dict[str, Any] = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    if slanted:
        labels = [label.replace("\n", " ") for label in labels]
    ax.set_xticks(range(len(names)), labels, parse_math=False, **turn)
    ax.tick_params(length=0, pad=18)
    ax.set(xlim=(-0.3, len(names) - 0.7), ylim=(-0.04, 1.04), yticks=[])
    ax.spines[:].set_visible(False)
