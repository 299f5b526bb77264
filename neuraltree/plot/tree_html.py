"""A tree in a notebook: a drawing in SVG, made without Matplotlib, and a line of facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuraltree.activations import NAMES
from neuraltree.arrays import FloatArray
from neuraltree.plot import style
from neuraltree.plot.drawing import edge_paths, positions
from neuraltree.plot.node_labels import output_names

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree

MOST_NODES = 500  # of a tree that is drawn
# In pixels; names of inputs that would be closer than READABLE are left to the tooltips.
WIDTH, NARROWEST, WIDEST, READABLE, ROW, MARGIN = 900.0, 5.0, 40.0, 11.0, 52.0, 14.0
LETTER, LINE = 6.5, 13.0  # the size of a letter and of a line of names
THINNEST, THICKEST = 0.5, 4.5
MOST_NAMES = 8  # of inputs and classes in the line of facts


class _Frame(NamedTuple):
    """The places of a drawing in pixels: ``at`` (nodes, 2) of nodes, ``paths`` (nodes, 3, 2) of edges."""

    at: FloatArray
    paths: FloatArray
    pitch: float
    width: float
    height: float


def tree_html(tree: Tree) -> str:
    """The drawing with its legend, and a line of facts; of a tree above ``MOST_NODES`` nodes the facts alone.

    Equal trees have equal texts.
    """
    drawing = [_svg(tree), _legend(tree)] if tree.num_nodes <= MOST_NODES else []
    # Jupyter would read a $ in a name as mathematics, but for this class.
    return "\n".join(['<div class="tex2jax_ignore">', *drawing, f"<p>{escape(facts(tree))}</p>", "</div>"])


def facts(tree: Tree) -> str:
    """What the tree is, in a line."""
    read = [tree.features[i] for i in np.unique(tree.nodes["op"][tree.nodes["op"] >= 0])]
    inputs = f"reads {_listed(read)}" if read else "reads no input"
    classes = f"; classes {_listed(tree.classes)}" if tree.classes else ""
    return f"{tree!r}; {inputs}{classes}"


def _listed(names: Sequence[object]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(style.short(name) for name in names[:MOST_NAMES]) + more


def _framed(tree: Tree) -> _Frame:
    """The drawing of ``positions`` in pixels, with room for the names of outputs above and of inputs below."""
    at = positions(tree)
    columns, rows = at[:, 0].max() + 1, at[:, 1].max()
    pitch = float(np.clip(WIDTH / columns, NARROWEST, WIDEST))
    tops = [_size(name) for name in output_names(tree)]
    widest, highest = (max(size[i] for size in tops) for i in (0, 1))
    if _upright(tree, at * pitch):
        widest, highest = highest, widest
    below = max((LETTER * len(name) for name in _leaf_names(tree)), default=0.0) if pitch >= READABLE else 0.0
    width = max(columns * pitch, widest) + 2 * MARGIN
    left, top = (width - (columns - 1) * pitch) / 2, MARGIN + highest

    def moved(points: FloatArray) -> FloatArray:
        return np.stack([left + pitch * points[..., 0], top + ROW * (rows - points[..., 1])], axis=-1)

    height = top + ROW * rows + below + 2 * MARGIN
    return _Frame(moved(at), moved(edge_paths(tree, at)), pitch, width, height)


def _size(name: str) -> tuple[float, float]:
    lines = name.split("\n")
    return LETTER * max(map(len, lines)), LINE * len(lines)


def _upright(tree: Tree, at: FloatArray) -> bool:
    """Whether the names of outputs side by side would overlap; ``at`` (nodes, 2) is in pixels."""
    apart = np.diff(at[tree.nodes["depth"] == 0, 0]).min(initial=np.inf)
    return bool(max(_size(name)[0] for name in output_names(tree)) > apart)


def _svg(tree: Tree) -> str:
    frame = _framed(tree)
    size = f"{frame.width:.0f} {frame.height:.0f}"
    look = "max-width:100%;height:auto;overflow:visible;font:11px sans-serif"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{frame.width:.0f}" style="{look}">',
            *_edges(tree, frame),
            *_nodes(tree, frame),
            *_outputs(tree, frame),
            "</svg>",
        ]
    )


def _edges(tree: Tree, frame: _Frame) -> Iterator[str]:
    weights = np.where(tree.nodes["depth"] > 0, tree.nodes["weight"][:, 0], 0.0)
    largest = np.abs(weights).max() or 1.0
    for i in np.flatnonzero(tree.nodes["depth"] > 0).tolist():
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in frame.paths[i].tolist())
        colour, dashes = (style.BLUE, "") if weights[i] >= 0 else (style.VERMILION, ' stroke-dasharray="6 3"')
        width = min(1.0, frame.pitch / 8) * (THINNEST + (THICKEST - THINNEST) * abs(weights[i] / largest))
        yield (
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{width:.2f}"{dashes}>'
            f"<title>weight {weights[i]:.4g}</title></polyline>"
        )


def _nodes(tree: Tree, frame: _Frame) -> Iterator[str]:
    radius = min(7.0, 0.4 * frame.pitch)
    leaf_names = iter(_leaf_names(tree))
    for node, (x, y) in zip(tree.nodes, frame.at.tolist(), strict=True):
        place = f'cx="{x:.1f}" cy="{y:.1f}"'
        if node["op"] >= 0:
            name = escape(next(leaf_names))
            yield f'<circle {place} r="{0.4 * radius:.1f}" fill="currentColor"><title>{name}</title></circle>'
            if frame.pitch >= READABLE:
                turned = f'transform="translate({x - 4:.1f},{y + 8:.1f}) rotate(90)"'
                yield f'<text {turned} fill="currentColor">{name}</text>'
            continue
        kind = NAMES[~int(node["op"])]
        said = f"{kind}, bias {node['bias'][0]:.4g}"
        colour = style.ACTIVATION_LOOKS[kind].colour
        yield f'<circle {place} r="{radius:.1f}" fill="{colour}" stroke="currentColor"><title>{said}</title></circle>'


def _leaf_names(tree: Tree) -> list[str]:
    """The name of the input of each leaf, in order."""
    return [style.short(tree.features[i]) for i in tree.nodes["op"][tree.nodes["op"] >= 0].tolist()]


def _outputs(tree: Tree, frame: _Frame) -> Iterator[str]:
    tops = frame.at[tree.nodes["depth"] == 0].tolist()
    upright = _upright(tree, frame.at)
    for name, (x, y) in zip(output_names(tree), tops, strict=True):
        if upright:
            place = f'transform="translate({x + 4:.1f},{y - 10:.1f}) rotate(-90)"'
            yield f'<text {place} fill="currentColor">{escape(name)}</text>'
            continue
        lines = name.split("\n")
        for i, line in enumerate(lines):
            place = f'x="{x:.1f}" y="{y - 10 - LINE * (len(lines) - 1 - i):.1f}"'
            yield f'<text {place} text-anchor="middle" fill="currentColor">{escape(line)}</text>'


def _legend(tree: Tree) -> str:
    """The colours of the activations that the tree has, and of the edges."""
    there = [name for code, name in enumerate(NAMES) if (tree.nodes["op"] == ~code).any()]
    kinds = [f'<span style="color:{style.ACTIVATION_LOOKS[name].colour}">&#9679;</span> {name}' for name in there]
    edges = (
        f'<span style="color:{style.BLUE}">&#9473;</span> weight above 0',
        (f'<span style="color:{style.VERMILION}">&#9477;</span> weight below 0'),
    )
    return f"<p>{' &nbsp; '.join([*kinds, *edges])}</p>"
