"""The ancestors of a member, and the operators that made them."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from neuraltree.plot import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from search.folder.history import History

MOST = 200  # ancestors drawn
SWEEPS = 6
Parents = dict[int, list[int]]

LOOKS: dict[str, style.Look] = {
    "random": style.Look(style.PALE, "o"),
    "pruned": style.Look(style.GREY, "d"),
    "copy": style.Look("white", "o"),
    "crossover": style.Look(style.BLUE, "s"),
    "one_leaf": style.Look(style.GREEN, "^"),
    "all_leaves": style.Look(style.GREEN, "v"),
    "subtree_insertion": style.Look(style.ORANGE, "P"),
    "subtree_deletion": style.Look(style.VERMILION, "X"),
    "subtree_replacement": style.Look(style.YELLOW, "p"),
    "hoist": style.Look(style.VERMILION, "<"),
    "insert_edge": style.Look(style.ORANGE, ">"),
    "grow_edge": style.Look(style.BLUE, ">"),
    "remove_weakest_edge": style.Look(style.PURPLE, "h"),
    "perturb_weights": style.Look(style.SKY, "D"),
    "change_activation": style.Look(style.PURPLE, "*"),
    "swap_input": style.Look(style.GREEN, "<"),
    "merge_inputs": style.Look(style.GREEN, ">"),
}


def plot_genealogy(history: History, id: int, ax: Axes | None = None) -> Axes:
    """The ancestors of a tree by generation, each marked by the operator that made it; lines lead to parents.

    If there are more than 200 ancestors, those with the largest shares in the tree are drawn and the title says so.
    The parents of a tree have equal shares in it. Raises ``ValueError`` for an id that no tree has.
    """
    trees = len(history.parents)
    if id != int(id) or not 0 <= id < trees:
        raise ValueError(f"no tree has the id {id}; allowed: whole numbers from 0 to {trees - 1}")
    ancestors = parents_of(history.parents, int(id))
    shown = most_influential(ancestors, int(id), MOST)
    parents = {child: [up for up in ancestors[child] if up in shown] for child in sorted(shown)}
    ax = style.axes_or_new(ax, (9.0, 5.0))
    heights = layout(parents, history.generation)
    place = {tree: (float(history.generation[tree]), heights[tree]) for tree in parents}
    lines = [[place[child], place[up]] for child, ups in parents.items() for up in ups]
    ax.add_collection(LineCollection(lines, colors=style.GREY, lw=0.6, alpha=0.6, zorder=1), autolim=False)
    size = 42 if len(parents) <= 60 else 22
    for name in sorted({str(history.operator[tree]) for tree in parents}, key=_rank):
        here = np.array([place[tree] for tree in parents if history.operator[tree] == name])
        look = LOOKS.get(name, style.Look("white", "d"))
        outline = {"edgecolors": style.BLACK, "lw": 0.5}
        words = name.replace("_", " ")
        style.dots(ax, here, s=size, c=look.colour, marker=look.marker, label=words, zorder=2, **outline)
    ring = style.dots(
        ax, np.array([place[int(id)]]), s=4 * size, edgecolors=style.BLACK, lw=1.5, label=f"tree {int(id)}"
    )
    ring.set_facecolor("none")
    if len(ancestors) > len(shown):
        ax.set_title(
            f"{len(shown) - 1:,} of {len(ancestors) - 1:,} ancestors: those with the largest shares", fontsize=10
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.set(xlabel="generation", yticks=[])
    ax.margins(0.05)
    ax.spines[["left", "top", "right"]].set_visible(False)
    style.legend_beside(ax, title="made by", alignment="left")
    return ax


def _rank(name: str) -> tuple[int, str]:
    names = list(LOOKS)
    return (names.index(name) if name in names else len(names), name)


def parents_of(parents: NDArray[np.int64], tree: int) -> Parents:
    """The parents of a tree and of each of its ancestors; a tree whose two parents are the same tree has one."""
    found: Parents = {}
    open_ = [tree]
    while open_:
        child = open_.pop()
        if child not in found:
            found[child] = sorted({up for up in parents[child].tolist() if up >= 0})
            open_ += found[child]
    return found


def most_influential(parents: Parents, tree: int, most: int) -> set[int]:
    """The tree and the ``most`` ancestors with the largest shares in it; each ancestor has a child in the result."""
    share = dict.fromkeys(parents, 0.0)
    share[tree] = 1.0
    for child in sorted(parents, reverse=True):  # a parent is older than its child, so its id is smaller
        for up in parents[child]:
            share[up] += share[child] / len(parents[child])
    shown: set[int] = set()
    open_ = [(-1.0, -tree)]
    while open_ and len(shown) <= most:
        found = -heapq.heappop(open_)[1]
        if found not in shown:
            shown.add(found)
            for up in parents[found]:
                heapq.heappush(open_, (-share[up], -up))
    return shown


def layout(parents: Parents, generation: NDArray[np.int64]) -> dict[int, float]:
    """The height of every tree: near its parents and children, and 1 or more from others of its generation."""
    near: Parents = {tree: list(ups) for tree, ups in parents.items()}
    for child, ups in parents.items():
        for up in ups:
            near[up].append(child)
    columns: dict[int, list[int]] = {}
    for tree in parents:
        columns.setdefault(int(generation[tree]), []).append(tree)
    height = {tree: float(i) - len(column) / 2 for column in columns.values() for i, tree in enumerate(column)}
    for sweep in range(SWEEPS):
        for _, column in sorted(columns.items(), reverse=sweep % 2 == 0):
            wanted = {tree: float(np.mean([height[other] for other in near[tree] or [tree]])) for tree in column}
            column.sort(key=lambda tree: (wanted[tree], tree))
            height |= zip(column, spread([wanted[tree] for tree in column]), strict=True)
    return height


def spread(wanted: list[float]) -> list[float]:
    """The least-squares fit to the sorted ``wanted`` by increasing numbers that are 1 or more apart."""
    # Isotonic regression by pooling adjacent violators, on ``wanted`` less 0, 1, 2, ...
    blocks: list[tuple[float, int]] = []  # the mean of a block, and its length
    for i, value in enumerate(wanted):
        mean, count = value - i, 1
        while blocks and blocks[-1][0] > mean:
            before, others = blocks.pop()
            mean, count = (before * others + mean * count) / (others + count), others + count
        blocks.append((mean, count))
    level = [mean for mean, count in blocks for _ in range(count)]
    return [mean + i for i, mean in enumerate(level)]
