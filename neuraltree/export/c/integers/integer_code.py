"""Integer C: the arithmetic of ``compress.int8.integer_tree``, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neuraltree.activations import NAMES
from neuraltree.compress.int8.lookup_tables import DOMAINS, FINE, KINDS, fine_table, table
from neuraltree.export.c.floats.float_code import filled, narrowest
from neuraltree.export.c.integers.float_stage import packed as packed
from neuraltree.export.c.parts import array
from neuraltree.export.head import FINE_FLAG, FIRST, KIND, OPENED, OUTPUT, flags
from neuraltree.export.order import Step, slots, steps

if TYPE_CHECKING:
    from neuraltree.compress.int8.integer_tree import IntegerTree

SHIFTS = "/* A right shift must round down, as it does with every compiler for these devices. */\n"
SHIFTS += "typedef char nt_shifts_downwards[(-3 >> 1) == -2 ? 1 : -1];\n"

# The clamp of an index t. It is left out if no input can make the index leave its range.
CLAMP = """NT_INLINE int32_t nt_clamp(int32_t t, int32_t low, int32_t high)
{
    return t < low ? low : t > high ? high : t;
}
"""
SCALED = """/* A sum times multiplier / 2^shift, rounded. */
NT_INLINE int32_t nt_scaled(int32_t sum, uint16_t scale)
{
    const int32_t shift = scale >> 11;
    return (sum * (2048 + (scale & 2047)) + ((int32_t)1 << (shift - 1))) >> shift;
}
"""
FINE_VALUE = """/* Interpolates between two entries of a table, by the last 8 bits of the index. */
NT_CALL int32_t nt_between(const int16_t *table, int32_t t)
{
    const int32_t low = NT_READ(word, int16_t, table + (t >> 8));
    const int32_t high = NT_READ(word, int16_t, table + (t >> 8) + 1);
    return low + (((high - low) * (t & 255) + 128) >> 8);
}
"""


def room(integers: IntegerTree) -> int:
    """The length of the array of integers: 1 if the tree reads no input, since C has no empty arrays."""
    return max(len(integers.inputs.features), 1)


class Leaves(NamedTuple):
    """What ``nt_outputs`` of straight code reads: its ``parameter``, and the ``texts`` of its inputs.

    ``base``: the number that stands for 0. ``late``: whether each input is read when the first node needs it.
    """

    parameter: str
    texts: tuple[str, ...]
    base: int = 0
    late: bool = False


def quantised(tree: IntegerTree) -> Leaves:
    """The integers that ``NAME_quantize`` made."""
    return Leaves("const int8_t *q", tuple(f"q[{i}]" for i in range(len(tree.inputs.features))))


def body(tree: IntegerTree, name: str, style: str, leaves: Leaves) -> tuple[str, str]:
    """Static definitions, and the text of ``NT_CALL void nt_outputs(const int8_t *q, int32_t *y)``, or in straight
    code with another first parameter, that of ``leaves``."""
    order = steps(tree.nodes)
    fine = {step.code for step in order if _is_fine(tree, step)}
    coarse = {step.code for step in order if step.slot >= 0 and not _is_fine(tree, step)}
    tables = [SHIFTS, CLAMP, SCALED]
    tables += [array("int8_t", f"nt_{NAMES[c]}", table(c).tolist()) for c in sorted(coarse) if DOMAINS[c]]
    tables += [array("int16_t", f"nt_fine_{NAMES[c]}", fine_table(c).tolist()) for c in sorted(fine) if DOMAINS[c]]
    tables += [FINE_VALUE] * any(DOMAINS[c] for c in fine)
    more, function = _straight(tree, order, leaves) if style == "straight" else _table(tree, order, name)
    return "\n".join([*tables, *([more] if more else [])]), function


def _is_fine(tree: IntegerTree, step: Step) -> bool:
    return tree.fine and tree.nodes["depth"][step.node] == 1


def _straight(tree: IntegerTree, order: list[Step], leaves: Leaves) -> tuple[str, str]:
    place = {feature: i for i, feature in enumerate(tree.inputs.features.tolist())}
    reading = [f"const int32_t q{i} = {text};" for i, text in enumerate(leaves.texts)]
    # An int may have 16 bits, so each input is made 32 bits wide.
    texts = [f"q{i}" if leaves.late else f"(int32_t){text}" for i, text in enumerate(leaves.texts)]
    lines, output, read = list[str](), 0, set[int]()
    for step in order:
        inputs = [place[int(tree.nodes["op"][leaf])] for leaf in step.leaves]
        if leaves.late:
            lines += [reading[i] for i in dict.fromkeys(inputs) if i not in read]
            read.update(inputs)
        total = total_text(tree, step, [texts[i] for i in inputs], leaves.base)
        if step.slot < 0:
            lines.append(f"y[{output}] = {_score(tree, output, total)};")
            output += 1
            continue
        lines += hidden_lines(tree, step, total, f"a{step.slot} {'=' if step.first else '+='}")
    names = ", ".join((["s"] if any(step.slot >= 0 for step in order) else []) + [f"a{i}" for i in range(slots(order))])
    declared = [f"int32_t {names};"] if names else []
    text = "\n".join(f"    {line}" for line in [*declared, *lines])
    unused = "" if place else f"    (void){leaves.parameter[-1]};\n"
    return "", f"NT_CALL void nt_outputs({leaves.parameter}, int32_t *y)\n{{\n{unused}{text}\n}}\n"


def hidden_lines(tree: IntegerTree, step: Step, total: str, into: str) -> list[str]:
    """The lines that make a hidden node's value of its sum ``total``; ``into`` is the start of the last statement."""
    index = f"((s * {tree.numbers.multiplier[step.node]} + {_half(tree, step)}) >> {tree.numbers.shift[step.node]})"
    value = _value(tree, step, index)
    return [f"s = {total};", f"{into} {tree.numbers.weight[step.node]} * {value};", "NT_FENCE;"]


def total_text(tree: IntegerTree, step: Step, inputs: list[str], base: int) -> str:
    """The C expression of a node's sum; ``inputs``: the texts of its leaves, which have ``base`` for 0."""
    weights = tree.numbers.weight[list(step.leaves)] * (FINE if tree.fine and step.slot < 0 else 1)
    terms = [f"a{step.own}"] * step.opened + [str(tree.numbers.bias[step.node] - base * weights.sum())]
    terms += [f"{weight} * {text}" for weight, text in zip(weights.tolist(), inputs, strict=True)]
    return " + ".join(terms).replace("+ -", "- ")


def _half(tree: IntegerTree, step: Step) -> int:
    return 1 << int(tree.numbers.shift[step.node] - 1)


def _score(tree: IntegerTree, output: int, total: str) -> str:
    """The C expression of an output's score: its sum, or for several classes its sum in their common scale."""
    stage = tree.outputs
    if stage.multiplier is None or stage.shift is None:
        return total
    shift = int(stage.shift[output])
    return f"(({total}) * {stage.multiplier[output]} + {1 << (shift - 1)}) >> {shift}"


def _value(tree: IntegerTree, step: Step, index: str) -> str:
    """The C expression of a node's value from the expression of its index."""
    kind, size = KINDS[step.code], FINE if _is_fine(tree, step) else 1
    numbers, name = tree.numbers, NAMES[step.code]
    low, high = kind.low * size, (kind.high + 1) * size - 1 if kind.domain else kind.high * size
    outside = numbers.index_low[step.node] < low or numbers.index_high[step.node] > high
    if kind.repeats:
        index = f"(({index} + {128 * size}) & {256 * size - 1})"
    else:
        index = f"nt_clamp({index}, {low}, {high})" if outside else index
        index = f"({index} + {128 * size})" if kind.domain else index
    if not kind.domain:
        return index
    if size > 1:
        return f"nt_between(nt_fine_{name}, {index})"
    return f"NT_READ(byte, int8_t, nt_{name} + {index})"


def table_values(tree: IntegerTree, order: list[Step]) -> tuple[list[int], list[int]]:
    """Codes and weights that the interpreter reads, of the nodes in order of evaluation."""
    place = {feature: i for i, feature in enumerate(tree.inputs.features.tolist())}
    numbers = tree.numbers
    codes: list[int] = []
    weights: list[int] = []
    for step in order:
        codes += [flags(step) + FINE_FLAG * _is_fine(tree, step), len(step.leaves)]
        codes += [place[int(tree.nodes["op"][leaf])] for leaf in step.leaves]
        weights += [int(numbers.weight[leaf]) for leaf in step.leaves]
        weights += [int(numbers.weight[step.node])] * (step.slot >= 0)
    return codes, weights


def _table(tree: IntegerTree, order: list[Step], name: str) -> tuple[str, str]:
    numbers = tree.numbers
    codes, weights = table_values(tree, order)
    hidden = [step.node for step in order if step.slot >= 0]
    unit = narrowest(codes)
    parts = [
        "/* Each node in order of evaluation: kind and flags, number of inputs, the inputs. */",
        array(f"uint{unit}_t", "nt_code", codes),
        "/* Each node: a weight per input, and the weight of its own value unless it is an output. */",
        array("int8_t", "nt_weight", weights or [0]),
        array("int32_t", "nt_bias", [int(numbers.bias[step.node]) for step in order]),
        "/* Each node but the outputs: shift << 11 | multiplier - 2048. */",
        array("uint16_t", "nt_scale", packed(numbers.multiplier[hidden], numbers.shift[hidden]) or [0]),
        *value_tables({step.code for step in order if step.slot >= 0 and not _is_fine(tree, step)}),
    ]
    stage = tree.outputs
    if stage.multiplier is not None and stage.shift is not None:
        parts.append("/* Each output: shift and multiplier to the scale that all outputs share. */")
        parts.append(array("uint16_t", "nt_score_scale", packed(stage.multiplier, stage.shift)))
    return "\n".join(parts), _interpreter(tree, order, unit, name)


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
    repeating = sorted(code for code in codes if KINDS[code].repeats)
    repeat = REPEAT.replace("@REPEATS@", " || ".join(f"(head & {KIND}) == {code}" for code in repeating))
    return COARSE.replace("@REPEAT@", repeat if repeating else "")


def _interpreter(tree: IntegerTree, order: list[Step], unit: int, name: str) -> str:
    hidden = [step for step in order if step.slot >= 0]
    value = coarse_value({step.code for step in hidden if not _is_fine(tree, step)})
    if tree.fine:
        cases = "".join(_fine_cases({step.code for step in hidden if _is_fine(tree, step)}))
        value = f"{FINE_OPEN}{cases}{FINE_ELSE}{value}        }}\n"
    text = INTERPRETER.replace("@OUTPUT_SCALE@", OUTPUT_SCALE if tree.fine else "").replace("@VALUE@", value)
    text = filled(text + OUTPUTS, name, unit, slots(order), len(order))
    scores = SCORES.replace("@COUNT@", str(tree.source.num_outputs)) if tree.outputs.multiplier is not None else ""
    return text.replace("@SCORES@", scores)


def _fine_cases(codes: set[int]) -> list[str]:
    """The cases of a switch from a fine index to a fine value."""
    return [f"            case {code}: sum = {_fine_value(code)}; break;\n" for code in sorted(codes)]


def _fine_value(code: int) -> str:
    kind, name = KINDS[code], NAMES[code]
    if kind.repeats:
        return f"nt_between(nt_fine_{name}, ((sum + {128 * FINE}) & {256 * FINE - 1}))"
    if not kind.domain:
        return f"nt_clamp(sum, {kind.low * FINE}, {kind.high * FINE})"
    return f"nt_between(nt_fine_{name}, nt_clamp(sum, {-128 * FINE}, {128 * FINE - 1}) + {128 * FINE})"


INTERPRETER = f"""void @NAME@_run(const uint@UNIT@_t *code, const int8_t *weight, const int32_t *bias,
                const int32_t *last, const uint16_t *scale, const struct nt_kind *kinds, const int8_t *q,
                int32_t *y);
NT_ALONE void @NAME@_run(const uint@UNIT@_t *code, const int8_t *weight, const int32_t *bias,
                         const int32_t *last, const uint16_t *scale, const struct nt_kind *kinds,
                         const int8_t *q, int32_t *y)
{{
    int32_t waiting[@SLOTS@];
    int32_t *top = waiting;
    NT_LOOP
    for (; bias != last; ++bias) {{
        const uint@UNIT@_t head = NT_READ(@WIDTH@, uint@UNIT@_t, code++);
        const struct nt_kind *kind = kinds + (head & {KIND});
        uint@UNIT@_t inputs = NT_READ(@WIDTH@, uint@UNIT@_t, code++);
        int32_t sum = 0;
        NT_LOOP
        for (; inputs != 0; --inputs) {{
            sum += (int32_t)NT_READ(byte, int8_t, weight++) * q[NT_READ(@WIDTH@, uint@UNIT@_t, code++)];
        }}
@OUTPUT_SCALE@        sum += (int32_t)NT_READ(dword, int32_t, bias);
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
COARSE = """@REPEAT@        sum = nt_clamp(sum, kind->low, 127);
        if (kind->table != 0) {
            sum = NT_READ(byte, int8_t, kind->table + (sum + 128));
        }
"""
REPEAT = """        if (@REPEATS@) {
            sum = ((sum + 128) & 255) - 128;
        }
"""
OUTPUTS = """NT_CALL void nt_outputs(const int8_t *q, int32_t *y)
{
    @NAME@_run(nt_code, nt_weight, nt_bias, nt_bias + @NODES@, nt_scale, nt_kinds, q, y);
@SCORES@}
"""
SCORES = """    NT_LOOP
    for (int k = 0; k < @COUNT@; ++k) {
        y[k] = nt_scaled(y[k], NT_READ(word, uint16_t, nt_score_scale + k));
    }
"""
