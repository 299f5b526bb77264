"""Single-float C: the scalers are folded into the weights, so that the code takes raw inputs.

If a mean is so far from 0 that folding it would cost digits, it is subtracted from its input first
(``folding.centres``): in straight code once for each such input; in a table at every use of any input, as soon as one
input needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import NAMES
from neuraltree.export.c.floats.stored_weights import STORED, Stored
from neuraltree.export.c.parts import array, float_functions, literal
from neuraltree.export.head import FIRST, KIND, OPENED, OUTPUT, flags
from neuraltree.export.onnx.levels import used_features
from neuraltree.export.order import Step, slots, steps
from neuraltree.tree.nodes import Nodes

if TYPE_CHECKING:
    from neuraltree.export.c.argument import Argument
    from neuraltree.tree.tree import Tree

IDENTITY = NAMES.index("identity")
Centre = NDArray[np.float64] | None  # (features,) the number subtracted from each input; None: nothing


def body(tree: Tree, argument: Argument, style: str, stored: str) -> tuple[str, str]:
    """Static definitions, and the text of ``NT_CALL void nt_outputs(const float *x, float *y)``, or with another
    first parameter, that of ``argument``, which in a table is no struct. ``stored``: the row of ``STORED`` that a table
    has its weights in."""
    centred, taken = tree.centred()
    nodes = centred.folded()
    order = steps(nodes)
    centre = taken if taken[used_features(nodes)].any() else None
    if style == "straight":
        return _straight(nodes, order, centre, argument)
    definitions, function = _table(nodes, order, centre, argument.name, STORED[stored])
    return definitions, function.replace("const float *x", argument.parameter)


def functions(tree: Tree, *, sine: bool = False) -> str:
    """The C functions of the activations in a tree, and e^x if softmax or logistic probabilities need it.

    ``sine``: include the sine in any case.
    """
    codes = (~tree.nodes["op"][tree.nodes["op"] < 0]).tolist()  # folding adds no kind that needs a function
    codes += [NAMES.index("sine")] * sine
    return float_functions(codes, exp=tree.classes is not None and tree.output_activation == "identity")


def _straight(nodes: Nodes, order: list[Step], centre: Centre, argument: Argument) -> tuple[str, str]:
    far = {} if centre is None else {i: literal(centre[i]) for i in used_features(nodes).tolist() if centre[i]}
    rows = zip(argument.inputs, argument.places, strict=True)
    x = [f"(float){place}" if one.row.is_integer else place for one, place in rows]
    lines = [f"const float x{i} = {x[i]} - {text};".replace("- -", "+ ") for i, text in far.items()]
    output = 0
    for step in order:
        terms = [f"a{step.own}"] * step.opened + [literal(nodes["bias"][step.node, 0])]
        inputs = [(leaf, int(nodes["op"][leaf])) for leaf in step.leaves]
        terms += [f"{literal(nodes['weight'][leaf, 0])} * {f'x{i}' if i in far else x[i]}" for leaf, i in inputs]
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
            lines.append("NT_FENCE;")
    names = ", ".join(f"a{i}" for i in range(slots(order)))
    declared = [f"float {names};"] if names else []
    text = "\n".join(f"    {line}" for line in declared + lines)
    return "", f"NT_CALL void nt_outputs({argument.parameter}, float *y)\n{{\n{text}\n}}\n"


def table_values(
    nodes: Nodes, order: list[Step], centre: Centre, *, apart: bool = False
) -> tuple[list[int], list[float], list[float]]:
    """The numbers that the interpreter reads: codes, weights and biases of the nodes in order of evaluation. A
    subtrahend follows its weight, or ``apart`` from weights the bias of its node."""
    codes: list[int] = []
    weights: list[float] = []
    biases: list[float] = []
    for step in order:
        codes += [flags(step), len(step.leaves), *(int(nodes["op"][leaf]) for leaf in step.leaves)]
        biases.append(nodes["bias"][step.node, 0])
        for leaf in step.leaves:
            weights.append(nodes["weight"][leaf, 0])
            if centre is not None:
                (biases if apart else weights).append(centre[nodes["op"][leaf]])
        weights += [nodes["weight"][step.node, 0]] * (step.slot >= 0)
    return codes, weights, biases


def _table(nodes: Nodes, order: list[Step], centre: Centre, name: str, stored: Stored) -> tuple[str, str]:
    codes, weights, biases = table_values(nodes, order, centre, apart=stored.apart)
    unit = narrowest(codes)
    beside = [" and the subtrahend" * (centre is not None and apart == stored.apart) for apart in (False, True)]
    tables = [
        *([stored.function] if stored.function else []),
        "/* Each node in order of evaluation: kind and flags, number of inputs, the inputs. */",
        array(f"uint{unit}_t", "nt_code", codes),
        f"/* Each node: a weight{beside[0]} per input, and the weight of its own value unless it is an output. */",
        array(stored.c_type, "nt_weight", [stored.text(w) for w in weights]),
        *([f"/* Each node: the bias{beside[1]}s of its inputs. */"] if beside[1] else []),
        array("float", "nt_bias", [literal(b) for b in biases]),
    ]
    tables.append(kind_table({step.code for step in order}))
    text = interpreter(centre, stored) + OUTPUTS
    return "\n".join(tables), filled(text, name, unit, slots(order), len(biases))


def kind_table(codes: set[int]) -> str:
    """The C table of the functions of these activations."""
    kinds = codes - {IDENTITY}
    named = [f"nt_{NAMES[code]}" if code in kinds else "0" for code in range(max(kinds, default=0) + 1)]
    return f"typedef float (*nt_kind)(float);\nstatic const nt_kind nt_kinds[{len(named)}] = {{{', '.join(named)}}};\n"


def interpreter(centre: Centre, stored: Stored = STORED["float32"]) -> str:
    """The text of the interpreter, with marks for ``filled``."""
    subtrahend = "NT_READ(float, float, ++bias)" if stored.apart else stored.read
    added = FOLDED if centre is None else CENTRED.replace("@FAR@", subtrahend)
    return INTERPRETER.replace("@ADD@", added).replace("@WEIGHT@", stored.read).replace("@STORED@", stored.c_type)


def filled(text: str, name: str, unit: int, depth: int, entries: int) -> str:
    """An interpreter's text with its marks replaced; ``unit``: the bits of an entry of the code table; ``depth``: the
    most sums that wait; ``entries``: of the table that a pass reads to its end."""
    changes = {
        "@NAME@": name,
        "@UNIT@": str(unit),
        "@WIDTH@": {8: "byte", 16: "word"}[unit],
        "@SLOTS@": str(max(depth, 1)),
        "@NODES@": str(entries),
    }
    for mark, value in changes.items():
        text = text.replace(mark, value)
    return text


# The tables are arguments of a function that other files could call, so that no compiler specialises the loop for one
# tree. A node then costs the same in every tree.
INTERPRETER = f"""void @NAME@_run(const uint@UNIT@_t *code, const @STORED@ *weight, const float *bias,
                const float *last, const nt_kind *kinds, const float *x, float *y);
NT_ALONE void @NAME@_run(const uint@UNIT@_t *code, const @STORED@ *weight, const float *bias,
                         const float *last, const nt_kind *kinds, const float *x, float *y)
{{
    float waiting[@SLOTS@];
    float *top = waiting;
    NT_LOOP
    for (; bias != last; ++bias) {{
        const uint@UNIT@_t head = NT_READ(@WIDTH@, uint@UNIT@_t, code++);
        uint@UNIT@_t inputs = NT_READ(@WIDTH@, uint@UNIT@_t, code++);
        float sum = NT_READ(float, float, bias);
        if ((head & {OPENED}) != 0) {{
            sum += *--top;
        }}
        NT_LOOP
        for (; inputs != 0; --inputs) {{
@ADD@
        }}
        if ((head & {KIND}) != {IDENTITY}) {{
            sum = kinds[head & {KIND}](sum);
        }}
        if ((head & {OUTPUT}) != 0) {{
            *y++ = sum;
            continue;
        }}
        sum *= @WEIGHT@;
        if ((head & {FIRST}) != 0) {{
            *top++ = sum;
        }} else {{
            top[-1] += sum;
        }}
    }}
}}

"""
OUTPUTS = """NT_CALL void nt_outputs(const float *x, float *y)
{
    @NAME@_run(nt_code, nt_weight, nt_bias, nt_bias + @NODES@, nt_kinds, x, y);
}
"""

FOLDED = "            sum += @WEIGHT@ * x[NT_READ(@WIDTH@, uint@UNIT@_t, code++)];"
CENTRED = """            const float input = x[NT_READ(@WIDTH@, uint@UNIT@_t, code++)];
            const float factor = @WEIGHT@;
            sum += factor * (input - @FAR@);"""


def narrowest(codes: list[int]) -> int:
    """The bits of an entry of the code table, 8 or 16; ``ValueError`` if 16 are too few."""
    largest = int(np.max(codes))
    if largest > 65_535:
        raise ValueError(f"a table holds inputs and children up to 65535, this tree has {largest}; use straight code")
    return 8 if largest < 256 else 16
