"""The twelve panels: trees above, MLPs below, an optimiser each."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.rendering.searches import ResultRows
from experiments.studies.convergence.run import ACTIVATIONS, EPOCHS, NETWORKS, OPTIMISERS, QUICK_EPOCHS, RATES, TREES
from experiments.studies.convergence.training_curves import points
from neuraltree.arrays import FloatArray
from neuraltree.plot import style

COLOURS = dict(zip(ACTIVATIONS, (style.BLUE, style.ORANGE), strict=True))
LOOKS = dict(zip(RATES, ("-", "--"), strict=True))
LABELS = {"losses": "training loss / that of epoch 1", "scores": "test score"}
LETTERS = "abcdefghijkl"


def picture(rows: ResultRows, column: str) -> Figure:
    """``column``: "losses" or "scores"; medians over tables and seeds."""
    made = Figure(figsize=(12, 4.8))
    space = {"left": 0.06, "right": 0.99, "bottom": 0.1, "top": 0.94, "wspace": 0.08, "hspace": 0.22}
    panels = made.subplots(2, len(OPTIMISERS), sharex=True, sharey=True, gridspec_kw=space)
    named = [(model, optimiser) for model in (TREES, NETWORKS) for optimiser in OPTIMISERS]
    for letter, ax, (model, optimiser) in zip(LETTERS, panels.ravel(), named, strict=True):
        for activation in ACTIVATIONS:
            for rate in RATES:
                wanted = (f"{model}_{optimiser}", activation, rate)
                mine = [row for row in rows if (row["job"], row["activation"], row["rate"]) == wanted]
                if mine:
                    _line(ax, np.stack([_curve(row[column], column) for row in mine]), activation, rate)
        ax.set(title=f"({letter}) {'tree' if model == TREES else 'MLP'}, {optimiser}", xscale="log")
        ax.grid(alpha=0.25)
    for ax in panels[:, 0]:
        ax.set(
            ylabel=LABELS[column], **({"yscale": "log", "ylim": (0.01, 5)} if column == "losses" else {"ylim": (0, 1)})
        )
    for ax in panels[1]:
        ax.set_xlabel("epoch")
    for activation in ACTIVATIONS:
        for rate in RATES:
            panels[0][0].plot([], [], LOOKS[rate], color=COLOURS[activation], label=f"{activation}, {rate}")
    panels[0][0].legend(frameon=False, fontsize=6)
    return made


def _curve(text: str, column: str) -> FloatArray:
    found = np.array([float(each) for each in text.split()])
    return found / found[0] if column == "losses" and np.isfinite(found[0]) else found


def _line(ax: Axes, curves: FloatArray, activation: str, rate: str) -> None:
    """The median: losses that are not finite are inf, and scores -inf, so that they are the worst."""
    middle = np.median(curves, axis=0)
    epochs = next(found for count in (EPOCHS, QUICK_EPOCHS) if len(found := points(count)) == len(middle))
    ax.plot(epochs, np.where(np.isfinite(middle), middle, np.nan), LOOKS[rate], color=COLOURS[activation], lw=1.1)
