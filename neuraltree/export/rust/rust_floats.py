"""A tree in single floats in Rust: the operations of the straight C code, in the same order."""

from __future__ import annotations

from neuraltree.activations import ACTIVATIONS, code_of
from neuraltree.export.c.parts import number
from neuraltree.export.onnx.levels import used_features
from neuraltree.export.order import Step, steps
from neuraltree.export.rust.rust_parts import LARGEST, Parts, answer, functions, probabilities
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree

PREDICT = """/// {text}, for raw inputs.
pub fn predict(x: &[f32; INPUTS]) -> {result} {{
    let y = outputs(x);
    {answer}
}}
"""


def float_parts(tree: Tree, has_columns: bool, *, sine: bool) -> Parts:
    """``sine``: include the sine in any case."""
    codes = (~tree.nodes["op"][tree.nodes["op"] < 0]).tolist() + [code_of("sine")] * sine
    exp = tree.classes is not None and tree.output_activation == "identity"
    parts = [*functions(codes, exp=exp), *([LARGEST] if tree.kind == "multiclass" else []), _outputs(tree, has_columns)]
    if tree.classes is None:
        return Parts(parts, [PREDICT.format(text="The target in its own units", result="f32", answer="y[0]")])
    found = answer(tree, number(tree.logit_threshold))
    return Parts(
        parts,
        [
            PREDICT.format(text="The class", result="Class", answer=found),
            probabilities(tree, "outputs(x)", "value"),
        ],
    )


def _outputs(tree: Tree, has_columns: bool) -> str:
    centred, taken = tree.centred()
    nodes = centred.folded()
    used = used_features(nodes).tolist()
    lines = ["    let x = features(x);"] if has_columns and used else []
    lines += [f"    let x{i} = x[{i}]{_less(taken[i])};" for i in used]
    for place, step in enumerate(order := steps(nodes)):
        lines.append(_statement(nodes, step, sum(other.slot < 0 for other in order[:place])))
    names = ", ".join(f"y{k}" for k in range(tree.num_outputs))
    argument = "x" if used else "_x"
    head = f"fn outputs({argument}: &[f32; INPUTS]) -> [f32; {tree.num_outputs}] {{"
    return "\n".join([head, *lines, f"    [{names}]", "}", ""])


def _less(centre: float) -> str:
    return f" - {number(centre)}".replace("- -", "+ ") if centre else ""


def _statement(nodes: Nodes, step: Step, output: int) -> str:
    """The line of one node: an output, or a share of its parent's sum, which is a new variable each time."""
    terms = [f"a{step.own}"] * step.opened + [number(nodes["bias"][step.node, 0])]
    terms += [f"{number(nodes['weight'][leaf, 0])} * x{nodes['op'][leaf]}" for leaf in step.leaves]
    value = ACTIVATIONS[step.code].rust.format(" + ".join(terms).replace("+ -", "- "))
    if step.slot < 0:
        return f"    let y{output} = {value};"
    before = "" if step.first else f"a{step.slot} + "
    value = f"({value})" if ACTIVATIONS[step.code].rust == "{}" else value
    return f"    let a{step.slot} = {before}{number(nodes['weight'][step.node, 0])} * {value};"
