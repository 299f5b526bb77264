"""The memory that each layer of a network needs while it runs, as a picture: a few layers decide how much RAM it takes.

Deck *Efficient AI Model*, slide *Imbalanced Memory*.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from neuraltree.hardware.model.layer_network import Network
from neuraltree.plot import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KIB = 1024


def plot_memory(counts: Network, name: str, ax: Axes | None = None) -> Axes:
    """Draw the live activations of each layer in KiB, a byte each; lines show the peak and the median."""
    ax = style.axes_or_new(ax, (7.2, 3.6))
    sizes = [row.in_out / KIB for row in counts.rows]
    peak, middle = max(sizes), median(sizes)
    colours = [style.VERMILION if size == peak else style.BLUE for size in sizes]
    ax.bar(range(1, len(sizes) + 1), sizes, color=colours, width=0.85)
    for level, dashes, text in ((peak, "solid", "peak"), (middle, "dashed", "median")):
        ax.axhline(level, color=style.BLACK, lw=0.9, ls=dashes, label=f"{text} {level:,.0f} KiB")
    ax.set(xlabel="layer", ylabel="live activations, int8 (KiB)")
    ax.set_title(f"{name}: the peak is {peak / middle:.1f} times the median", fontsize=10, parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return ax
