"""Integer C in either style; in table style the numbers of a tree, and an interpreter that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuraltree.activations import NAMES
from neuraltree.activations.kind import Integers
from neuraltree.compress.formats import CODED
from neuraltree.compress.int8.lookup_tables import DOMAINS, FINE, KINDS, fine_table, table
from neuraltree.export.c.edges.coded_storage import in_codes
from neuraltree.export.c.edges.edge_storage import PLAIN, Edges, plain, smallest
from neuraltree.export.c.floats.float_code import filled, narrowest
from neuraltree.export.c.integers.float_stage import packed
from neuraltree.export.c.integers.integer_code import (
    CLAMP,
    FINE_VALUE,
    SCALED,
    SHIFTS,
    Leaves,
    bias_of,
    is_fine,
    jumping_value,
    straight_code,
)
from neuraltree.export.c.parts import array
from neuraltree.export.head import FINE_FLAG, FIRST, KIND, OPENED, OUTPUT, flags
from neuraltree.export.order import Step, slots, steps

if TYPE_CHECKING:
    from neuraltree.compress.int8.integer_tree import IntegerTree


def body(tree: IntegerTree, name: str, style: str, leaves: Leaves) -> tuple[str, str]:
    """Static definitions, and the text of ``NT_CALL void nt_outputs(const int8_t *q, int32_t *y)``; in straight code
    with another first parameter, that of ``leaves``, and in a table with that of bytes if they are raw."""
    order = steps(tree.nodes)
    fine = {step.code for step in order if is_fine(tree, step)}
    coarse = {step.code for step in order if step.slot >= 0 and not is_fine(tree, step)}
    tables = [SHIFTS, CLAMP, SCALED]
    tables += [array("int8_t", f"nt_{NAMES[c]}", table(c).tolist()) for c in sorted(coarse) if DOMAINS[c]]
    tables += [array("int16_t", f"nt_fine_{NAMES[c]}", fine_table(c).tolist()) for c in sorted(fine) if DOMAINS[c]]
    tables += [FINE_VALUE] * any(DOMAINS[c] for c in fine)
    if style == "straight":
        return "\n".join(tables), straight_code(tree, order, leaves)
    more, function = _table(tree, order, name, style, leaves)
    return "\n".join([*tables, more]), function


def table_values(tree: IntegerTree, order: list[Step], edges: Edges | None = None) -> tuple[list[int], list[int]]:
    """Codes and weights that the interpreter reads, of the nodes in order of evaluation.

    ``edges``: how the edges from inputs are stored; by default with their positions among the codes.
    """
    edges = edges or plain(tree, order)
    codes: list[int] = []
    weights: list[int] = []
    for step, row in zip(order, edges.rows, strict=True):
        codes += [flags(step) + FINE_FLAG * is_fine(tree, step), row.length, *row.codes]
        weights += [*row.weights, *[int(tree.numbers.weight[step.node])] * (step.slot >= 0)]
    return codes, weights


def _table(tree: IntegerTree, order: list[Step], name: str, style: str, leaves: Leaves) -> tuple[str, str]:
    numbers = tree.numbers
    edges = (in_codes if style == CODED else smallest)(tree, order, leaves.raw)
    codes, weights = table_values(tree, order, edges)
    hidden = [step.node for step in order if step.slot >= 0]
    unit = narrowest(codes)
    parts = [
        f"/* Each node in order of evaluation: kind and flags, number of inputs{edges.listed}. */",
        array(f"uint{unit}_t", "nt_code", codes),
        f"/* Each node: {edges.weighed}the weight of its own value unless it is an output. */",
        array("int8_t", "nt_weight", weights or [0]),
        *edges.arrays,
        array("int32_t", "nt_bias", [bias_of(tree, step, leaves.base) for step in order]),
        "/* Each node but the outputs: shift << 11 | multiplier - 2048. */",
        array("uint16_t", "nt_scale", packed(numbers.multiplier[hidden], numbers.shift[hidden]) or [0]),
        *value_tables({step.code for step in order if step.slot >= 0 and not is_fine(tree, step)}),
    ]
    stage = tree.outputs
    if stage.multiplier is not None and stage.shift is not None:
        parts.append("/* Each output: shift and multiplier to the scale that all outputs share. */")
        parts.append(array("uint16_t", "nt_score_scale", packed(stage.multiplier, stage.shift)))
    function = _interpreter(tree, order, edges, unit, name).replace("@Q@", "uint8_t" if leaves.raw else "int8_t")
    return "\n".join(parts), function


def value_tables(codes: set[int]) -> list[str]:
    """A C table by kind: its look-up table if it has one, and its least index."""
    kinds = range(max(codes, default=0) + 1)
    names = [f"nt_{NAMES[code]}" if code in codes and DOMAINS[code] else "0" for code in kinds]
    rows = [f"{{{name}, {KINDS[code].low}}}" for code, name in zip(kinds, names, strict=True)]
    return [
        "/* Each kind: its look-up table if it has one, and the least index. */",
        KIND_ROW,
        array("struct nt_kind", "nt_kinds", rows, attribute=""),
    ]


KIND_ROW = """struct nt_kind {
    const int8_t *table;
    int32_t low;
};
"""


def coarse_value(codes: set[int]) -> str:
    """The C of the interpreter from an index to an 8-bit value, for these activations."""
    first = [
        f"        if ((head & {KIND}) == {code}) {{\n            sum = {index};\n        }}\n"
        for code in sorted(codes)
        if (index := _own_index(KINDS[code]))
    ]
    return "".join(first) + COARSE


def _own_index(kind: Integers) -> str:
    """The C expression of the index of a kind whose index is not only clamped."""
    if kind.repeats:
        return "((sum + 128) & 255) - 128"
    return jumping_value("sum", kind, 1) if kind.jumps else ""


def _interpreter(tree: IntegerTree, order: list[Step], edges: Edges, unit: int, name: str) -> str:
    hidden = [step for step in order if step.slot >= 0]
    value = coarse_value({step.code for step in hidden if not is_fine(tree, step)})
    if tree.fine:
        cases = "".join(_fine_cases({step.code for step in hidden if is_fine(tree, step)}))
        value = f"{FINE_OPEN}{cases}{FINE_ELSE}{value}        }}\n"
    text = interpreter(edges).replace("@OUTPUT_SCALE@", OUTPUT_SCALE if tree.fine else "").replace("@VALUE@", value)
    text = filled(text + OUTPUTS.replace("@ARRAYS@", edges.arguments), name, unit, slots(order), len(order))
    scores = SCORES.replace("@COUNT@", str(tree.source.num_outputs)) if tree.outputs.multiplier is not None else ""
    return text.replace("@SCORES@", scores)


def _fine_cases(codes: set[int]) -> list[str]:
    """The cases of a switch from a fine index to a fine value."""
    return [f"            case {code}: sum = {_fine_value(code)}; break;\n" for code in sorted(codes)]


def _fine_value(code: int) -> str:
    kind, name = KINDS[code], NAMES[code]
    if kind.jumps:
        return jumping_value("sum", kind, FINE)
    if kind.repeats:
        return f"nt_between(nt_fine_{name}, ((sum + {128 * FINE}) & {256 * FINE - 1}))"
    if not kind.domain:
        return f"nt_clamp(sum, {kind.low * FINE}, {kind.high * FINE})"
    return f"nt_between(nt_fine_{name}, nt_clamp(sum, {-128 * FINE}, {128 * FINE - 1}) + {128 * FINE})"


def interpreter(edges: Edges = PLAIN) -> str:
    """The text of the interpreter for edges that are stored in this way, with marks for all else."""
    marks = {"@PARAMETERS@": edges.parameters, "@STATE@": edges.state, "@EDGES@": edges.loop}
    text = INTERPRETER
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


INTERPRETER = f"""void @NAME@_run(const uint@UNIT@_t *code, const int8_t *weight, const int32_t *bias,
                const int32_t *last, const uint16_t *scale, const struct nt_kind *kinds, const @Q@ *q,
                @PARAMETERS@int32_t *y);
NT_ALONE void @NAME@_run(const uint@UNIT@_t *code, const int8_t *weight, const int32_t *bias,
                         const int32_t *last, const uint16_t *scale, const struct nt_kind *kinds,
                         const @Q@ *q, @PARAMETERS@int32_t *y)
{{
    int32_t waiting[@SLOTS@];
    int32_t *top = waiting;
@STATE@    NT_LOOP
    for (; bias != last; ++bias) {{
        const uint@UNIT@_t head = NT_READ(@WIDTH@, uint@UNIT@_t, code++);
        const struct nt_kind *kind = kinds + (head & {KIND});
        uint@UNIT@_t inputs = NT_READ(@WIDTH@, uint@UNIT@_t, code++);
        int32_t sum = 0;
@EDGES@@OUTPUT_SCALE@        sum += (int32_t)NT_READ(dword, int32_t, bias);
        if ((head & {OPENED}) != 0) {{
            sum += *--top;
        }}
        if ((head & {OUTPUT}) != 0) {{
            *y++ = sum;
            continue;
        }}
        sum = nt_scaled(sum, NT_READ(word, uint16_t, scale++));
@VALUE@        sum *= NT_READ(byte, int8_t, weight++);
        if ((head & {FIRST}) != 0) {{
            *top++ = sum;
        }} else {{
            top[-1] += sum;
        }}
    }}
}}

"""
# Parts of the interpreter: an output's sum in the units of fine values, and the ways from an index to a value.
OUTPUT_SCALE = f"        sum *= (head & {OUTPUT}) != 0 ? {FINE} : 1;\n"
FINE_OPEN = f"""        if ((head & {FINE_FLAG}) != 0) {{
            switch (head & {KIND}) {{
"""
FINE_ELSE = """            default: break;
            }
        } else {
"""
COARSE = """        sum = nt_clamp(sum, kind->low, 127);
        if (kind->table != 0) {
            sum = NT_READ(byte, int8_t, kind->table + (sum + 128));
        }
"""
OUTPUTS = """NT_CALL void nt_outputs(const @Q@ *q, int32_t *y)
{
    @NAME@_run(nt_code, nt_weight, nt_bias, nt_bias + @NODES@, nt_scale, nt_kinds, q, @ARRAYS@y);
@SCORES@}
"""
SCORES = """    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {
        y[k] = nt_scaled(y[k], NT_READ(word, uint16_t, nt_score_scale + k));
    }
"""
