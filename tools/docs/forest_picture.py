"""docs/forest.png: three trees, and the flat arrays that the engine makes of them, packed by the engine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuraltree.activations import ACTIVATIONS
from neuraltree.engine.forest import Forest, pack
from neuraltree.plot.drawing import edge_paths, positions
from neuraltree.plot.style import BLUE, GREEN, VERMILION
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.space import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (BLUE, VERMILION, GREEN)  # one for each tree
SPACE = Space(n_features=5, max_nodes=24, max_depth=3, max_arity=3)
SEEDS = (4, 1, 33)  # of trees that are easy to read
BETWEEN_TREES = 1.5
BETWEEN_ROWS = 0.6  # of two trees
PARAMETERS = 3.0  # where they begin
LETTERS = [row.letter if row.name != "identity" else "Σ" for row in ACTIVATIONS]


def draw() -> Figure:
    """A figure of two axes: trees on the left, the forest on the right."""
    from matplotlib.figure import Figure

    trees = [random_tree(np.random.default_rng(seed), SPACE) for seed in SEEDS]
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
    draw_trees(left, trees)
    draw_forest(right, pack(*join(trees), SPACE.n_features).forest)
    return figure


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


def draw_forest(ax: Axes, forest: Forest) -> None:
    """A line for each function node: its activation, the size of its subtree, and its parameters."""
    for tree, colour in enumerate(COLOURS):
        for node in range(forest.first_node[tree], forest.first_node[tree + 1]):
            y = -(node + BETWEEN_ROWS * tree)
            ax.scatter(0, y, 130, colour, marker="s")
            ax.text(0, y, LETTERS[forest.kind[node]], ha="center", va="center_baseline", color="white", size=9)
            ax.text(1.4, y, str(forest.size[node]), ha="center", va="center_baseline", size=9)
            output = node == forest.first_node[tree]
            names = ["bias", "" if output else "edge", *(f"x{i + 1}" for i in forest.source[_leaves(forest, node)])]
            for column, name in enumerate(names):
                ax.text(PARAMETERS + column, y, name, ha="center", va="center_baseline", color=colour, size=9)
    for x, name in ((0, "node"), (1.4, "size"), (PARAMETERS - 0.35, "parameters")):
        ax.text(x, 1.2, name, ha="left" if x > 2 else "center", size=9)
    ax.set_title("one forest")
    ax.set_xlim(-1, PARAMETERS + 2 + SPACE.n_features)
    ax.set_ylim(-forest.nodes - BETWEEN_ROWS * len(COLOURS), 2.2)
    ax.axis("off")


def _leaves(forest: Forest, node: int) -> slice:
    """The places of a node's leaves among the parameters."""
    return slice(int(forest.first_param[node]) + 2, int(forest.first_param[node + 1]))
