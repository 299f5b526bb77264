"""Single-float C: the scalers are folded into the weights, so that it takes raw inputs."""

from __future__ import annotations

import numpy as np

from neuraltree.activations import NAMES
from neuraltree.export.order import Step, slots, steps
from neuraltree.export.parts import array, float_functions, literal
from neuraltree.model import Tree
from neuraltree.tree import Nodes

IDENTITY = NAMES.index("identity")
OPENED, FIRST, OUTPUT = 8, 16, 32  # flags of a node in a table, beside its kind


def body(tree: Tree, style: str) -> tuple[str, str]:
    """Static definitions, and the text of ``static void nt_outputs(const float *x, float *y)``."""
    nodes = tree.folded()
    order = steps(nodes)
    return (_straight if style == "straight" else _table)(nodes, order)


def functions(tree: Tree) -> str:
    """The activations a tree needs; ``exp`` for probabilities too."""
    codes = (~tree.folded()["op"][tree.folded()["op"] < 0]).tolist()
    return float_functions(codes, exp=tree.classes is not None and tree.output_activation == "identity")


def _straight(nodes: Nodes, order: list[Step]) -> tuple[str, str]:
    lines = []
    output = 0
    for step in order:
        terms = [f"a{step.own}"] * step.opened + [literal(nodes["bias"][step.node, 0])]
        terms += [f"{literal(nodes['weight'][leaf, 0])} * x[{nodes['op'][leaf]}]" for leaf in step.leaves]
        value = " + ".join(terms).replace("+ -", "- ")
        if step.code != IDENTITY:
            value = f"nt_{NAMES[step.code]}({value})"
        if step.slot < 0:
            lines.append(f"y[{output}] = {value};")
            output += 1
        else:
            lines.append(
                f"a{step.slot} {'=' if step.first else '+='} {literal(nodes['weight'][step.node, 0])} * "
                + (f"({value});" if step.code == IDENTITY else f"{value};")
            )
    names = ", ".join(f"a{i}" for i in range(slots(order)))
    declared = [f"float {names};"] if names else []
    return "", _function(declared + lines)


def _function(lines: list[str]) -> str:
    text = "\n".join(f"    {line}" for line in lines)
    return f"static void nt_outputs(const float *x, float *y)\n{{\n{text}\n}}\n"


def _table(nodes: Nodes, order: list[Step]) -> tuple[str, str]:
    codes: list[int] = []
    weights: list[float] = []
    biases: list[float] = []
    for step in order:
        codes += [flags(step), len(step.leaves), *(int(nodes["op"][leaf]) for leaf in step.leaves)]
        weights += [nodes["weight"][leaf, 0] for leaf in step.leaves]
        weights += [nodes["weight"][step.node, 0]] * (step.slot >= 0)
        biases.append(nodes["bias"][step.node, 0])
    unit = narrowest(codes)
    kinds = sorted({step.code for step in order} - {IDENTITY})
    cases = "".join(f"        case {code}: sum = nt_{NAMES[code]}(sum); break;\n" for code in kinds)
    switch = f"        switch (head & 7) {{\n{cases}        default: break;\n        }}\n" if kinds else ""
    depth = max(slots(order), 1)
    tables = "\n".join(
        [
            "/* Each node in order of evaluation: kind and flags, number of inputs, the inputs. */",
            array(f"uint{unit}_t", "nt_code", codes),
            "/* Each node: a weight per input, and the weight of its own value unless it is an output. */",
            array("float", "nt_weight", [literal(w) for w in weights]),
            array("float", "nt_bias", [literal(b) for b in biases]),
        ]
    )
    width = {8: "byte", 16: "word"}[unit]
    function = f"""static void nt_outputs(const float *x, float *y)
{{
    float waiting[{depth}];
    float *top = waiting;
    const uint{unit}_t *code = nt_code;
    const float *weight = nt_weight;
    int_fast16_t node;
    for (node = 0; node < {len(order)}; ++node) {{
        const uint{unit}_t head = NT_READ({width}, uint{unit}_t, code++);
        uint{unit}_t inputs = NT_READ({width}, uint{unit}_t, code++);
        float sum = NT_READ(float, float, nt_bias + node);
        if ((head & {OPENED}) != 0) {{
            sum += *--top;
        }}
        for (; inputs != 0; --inputs) {{
            sum += NT_READ(float, float, weight++) * x[NT_READ({width}, uint{unit}_t, code++)];
        }}
{switch}        if ((head & {OUTPUT}) != 0) {{
            *y++ = sum;
            continue;
        }}
        sum *= NT_READ(float, float, weight++);
        if ((head & {FIRST}) != 0) {{
            *top++ = sum;
        }} else {{
            top[-1] += sum;
        }}
    }}
}}
"""
    return tables, function


def flags(step: Step) -> int:
    """Kind and flags of a node for a table."""
    return step.code + OPENED * step.opened + FIRST * (step.first and step.slot >= 0) + OUTPUT * (step.slot < 0)


def narrowest(codes: list[int]) -> int:
    """Bits of an entry of the code table; ``ValueError`` beyond 16."""
    largest = int(np.max(codes))
    if largest > 65_535:
        raise ValueError(f"a table holds inputs and children up to 65535, this tree has {largest}; use straight code")
    return 8 if largest < 256 else 16
