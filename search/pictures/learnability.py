"""The classes that the members of a front learn, and their false positives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from neuraltree.plot import style
from neuraltree.tree.labels import Label, label_array
from search.pictures.common import EMPTY
from search.strict import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from search.front import Front

COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.SKY, style.YELLOW, style.BLACK)
MARKERS = "os^Dv<>pPX*"  # their number is coprime to the number of colours
SMALLEST, LARGEST = 18.0, 110.0  # areas of dots, points²
A_COLUMN = 18  # classes in a column of the legend


def plot_learnability(front: Front, X: ArrayLike, y: ArrayLike, ax: Axes | None = None) -> Axes:
    """The rates of true and of false positives of every class, on the rows given, a dot for every member.

    ``X`` (rows, features) and labels ``y`` (rows,). A class is learnt if its dots are in the upper left;
    dots on the dotted line are no better than a guess. Raises ``ValueError`` for a regression, for labels that the
    trees do not know, and if all labels are the same.
    """
    ax = style.axes_or_new(ax, (7.2, 5.0))
    if not len(front):
        return style.say(ax, EMPTY)
    trees = [member.tree() for member in sorted(front, key=lambda member: -member.values["weights"])]
    classes = trees[0].classes
    if classes is None:
        raise ValueError("the front is of a regression; learnability needs classes")
    truth = _checked(y, classes)
    found = np.stack([rates(tree.predict(X), truth, label_array(classes)) for tree in trees])
    ax.plot([0, 1], [0, 1], color=style.GREY, lw=1, ls=":", scalex=False, scaley=False, zorder=1)
    areas, clear = (np.linspace(*ends, len(trees)) for ends in ((LARGEST, SMALLEST), (0.9, 0.35)))
    for i, label in enumerate(classes):
        if np.isfinite(found[:, i]).all():
            colour = [(COLOURS[i % len(COLOURS)], opacity) for opacity in clear]
            look = {"c": colour, "marker": MARKERS[i % len(MARKERS)], "edgecolors": style.BLACK, "lw": 0.5}
            style.dots(ax, found[:, i], s=areas, label=style.short(label), zorder=3, **look)
    _square(ax, found)
    columns = -(-len(classes) // A_COLUMN)
    style.legend_beside(ax, title="class (larger: more weights)", alignment="left", ncols=columns)
    return ax


def _checked(y: ArrayLike, classes: tuple[Label, ...]) -> NDArray:
    truth = np.asarray(y)
    if unknown := sorted({str(label) for label in truth.tolist() if label not in classes}):
        known = listed(list(map(str, classes)))
        raise ValueError(f"y has labels that the trees do not know: {listed(unknown)}; allowed: {known}")
    if len(np.unique(truth)) < 2:
        raise ValueError("y has rows of one class only; false positives need rows of another")
    return truth


def rates(predicted: NDArray, truth: NDArray, classes: NDArray) -> NDArray[np.float64]:
    """(classes, 2): the false positive rate in rows of other classes, the true positive rate; NaN without such rows."""
    said, is_so = predicted[:, None] == classes, truth[:, None] == classes
    with np.errstate(invalid="ignore"):
        false = (said & ~is_so).sum(axis=0) / (~is_so).sum(axis=0)
        true = (said & is_so).sum(axis=0) / is_so.sum(axis=0)
    return np.column_stack([false, true])


def _square(ax: Axes, found: NDArray[np.float64]) -> None:
    """Limits that include all dots and the corner of the perfect model."""
    right, bottom = float(np.nanmax(found[..., 0])), float(np.nanmin(found[..., 1]))
    width, height = max(right, 0.1), max(1 - bottom, 0.1)
    ax.set(xlim=(-0.04 * width, 1.06 * width), ylim=(1 - 1.06 * height, 1 + 0.04 * height))
    ax.set(xlabel="false positives, of the rows of other classes", ylabel="true positives, of the rows of the class")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(100 * share, 6):g} %"))
    ax.set_axisbelow(True)
    ax.grid(alpha=0.25)
