"""Marks added to a picture of a front: test errors, measured costs, baselines, trees that break a constraint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neuraltree.plot import style
from search.pictures.axes import MEASURED, Baseline, HasValues, Values, of_front, of_history
from search.pictures.common import MANY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from search.folder.history import History
    from search.front import Front

ERRORS = {"val_error": "validation", "honest_error": "honest error"}  # columns with a test error, and their labels
HIGHEST_TEST = 2.0  # test errors are shown up to this multiple of the largest validation, or the median test, error
BEYOND = 0.5  # of the width and height: how far outside to show trees that break a constraint
BASELINE_COLOURS = (style.PURPLE, style.SKY, style.YELLOW, style.ORANGE, style.PALE, style.GREEN, style.GREY)
BASELINE_MARKERS = "DsvPXph<*>"  # their number is coprime to the number of colours, so that pairs rarely repeat


def _shadows(models: Iterable[HasValues], x: str, y: str, twin: Callable[[str], str]) -> Values:
    """(models, 2): the values of x and y, each replaced by its twin if the model has it; NaN if it has no twin."""
    rows = []
    for model in models:
        names = [twin(name) if twin(name) in model.values else name for name in (x, y)]
        known = tuple(names) != (x, y) and all(name in model.values for name in names)
        rows.append([model.values[name] for name in names] if known else [np.nan, np.nan])
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def draw_spread(ax: Axes, front: Front, points: Values, x: str, y: str) -> None:
    """Draw a standard error to both sides of each honest error."""
    if "honest_error" not in (x, y) or len(front) > MANY:
        return
    spread = of_front(front, "honest_error_se")
    low = np.minimum(spread, 0.999 * points[:, (x, y).index("honest_error")])  # an axis may be logarithmic
    bars = np.stack([low, spread])
    across, up = (bars, None) if x == "honest_error" else (None, bars)
    look: dict[str, Any] = {"fmt": "none", "ecolor": style.BLUE, "elinewidth": 0.8, "alpha": 0.4, "zorder": 2}
    ax.errorbar(points[:, 0], points[:, 1], xerr=across, yerr=up, **look)


def draw_measured(ax: Axes, front: Front, points: Values, x: str, y: str) -> Values:
    """Draw measured costs, each joined to the predicted one; returns the measured points."""
    found = _shadows(front, x, y, lambda name: MEASURED + name)
    known = np.isfinite(found).all(axis=1)
    if known.any():
        lines = np.stack([points[known], found[known]], axis=1)
        ax.plot(lines[..., 0].T, lines[..., 1].T, color=style.GREY, lw=1, zorder=2)
        style.dots(ax, found[known], s=36, marker="+", color=style.GREY, lw=1.2, label="measured cost", zorder=2)
    return found[known]


def draw_tests(ax: Axes, front: Front, baselines: Sequence[Baseline], x: str, y: str, size: float) -> Values:
    """Draw test errors; those that would squeeze all other points are put at the edge. Returns the points."""
    error = next((i for i, name in enumerate((x, y)) if name in ERRORS), None)
    if error is None:
        return np.empty((0, 2))
    found = _shadows([*front, *baselines], x, y, lambda name: "test_error" if name in ERRORS else name)
    known = found[np.isfinite(found).all(axis=1)]
    if not len(known):
        return known
    known_before = of_front(front, (x, y)[error])
    highest = HIGHEST_TEST * max(float(np.nanmax(known_before)), float(np.median(known[:, error])))
    inside = known[:, error] <= highest
    known[:, error] = np.minimum(known[:, error], highest)
    clear = 1.0 if len(front) <= MANY else 0.4
    for label, marker, chosen in (("test", "x", inside), ("test, off the scale", ">^"[error], ~inside)):
        if chosen.any():
            look = {"s": size, "marker": marker, "lw": 1, "color": style.VERMILION, "alpha": clear}
            style.dots(ax, known[chosen], label=label, zorder=2, **look)
    return known


def draw_baselines(ax: Axes, baselines: Sequence[Baseline], x: str, y: str) -> Values:
    """Draw the baselines that have both columns, each with its own mark; returns their points."""
    drawn = []
    for i, baseline in enumerate(baselines):
        point = [baseline.values.get(name, np.nan) for name in (x, y)]
        if np.isfinite(point).all():
            colour, marker = BASELINE_COLOURS[i % len(BASELINE_COLOURS)], BASELINE_MARKERS[i % len(BASELINE_MARKERS)]
            label = style.short(baseline.label, 32)
            look = {"s": 60, "marker": marker, "c": colour, "edgecolors": style.BLACK, "lw": 0.8, "label": label}
            style.dots(ax, np.array([point]), zorder=3.5, **look)
            drawn.append(point)
    return np.array(drawn, dtype=np.float64).reshape(-1, 2)


def draw_infeasible(ax: Axes, history: History, x: str, y: str) -> None:
    """Draw the trees that break a constraint and lie near the other points; far ones do not stretch the axes."""
    points = np.column_stack([of_history(history, x), of_history(history, y)])[history.ok & ~history.feasible]
    if not len(points):
        return
    scaled = ax.transData.transform
    low, high = scaled(np.array([ax.get_xlim(), ax.get_ylim()]).T)
    far = high + BEYOND * (high - low)
    positive = np.all((points > 0) | np.array([ax.get_xscale() != "log", ax.get_yscale() != "log"]), axis=1)
    points = points[positive]
    places = scaled(points)
    shown = np.all((places >= low) & (places <= far), axis=1)
    if not shown.any():
        return
    label = "breaks a constraint"
    style.dots(ax, points[shown], s=9, marker="x", color=style.PALE, lw=0.8, label=label, zorder=1, rasterized=True)
