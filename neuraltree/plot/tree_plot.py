"""Pictures of trees, drawn with Matplotlib: a tree itself, and the distribution of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neuraltree.activations import NAMES
from neuraltree.arrays import FloatArray
from neuraltree.plot import style
from neuraltree.plot.drawing import edge_paths, positions
from neuraltree.plot.node_labels import LONGEST, output_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neuraltree.tree.tree import Tree

POINTS = 72.0  # per inch
SMALLEST, LARGEST = 4.5, 9.0  # font sizes, points; names that would be smaller are left out
LINE_HEIGHT, LETTER = 1.15, 0.58  # in units of the font size: the height of a line, the width of a letter
FEWEST_LETTERS = 8  # with room for fewer letters, a class label is turned upright
WIDEST_EDGE, THINNEST_EDGE = 4.0, 0.4  # points
DASHES = (0, (2.2, 1.2))
SIGNS = ((1, style.BLUE, "solid", "above 0"), (-1, style.VERMILION, DASHES, "below 0"))
UP_TO = {1: "up to", -1: "down to"}
BARS = 40
OUTER = 0.25  # percent of the numbers at each end that lie beyond the bars; the outer bars hold them too


Words = Callable[[int, int], str]  # from an edge, by the node below it, and the sign of its weight


def plot_tree(tree: Tree, ax: Axes | None = None) -> Axes:
    """Draw the tree with its inputs at the bottom and its outputs at the top.

    The width of an edge grows with the size of its weight. Positive edges are blue, negative ones vermilion and dashed.
    The colour and shape of a function node show its activation. If no ``ax`` is given, a new figure is made, with room
    for the names of about 200 inputs. If the names would be too small to read, a note replaces them.
    """
    weight = tree.nodes["weight"][:, 0]
    return _drawn(ax, tree, np.abs(weight), lambda i, sign: f"{UP_TO[sign]} {weight[i]:.3g}")


def plot_importance(tree: Tree, scores: FloatArray, ax: Axes | None = None) -> Axes:
    """Draw the tree as ``plot_tree`` does, but the width of an edge grows with its score instead of its weight.

    ``scores`` (nodes,), at least 0, of the edge above each node: such as ``edges`` of ``synaptic_importance``.
    Raises ``ValueError`` for another shape.
    """
    if scores.shape != (tree.num_nodes,):
        raise ValueError(f"scores has shape {scores.shape}; the tree needs ({tree.num_nodes},), one for each node")
    return _drawn(ax, tree, scores, lambda i, sign: f"score up to {scores[i]:.3g}")


def _drawn(ax: Axes | None, tree: Tree, sizes: FloatArray, words: Words) -> Axes:
    at = positions(tree)
    columns, rows = at[:, 0].max(initial=0) + 1, at[:, 1].max(initial=0) + 1
    ax = style.axes_or_new(ax, (float(np.clip(2.5 + 0.26 * columns, 6, 20)), float(np.clip(1.6 + 0.75 * rows, 3.6, 8))))
    pitch = POINTS * style.width(ax) / columns  # points between two inputs
    ax.set(xlim=(-0.75, columns - 0.25), ylim=(-0.04 * rows, rows - 0.7), yticks=[])
    ax.spines[:].set_visible(False)
    _edges(ax, tree, at, min(1.0, pitch / 8), sizes, words)
    _nodes(ax, tree, at, float(np.clip(0.6 * pitch, 2.0, 11)))
    _input_names(ax, tree, at, pitch)
    _output_names(ax, tree, at)
    style.legend_beside(ax, fontsize=8)
    return ax


def _edges(ax: Axes, tree: Tree, at: FloatArray, scale: float, sizes: FloatArray, words: Words) -> None:
    """The width of an edge grows with its size (nodes,); ``words`` about the largest of each sign go to the legend."""
    below = tree.nodes["depth"] > 0
    weight = tree.nodes["weight"][:, 0]
    largest = sizes[below].max(initial=0) or 1.0
    paths = edge_paths(tree, at)
    for sign, colour, dashes, text in SIGNS:
        chosen = np.flatnonzero(below & ((weight >= 0) == (sign > 0)))
        if not len(chosen):
            continue
        widths = scale * (THINNEST_EDGE + (WIDEST_EDGE - THINNEST_EDGE) * (sizes[chosen] / largest))
        most = int(chosen[sizes[chosen].argmax()])
        label = f"weight {text}, {words(most, sign)}".replace("-", "\N{MINUS SIGN}")
        lines = LineCollection(
            list(paths[chosen]), lw=widths, colors=colour, linestyles=[dashes], label=label, zorder=1
        )
        ax.add_collection(lines, autolim=False)


def _nodes(ax: Axes, tree: Tree, at: FloatArray, size: float) -> None:
    op = tree.nodes["op"]
    for name in [name for code, name in enumerate(NAMES) if (op == ~code).any()]:
        look = style.ACTIVATION_LOOKS[name]
        outline = {"edgecolors": style.BLACK, "lw": min(0.8, 0.1 * size)}
        here = at[op == ~NAMES.index(name)]
        style.dots(ax, here, s=size**2, c=look.colour, marker=look.marker, label=name, zorder=3, **outline)
    style.dots(ax, at[op >= 0], s=(0.45 * size) ** 2, c=style.BLACK, label="input", zorder=2)


def _input_names(ax: Axes, tree: Tree, at: FloatArray, pitch: float) -> None:
    leaves = np.flatnonzero(tree.nodes["op"] >= 0)
    names = [style.short(tree.features[i]) for i in tree.nodes["op"][leaves].tolist()]
    size = min(LARGEST, pitch / LINE_HEIGHT)
    if size < SMALLEST:
        ax.set_xticks([])
        ax.set_xlabel(f"{len(names)} inputs; too many to name in this width")
        return
    flat = max(map(len, names)) * LETTER * LARGEST < pitch
    ax.set_xticks(
        at[leaves, 0], names, rotation=0 if flat else 90, fontsize=LARGEST if flat else size, parse_math=False
    )
    ax.tick_params(length=0)


def _output_names(ax: Axes, tree: Tree, at: FloatArray) -> None:
    tops = at[tree.nodes["depth"] == 0]
    apart = np.diff(tops[:, 0]).min(initial=np.inf) * POINTS * style.width(ax) / (at[:, 0].max() + 1)
    room = int(min(apart / (LETTER * LARGEST), LONGEST))  # letters side by side
    flat = room >= FEWEST_LETTERS or max(map(len, output_names(tree))) < room
    for name, place in zip(output_names(tree, room if flat else LONGEST), tops, strict=True):
        ax.annotate(
            name, place, (0, 8), textcoords="offset points", ha="center", va="bottom", rotation=0 if flat else 90,
            fontsize=LARGEST, parse_math=False, annotation_clip=False,
        )  # fmt: skip


def plot_weights(trees: Sequence[Tree], ax: Axes | None = None) -> Axes:
    """Draw histograms of the edge weights and of the biases of some trees.

    One number in 400 at each end lies beyond the bars; the outer bars count these numbers too.
    """
    ax = style.axes_or_new(ax, (6.4, 3.6))
    if not trees:
        return style.say(ax, "no trees")
    nodes = np.concatenate([tree.nodes for tree in trees])
    kinds = {
        "weights of edges": nodes["weight"][nodes["depth"] > 0, 0],
        "biases": nodes["bias"][nodes["op"] < 0, 0],
    }
    low, high = np.percentile(np.concatenate(list(kinds.values())), (OUTER, 100 - OUTER))
    bins = np.histogram_bin_edges([], BARS, (min(low, 0.0), max(high, 0.0)))
    for (name, values), colour, hatch in zip(kinds.items(), (style.BLUE, style.VERMILION), ("", "////"), strict=True):
        _bars(ax, np.clip(values, bins[0], bins[-1]), bins, colour, hatch, f"{name} ({len(values):,})")
    ax.axvline(0, color=style.BLACK, lw=0.6)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set(xlabel="value", ylabel="count")
    ax.spines[["top", "right"]].set_visible(False)
    style.legend_beside(ax)
    return ax


def _bars(ax: Axes, values: NDArray[np.float64], bins: FloatArray, colour: str, hatch: str, label: str) -> None:
    ax.hist(values, bins.tolist(), histtype="stepfilled", fc=f"{colour}40", ec=colour, lw=1.4, hatch=hatch, label=label)
