"""docs/forest.png: three trees, and the arrays that the engine makes of them, packed by the engine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS
from neuraltree.engine.packing import Bin, Layout, Shape, layout, pack
from neuraltree.plot.drawing import edge_paths, positions
from neuraltree.plot.style import BLUE, GREEN, VERMILION
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.space import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (BLUE, VERMILION, GREEN, "#DDDDDD")  # one for each tree, the last for padding
SPACE = Space(n_features=5, max_nodes=24, max_depth=3, max_arity=3)
SEEDS = (4, 1, 33)  # of trees that are easy to read
BETWEEN_TREES = 1.5
LETTERS = [row.letter if row.name != "identity" else "Σ" for row in ACTIVATIONS]


def draw() -> Figure:
    """A figure of two axes: trees on the left, the forest on the right."""
    from matplotlib.figure import Figure

    trees = [random_tree(np.random.default_rng(seed), SPACE) for seed in SEEDS]
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
    nodes, starts = join(trees)
    found = layout(nodes, starts)
    shape = tight_shape(found)
    (packed,) = pack(nodes, starts, shape, found)
    draw_trees(left, trees)
    draw_forest(right, shape, packed)
    return figure


def tight_shape(found: Layout) -> Shape:
    """A bin with one row of padding in each level, as every bin has; real bins have more, for later trees."""
    total = found.needs.sum(axis=0)
    levels = tuple(int(rows) + 1 for rows in total[:, 0])
    ranks = tuple(tuple(int(rows) for rows in level[1:] if rows) for level in total)
    return Shape(len(found.needs), SPACE.n_outputs, SPACE.n_features, 1, levels, ranks, SPACE.codes, SPACE.output_code)


def draw_trees(ax: Axes, trees: list[Nodes]) -> None:
    """The trees side by side, inputs below and outputs on top."""
    shift = 0.0
    for colour, nodes in zip(COLOURS, trees, strict=False):
        at = positions(nodes) + np.array([shift, 0.0])
        for path in edge_paths(nodes, at):
            ax.plot(*path.T, color=colour, lw=1.2, zorder=1)
        for (x, y), op in zip(at.tolist(), nodes["op"].tolist(), strict=True):
            leaf = op >= 0
            name = f"x{op + 1}" if leaf else LETTERS[~op]
            ax.scatter(x, y, 300, "white" if leaf else colour, edgecolors=colour, zorder=2)
            ax.text(x, y, name, ha="center", va="center_baseline", color="black" if leaf else "white", size=9)
        shift = float(at[:, 0].max()) + BETWEEN_TREES
    ax.set_title("three trees")
    ax.margins(0.04, 0.6)
    ax.axis("off")


def draw_forest(ax: Axes, shape: Shape, packed: Bin) -> None:
    """A line for each function node: to its left the edge to its parent, to its right its row of the leaf matrix."""
    forest = packed.forest
    level = np.repeat(np.arange(len(shape.levels)), shape.levels)
    y = -(np.arange(shape.rows) + 0.8 * level)
    first = np.concatenate([[0], np.cumsum(shape.levels)])
    for row in range(shape.rows):
        tree = int(forest.tree[row])
        colour = COLOURS[tree] if tree < shape.trees else COLOURS[-1]
        text = LETTERS[int(forest.kind[row])] if tree < shape.trees else ""
        ax.scatter(0, y[row], 130, colour, marker="s", zorder=2)
        ax.text(0, y[row], text, ha="center", va="center_baseline", color="white", size=9)
        for column in range(shape.columns):
            filled = bool(forest.leaf_mask[row, column])
            ax.scatter(1.5 + column, y[row], 60 if filled else 6, colour if filled else COLOURS[-1], zorder=2)
        if forest.edge_mask[row]:
            above = first[level[row] - 1] + int(forest.parent[level[row]][row - first[level[row]]])
            _bow(ax, float(y[row]), float(y[above]), colour)
    _label(ax, shape, y, first)


def _bow(ax: Axes, low: float, high: float, colour: str) -> None:
    """An arrow from a node to its parent, in a bow to the left."""
    look = {"arrowstyle": "->", "connectionstyle": "arc3,rad=-0.45", "color": colour}
    ax.annotate("", xy=(-0.25, high), xytext=(-0.25, low), arrowprops=look)


def _label(ax: Axes, shape: Shape, y: NDArray[np.float64], first: NDArray[np.int64]) -> None:
    names = [*(f"x{i + 1}" for i in range(shape.features)), "1"]
    for column, name in enumerate(names):
        ax.text(1.5 + column, 1.0, name, ha="center", size=9)
    for d, rows in enumerate(shape.levels):
        middle = float(y[first[d] : first[d] + rows].mean())
        ax.text(-3.4, middle, f"level {d}", ha="right", va="center", size=9)
    ax.text(1.5 + shape.features / 2, float(y[-1]) - 1.6, "leaf weights and biases", ha="center", size=9)
    ax.text(-2.2, float(y[-1]) - 1.6, "edges", ha="center", size=9)
    ax.set_title("one forest")
    ax.set_xlim(-5.5, 2 + shape.columns)
    ax.set_ylim(float(y[-1]) - 2.2, 2)
    ax.axis("off")
