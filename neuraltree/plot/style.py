"""The style that all pictures share: colours, activation looks, axes, short names and legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import Look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection

# Okabe and Ito's palette, which people with any colour vision can tell apart. https://jfly.uni-koeln.de/color/
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW, BLACK = "#E69F00", "#56B4E9", "#F0E442", "#000000"
GREY, PALE = "#555555", "#BBBBBB"


# By name of the activation. Blue and vermilion are reserved for positive and negative weights.
ACTIVATION_LOOKS: dict[str, Look] = {row.name: row.look for row in ACTIVATIONS}


def axes_or_new(ax: Axes | None, size: tuple[float, float], projection: str | None = None) -> Axes:
    """``ax``, or if it is None the axes of a new pyplot figure of ``size`` inches, which a notebook then shows."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    figure = plt.figure(figsize=size, layout="constrained")
    return figure.add_subplot(projection=projection)


def dots(ax: Axes, points: NDArray[np.float64], **look: Any) -> PathCollection:
    """A scatter of ``points`` (points, 2)."""
    return ax.scatter(points[:, 0], points[:, 1], **look)


def width(ax: Axes) -> float:
    """The width of the axes in inches, an estimate before the figure is laid out."""
    return float(ax.get_window_extent().width / ax.figure.dpi)


def short(name: Any, most: int = 24) -> str:
    """A name in one line of at most ``most`` characters: "…" replaces its middle, blanks replace control characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in str(name))
    if len(line) <= most:
        return line
    tail = (most - 1) // 2
    return f"{line[: most - 1 - tail]}…{line[len(line) - tail :]}"


def legend_beside(ax: Axes, **options: Any) -> None:
    """Add a legend to the right of the data. A $ in a label is shown as it is."""
    legend = ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, frameon=False, **options)
    for text in legend.get_texts():
        text.set_parse_math(False)


def say(ax: Axes, text: str) -> Axes:
    """The axes with only a text in the middle, for a picture without data."""
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, parse_math=False)
    ax.set(xticks=[], yticks=[])
    return ax
