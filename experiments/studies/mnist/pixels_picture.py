"""The picture of MNIST and Fashion-MNIST, and the published errors in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from experiments.common.statistics import summary
from experiments.rendering.searches import ResultRows, by_seed, names, of
from neuraltree.plot import style


class Published(NamedTuple):
    """Test error in %; weights if they are known, or as stated in the name of the model."""

    label: str
    error: float
    weights: int | None = None
    note: str = ""


# Ojha and Nicosia, BNeuralT (WCCI 2020 slides); the weights were counted in the model files published with its code.
BNEURALT = (
    Published("BNeuralT-10K", 7.74, 11_977),
    Published("BNeuralT-18K", 6.58, 18_826),
    Published("BNeuralT-20K", 6.08, 23_825),
    Published("BNeuralT-200K", 5.19, 200_000, "as stated in its name"),
)
CLASSIFIERS = (
    Published("GUIDE, oblique splits", 26.21),
    Published("OC1, oblique splits", 25.66),
    Published("GUIDE", 21.48),
    Published("CART-R", 11.97),
    Published("CART-P", 11.95),
    Published("C5.0", 11.69),
    Published("TAO", 11.48),
    Published("TAO, oblique splits", 5.26),
)
OF_DIGITS = "mnist"
# The lines of the classifiers in the picture; lines that lie close together share a label.
LINES = {
    "GUIDE and OC1, oblique splits": 26.21,
    "GUIDE": 21.48,
    "CART, C5.0 and TAO": 11.97,
    "TAO, oblique splits": 5.26,
}
LABELS = {
    "grow_10k": "neural tree",
    "grow_20k": "neural tree",
    "grow_200k": "neural tree",
    "mlp_10k": "MLP, one hidden layer",
    "mlp_20k": "MLP, one hidden layer",
    "mlp_200k": "MLP, one hidden layer",
    "sparse_mlp_20k": "sparse MLP, 128 hidden units",
}
LOOKS = {
    "neural tree": style.Look(style.VERMILION, "^"),
    "MLP, one hidden layer": style.Look(style.BLUE, "s"),
    "sparse MLP, 128 hidden units": style.Look(style.SKY, "D"),
}


def picture(rows: ResultRows) -> Figure:
    """A panel for each data set."""
    tables = names(rows, "table")
    made = Figure(figsize=(5.4 * len(tables), 4.2), layout="constrained")
    panels = made.subplots(1, len(tables), squeeze=False)[0]
    for ax, table in zip(panels, tables, strict=True):
        _draw(ax, rows, table)
    made.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return made


def _draw(ax: Axes, rows: ResultRows, table: str) -> None:
    for label, look in LOOKS.items():
        jobs = [job for job, name in LABELS.items() if name == label and of(rows, table, job)]
        points = [
            (mean_weights(rows, table, job), 100 * summary(values_of(rows, table, job, "test_error")).mean)
            for job in jobs
        ]
        if points:
            ax.plot(*zip(*sorted(points), strict=True), f"{look.marker}-", color=look.colour, label=label)
    if table == OF_DIGITS:
        weights, errors = zip(*((row.weights, row.error) for row in BNEURALT), strict=True)
        ax.plot(weights, errors, "o", color=style.GREY, label="BNeuralT, published")
        for row in CLASSIFIERS:
            ax.axhline(row.error, color=style.PALE, lw=1, ls="--", zorder=0)
        for label, error in LINES.items():
            ax.annotate(label, (0.6, error), xycoords=("axes fraction", "data"), ha="center", va="bottom", fontsize=7)
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(title=named(table), xlabel="weights", ylabel="test error, %", xscale="log")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.grid(alpha=0.25, which="both")


def named(table: str) -> str:
    return {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}[table]


def values_of(rows: ResultRows, table: str, job: str, column: str) -> list[float]:
    return list(by_seed(rows, table, job, column).values())


def mean_weights(rows: ResultRows, table: str, job: str) -> float:
    return float(np.mean(values_of(rows, table, job, "weights")))
