"""A tree in the floats of MicroPython's board, single or double: a line for each function node."""

from __future__ import annotations

from neuraltree.activations import ACTIVATIONS
from neuraltree.export.c.parts import number
from neuraltree.export.micropython.plain_parts import LARGEST
from neuraltree.export.onnx.levels import used_features
from neuraltree.export.order import Step, steps
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree

TERMS = 40  # most terms of a sum in one statement, as compilers have limits

PREDICT = '''def predict(x):
    """The target in its own units for raw inputs x."""
    return _values(x)[0]
'''


def body(tree: Tree, has_columns: bool) -> list[str]:
    """The functions up to ``predict``, or for classes up to ``_class`` and what its probabilities need."""
    kinds = sorted({~op for op in tree.nodes["op"].tolist() if op < 0})
    functions = [text for code in kinds if (text := ACTIVATIONS[code].plain_function)]
    parts = [*functions, _outputs(tree, has_columns)]
    if tree.classes is None:
        return [*parts, PREDICT]
    shares = ["_shares = _values\n"] if tree.output_activation == "sigmoid" else []
    if tree.kind == "binary":
        above = f"_values(x)[0] > {number(tree.logit_threshold)}"
        return [*parts, f"def _class(x):\n    return 1 if {above} else 0\n", *shares]
    return [*parts, LARGEST, "def _class(x):\n    return _largest(_values(x))\n", *shares]


def _outputs(tree: Tree, has_columns: bool) -> str:
    """``_values``: the outputs, from nodes into which the scalers are folded as they are in C."""
    centred, taken = tree.centred()
    nodes = centred.folded()
    lines = ["def _values(x):", *(["    x = _features(x)"] if has_columns else [])]
    for i in used_features(nodes).tolist():
        lines.append(f"    x{i} = x[{i}]" + (f" - {number(taken[i])}".replace("- -", "+ ") if taken[i] else ""))
    outputs: list[str] = []
    for step in steps(nodes):
        lines += _statements(nodes, step, outputs)
    return "\n".join([*lines, f"    return ({', '.join(outputs)},)"])


def _statements(nodes: Nodes, step: Step, outputs: list[str]) -> list[str]:
    """The lines of one node; the name of an output is added to ``outputs``."""
    terms = [f"a{step.own}"] * step.opened + [number(nodes["bias"][step.node, 0])]
    terms += [f"{number(nodes['weight'][leaf, 0])} * x{nodes['op'][leaf]}" for leaf in step.leaves]
    lines = []
    while len(terms) > TERMS:
        lines.append(f"    s = {_sum(terms[:TERMS])}")
        terms = ["s", *terms[TERMS:]]
    value = ACTIVATIONS[step.code].plain.format(_sum(terms))
    if step.slot < 0:
        outputs.append(f"y{len(outputs)}")
        return [*lines, f"    {outputs[-1]} = {value}"]
    sign = "=" if step.first else "+="
    return [*lines, f"    a{step.slot} {sign} {number(nodes['weight'][step.node, 0])} * ({value})"]


def _sum(terms: list[str]) -> str:
    return " + ".join(terms).replace("+ -", "- ")
