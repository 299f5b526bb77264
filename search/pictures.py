"""The two pictures of a run folder: the front and the history of the hypervolume."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from search.front import Front, Member
from search.records import write_bytes

# Okabe and Ito's palette: told apart with any colour vision.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#777777"
LABELS = {
    "weights": "weights (edges + biases)",
    "nodes": "nodes",
    "macs": "MACs",
    "distinct_activations": "distinct activations",
    "latency_s": "latency (s)",
    "flash_bytes": "flash (bytes)",
    "ram_bytes": "RAM (bytes)",
    "energy_j": "energy (J)",
}


def draw_front(path: Path, front: Front, title: str) -> None:
    """Error against each cost that was an objective (weights, if none was), knee marked."""
    costs = [name for name in front.objectives if name in LABELS] or ["weights"]
    figure = Figure(figsize=(5.2 * len(costs), 4.2), layout="constrained")
    axes = figure.subplots(1, len(costs), squeeze=False)[0]
    for ax, cost in zip(axes, costs, strict=True):
        _one_cost(ax, front, cost)
    axes[0].set_ylabel("error")
    axes[0].legend(frameon=False)
    figure.suptitle(title)
    _save(figure, path)


def _one_cost(ax, front: Front, cost: str) -> None:  # type: ignore[no-untyped-def]
    members = sorted(front, key=lambda member: member.values[cost])
    best = _staircase(members, cost)
    ax.step([m.values[cost] for m in best], [m.val_error for m in best], where="post", color=BLUE, lw=1, alpha=0.6)
    size = 28 if len(members) <= 60 else 10
    cost_values = [m.values[cost] for m in members]
    ax.scatter(cost_values, [m.val_error for m in members], s=size, color=BLUE, label="validation", zorder=3)
    tests = [m.test_error for m in members]
    ax.scatter(cost_values, tests, s=size, marker="x", lw=1, color=ORANGE, label="test", zorder=3)
    if members:
        knee = front.knee()
        style = {"facecolors": "none", "edgecolors": GREEN, "linewidths": 2}
        ax.scatter([knee.values[cost]], [knee.val_error], s=160, label="knee", zorder=4, **style)
    ax.set_xscale("log")
    ax.set_xlabel(LABELS[cost])
    ax.grid(alpha=0.25)


def _staircase(members: Sequence[Member], cost: str) -> list[Member]:
    """The members no cheaper one beats, in order of cost: the front as these two objectives see it."""
    best: list[Member] = []
    for member in sorted(members, key=lambda m: (m.values[cost], m.val_error)):
        if not best or member.val_error < best[-1].val_error:
            best.append(member)
    return best


def draw_hypervolume(path: Path, generations: Sequence[int], volumes: Sequence[float]) -> None:
    """Hypervolume of the population's front by generation."""
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    ax = figure.subplots()
    ax.plot(generations, volumes, color=BLUE, marker="o" if len(generations) < 40 else None, ms=3)
    ax.set_xlabel("generation")
    ax.set_ylabel("hypervolume")
    ax.grid(alpha=0.25)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    FigureCanvasAgg(figure).print_png(content)
    write_bytes(path, content.getvalue())
