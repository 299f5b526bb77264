"""A tree as text for Graphviz."""

from __future__ import annotations

from neuraltree.activations import NAMES
from neuraltree.export.names import MARK
from neuraltree.plot.style import ACTIVATION_LOOKS, BLUE, VERMILION, short
from neuraltree.tree.nodes import parents
from neuraltree.tree.soundness import DEFAULT_THRESHOLD
from neuraltree.tree.tree import Tree

THINNEST, THICKEST = 0.5, 5.0  # points

HEAD = """// {summary} {mark}; do not edit.
digraph neuraltree {{
    rankdir=BT;
    node [fontname="sans-serif", fontsize=11, style=filled, color="#555555"];
    edge [arrowhead=none];"""


def export_dot(tree: Tree) -> str:
    """The drawing: inputs as boxes at the bottom, outputs on top, function nodes coloured by activation.

    The width of an edge shows its |weight| relative to the largest one; an edge of positive weight is solid and blue,
    one of negative weight dashed and vermilion (Okabe and Ito's palette). The tooltip of an edge gives its weight, the
    tooltip of a function node its bias.
    """
    depth, op = tree.nodes["depth"].tolist(), tree.nodes["op"].tolist()
    weight, bias = tree.nodes["weight"][:, 0].tolist(), tree.nodes["bias"][:, 0].tolist()
    summary = f"{tree.kind}: {len(tree.features)} inputs, {tree.num_weights} weights."
    tops = dict(zip([i for i, level in enumerate(depth) if level == 0], _output_labels(tree), strict=True))
    lines = [HEAD.format(summary=summary, mark=MARK)]
    for i, code in enumerate(op):
        lines.append(_input(i, tree.features[code]) if code >= 0 else _function(i, ~code, bias[i], tops.get(i)))
    largest = max((abs(weight[i]) for i, level in enumerate(depth) if level), default=0.0)
    for i, up in enumerate(parents(tree.nodes["depth"]).tolist()):
        if up >= 0:
            lines.append(f"    n{i} -> n{up} [{_edge(weight[i], largest)}];")
    leaves = [i for i, code in enumerate(op) if code >= 0]
    lines += [_same_row("min", leaves), _same_row("max", list(tops))]
    return "\n".join([*lines, "}", ""])


def _output_labels(tree: Tree) -> list[str]:
    """The name and activation of each output, and the threshold of the predicted class if it is not 0.5."""
    rule = "" if tree.threshold == DEFAULT_THRESHOLD else f", if P > {tree.threshold}"
    return [f"{short(name)} ({tree.output_activation}){rule}" for name in _output_names(tree)]


def _output_names(tree: Tree) -> list[str]:
    """The name of each output: its target or class; the logit of a binary tree has the name of the second class."""
    if tree.classes is not None:
        return list(map(str, tree.classes))[-tree.num_outputs :]
    return ["y"] if tree.num_outputs == 1 else [f"y[{k}]" for k in range(tree.num_outputs)]


def _input(i: int, name: str) -> str:
    return f'    n{i} [shape=box, fillcolor="#FFFFFF", label={quoted(short(name))}, tooltip={quoted(name)}];'


def _function(i: int, code: int, bias: float, output: str | None) -> str:
    """``output``: the label of an output node."""
    kind = NAMES[code]
    shape, label = ("ellipse", kind) if output is None else ("doubleoctagon", output)
    fill = ACTIVATION_LOOKS[kind].colour
    return f'    n{i} [shape={shape}, fillcolor="{fill}", label={quoted(label)}, tooltip="bias {bias:.4g}"];'


def _edge(weight: float, largest: float) -> str:
    width = THINNEST + (THICKEST - THINNEST) * (abs(weight) / largest if largest else 0.0)
    colour, style = (VERMILION, "dashed") if weight < 0 else (BLUE, "solid")
    return f'color="{colour}", style={style}, penwidth={width:.2f}, tooltip="weight {weight:.4g}"'


def _same_row(rank: str, nodes: list[int]) -> str:
    return f"    {{rank={rank}; {' '.join(f'n{i};' for i in nodes)}}}"


def quoted(text: str) -> str:
    """A string of DOT that shows the text as it is, with no escape, entity or control character taking effect."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    for letter, escape in (("&", "&amp;"), ("\\", "\\\\"), ('"', '\\"')):
        plain = plain.replace(letter, escape)
    return f'"{plain}"'
