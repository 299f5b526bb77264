"""Error, safe pruning and bits against the number of weights: a row of panels for each set of images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.rendering.searches import ResultRows
from experiments.studies.invariance.power_law import fitted
from experiments.studies.invariance.size_limits import Limits, by_size
from neuraltree.plot import style

COLOURS = {"tree": style.GREEN, "network": style.ORANGE}
LABELS = {"tree": "trees", "network": "MLP"}
SMALL = {"frameon": False, "fontsize": 7}
Found = Mapping[tuple[str, str], Mapping[int, Limits]]


def picture(rows: ResultRows, found: Found) -> Figure:
    tables = [*dict.fromkeys(table for table, _ in found)]
    made = Figure(figsize=(10, 0.6 + 2.6 * len(tables)), layout="constrained")
    panels = made.subplots(len(tables), 3, squeeze=False)
    for line, table in zip(panels, tables, strict=True):
        for (name, kind), sizes in found.items():
            if name == table:
                _errors(line[0], rows, table, kind)
                _cuts(line[1], kind, sizes)
                _bits(line[2], kind, sizes)
        line[0].legend(handles=[Line2D([], [], color=COLOURS[kind], label=LABELS[kind]) for kind in LABELS], **SMALL)
        line[0].set(title=table, yscale="log", ylabel="test error, %")
        line[1].set(title="safe pruning (dashed: with training)", ylabel="share of edges, %", ylim=(-3, 103))
        line[2].set(title="fewest bits of an edge", ylabel="bits", ylim=(0, 9))
        for ax in line:
            ax.set(xscale="log", xlabel="weights")
            ax.grid(alpha=0.25)
    return made


def _errors(ax: Axes, rows: ResultRows, table: str, kind: str) -> None:
    points = by_size(rows, table, kind)
    x, errors = [weights for weights, _ in points], [np.multiply(100, each) for _, each in points]
    ax.errorbar(x, [e.mean() for e in errors], [e.std() for e in errors], fmt="o", ms=3, color=COLOURS[kind])
    if len(x) >= 3:
        law = fitted(np.repeat(x, [len(e) for e in errors]), np.concatenate(errors))
        line = np.geomspace(min(x), max(x), 60)
        ax.plot(line, law(line), color=COLOURS[kind], lw=1)


def _cuts(ax: Axes, kind: str, sizes: Mapping[int, Limits]) -> None:
    for part, look in (("cut", "o-"), ("trained", "o--")):
        shares = [100 * (each.safe[part] or (0.0, 0.0))[0] for each in sizes.values()]
        ax.plot([each.weights for each in sizes.values()], shares, look, ms=3, color=COLOURS[kind])


def _bits(ax: Axes, kind: str, sizes: Mapping[int, Limits]) -> None:
    there = [(each.weights, each.bits[0]) for each in sizes.values() if each.bits]
    ax.plot([weights for weights, _ in there], [bits for _, bits in there], "o-", ms=3, color=COLOURS[kind])
