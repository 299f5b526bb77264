"""The pictures that a run writes to its folder."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from neuraltree.plot.style import short
from search.folder.records import write_bytes
from search.pictures.axes import COLUMNS, Baseline
from search.pictures.over_generations import draw_volumes
from search.pictures.trade_off import draw_trade_off

if TYPE_CHECKING:
    from search.front import Front

PANELS_A_ROW = 3
BELOW: Final = "outside lower center"
LONGEST_TITLE = 70
LETTERS_AN_INCH = 9  # of a title


def draw_front(path: Path, front: Front, title: str, baselines: Sequence[Baseline] = ()) -> None:
    """Error against each cost that was an objective (weights if none was); the recommended member is marked.

    With baselines, weights have a panel too: not every device can cost them in another way.
    """
    costs = [name for name in front.objectives if name in COLUMNS]
    if "weights" not in costs and (baselines or not costs):
        costs.append("weights")
    columns = min(len(costs), PANELS_A_ROW)
    rows = -(-len(costs) // columns)
    figure = Figure(figsize=(max(5.2 * columns, 6.4), 0.6 + 3.8 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for ax, cost in zip(panels, costs, strict=False):
        draw_trade_off(ax, front, cost, front.error, baselines, None)
        ax.label_outer(remove_inner_ticks=False)
    for ax in panels[len(costs) :]:
        ax.set_axis_off()
    room = int(figure.get_figwidth() * LETTERS_AN_INCH)
    figure.suptitle(short(title, min(room, LONGEST_TITLE)), parse_math=False)  # a $ in a name starts no formula
    legend_below(figure, 2 * columns + 2)
    save(figure, path)


def legend_below(figure: Figure, columns: int) -> None:
    """One legend below the panels for all of them, each label once; none if nothing has a label.

    It has as many columns as there is room for, at most ``columns``.
    """
    parts = [ax.get_legend_handles_labels() for ax in figure.axes]
    handles = {label: handle for part in parts for handle, label in zip(*part, strict=True)}
    if not handles:
        return
    for ncols in range(columns, 0, -1):
        legend = figure.legend(handles.values(), handles.keys(), loc=BELOW, ncols=ncols, frameon=False)
        for text in legend.get_texts():
            text.set_parse_math(False)
        if ncols == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def draw_hypervolume(path: Path, generations: Sequence[int], volumes: Sequence[float]) -> None:
    """Hypervolume of the population's front by generation."""
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    draw_volumes(figure.subplots(), list(generations), list(volumes))
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, in one step."""
    content = io.BytesIO()
    with warnings.catch_warnings():
        # Letters that the font lacks are drawn as boxes; a warning would not help the user of a run.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        FigureCanvasAgg(figure).print_png(content)
    write_bytes(path, content.getvalue())
