"""The two pictures of a run folder: the front and the history of the hypervolume."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullLocator

from search.front import Front, Member, metric_names
from search.records import write_bytes

# Okabe and Ito's palette: told apart with any colour vision.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#555555"
# Label of each cost, and the unit that goes with its ticks.
COSTS = {
    "weights": ("weights (edges + biases)", ""),
    "nodes": ("nodes", ""),
    "macs": ("MACs", ""),
    "distinct_activations": ("distinct activations", ""),
    "latency_s": ("latency", "s"),
    "flash_bytes": ("flash", "B"),
    "ram_bytes": ("RAM", "B"),
    "energy_j": ("energy", "J"),
}
PANELS_A_ROW = 3
LOG_FROM = 6.0  # a largest cost of so many smallest ones gets a logarithmic axis
HIGHEST_TEST = 2.0  # test errors are shown up to so many times the largest validation, or the median test, error
LONGEST_TITLE = 70


def draw_front(path: Path, front: Front, title: str) -> None:
    """Error against each cost that was an objective (weights, if none was), knee marked."""
    costs = [name for name in front.objectives if name in COSTS] or ["weights"]
    columns = min(len(costs), PANELS_A_ROW)
    rows = -(-len(costs) // columns)
    figure = Figure(figsize=(max(5.2 * columns, 6.4), 0.6 + 3.8 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for ax, cost in zip(panels, costs, strict=False):
        _one_cost(ax, front, cost)
    for ax in panels[len(costs) :]:
        ax.set_axis_off()
    for ax in panels[::columns]:
        ax.set_ylabel((metric_names(front.objectives) or ["error"])[0])
    short = title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"
    figure.suptitle(short, parse_math=False)  # a $ in a name is a $
    if front.members:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    _save(figure, path)


def _one_cost(ax: Axes, front: Front, cost: str) -> None:
    ax.set_xlabel(COSTS[cost][0])
    ax.grid(alpha=0.25)
    if not front.members:
        ax.text(0.5, 0.5, "no tree met the constraints", ha="center", va="center", transform=ax.transAxes)
        ax.set(xticks=[], yticks=[])
        return
    best = _staircase(front.members, cost)
    ax.step([m.values[cost] for m in best], [m.val_error for m in best], where="post", color=BLUE, lw=1, alpha=0.6)
    size = 28 if len(front) <= 60 else 10
    values = [m.values[cost] for m in front]
    ax.scatter(values, [m.val_error for m in front], s=size, color=BLUE, label="validation", zorder=3)
    _measured(ax, front, cost)
    _tests(ax, front, values, size)
    knee = front.knee()
    ring = ax.scatter([knee.values[cost]], [knee.val_error], s=160, label="knee", zorder=4, edgecolors=GREEN, lw=2)
    ring.set_facecolor("none")
    _cost_axis(ax, cost, min(values), max(values))


def _measured(ax: Axes, front: Front, cost: str) -> None:
    """Where members were measured to be, beside what was predicted of them."""
    found = [(m.values[f"measured_{cost}"], m) for m in front if f"measured_{cost}" in m.values]
    for value, member in found:
        ax.plot([member.values[cost], value], [member.val_error] * 2, color=GREY, lw=1, zorder=2)
    if found:
        y = [member.val_error for _, member in found]
        ax.scatter(
            [value for value, _ in found], y, s=36, marker="|", color=GREY, lw=1.5, label="measured cost", zorder=2
        )


def _tests(ax: Axes, front: Front, values: Sequence[float], size: float) -> None:
    """Test errors; those that would squeeze all else are at the upper edge."""
    highest = HIGHEST_TEST * max(*(m.val_error for m in front), median(m.test_error for m in front))
    inside = [m.test_error <= highest for m in front]
    for label, marker, wanted in (("test", "x", True), ("test, off the scale", "^", False)):
        x = [cost for cost, shown in zip(values, inside, strict=True) if shown is wanted]
        y = [min(m.test_error, highest) for m, shown in zip(front, inside, strict=True) if shown is wanted]
        if x:
            ax.scatter(x, y, s=size, marker=marker, lw=1, color=ORANGE, label=label, zorder=3)


def _cost_axis(ax: Axes, cost: str, least: float, most: float) -> None:
    unit = COSTS[cost][1]
    if least > 0 and most >= LOG_FROM * least:
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_minor_locator(NullLocator())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=unit in ("", "B")))
    ax.xaxis.set_major_formatter(EngFormatter(unit))


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
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set_xlabel("generation")
    ax.set_ylabel("hypervolume")
    ax.grid(alpha=0.25)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    content = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script the font lacks is drawn as boxes, which is no news to whoever watches a run.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        FigureCanvasAgg(figure).print_png(content)
    write_bytes(path, content.getvalue())
