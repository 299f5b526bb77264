"""Integer C: the arithmetic of ``compress.integer_tree``, bit for bit."""

from __future__ import annotations

from neuraltree.activations import NAMES
from neuraltree.compress.integer_tree import IntegerTree
from neuraltree.compress.tables import DOMAINS, FINE, KINDS, SINE, fine_table, table
from neuraltree.export.c_float import FIRST, OPENED, OUTPUT, flags, narrowest
from neuraltree.export.order import Step, slots, steps
from neuraltree.export.parts import array

SHIFTS = "/* Sums are halved downwards, as every compiler for these devices does it. */\n"
SHIFTS += "typedef char nt_shifts_downwards[(-3 >> 1) == -2 ? 1 : -1];\n"

# From the index t, after its kind's clamp, to a value. A clamp is left out where no input can reach it.
CLAMP = """NT_INLINE int32_t nt_clamp(int32_t t, int32_t low, int32_t high)
{
    return t < low ? low : t > high ? high : t;
}
"""
FINE_VALUE = """/* Between two entries of a table, by the last 8 bits of the index. */
NT_CALL int32_t nt_between(const int16_t *table, int32_t t)
{
    const int32_t low = NT_READ(word, int16_t, table + (t >> 8));
    const int32_t high = NT_READ(word, int16_t, table + (t >> 8) + 1);
    return low + (((high - low) * (t & 255) + 128) >> 8);
}
"""


def body(tree: IntegerTree, style: str) -> tuple[str, str]:
    """Static definitions, and the text of ``static void nt_outputs(const int8_t *q, int32_t *y)``."""
    order = steps(tree.nodes)
    fine = {step.code for step in order if _is_fine(tree, step)}
    coarse = {step.code for step in order if step.slot >= 0 and not _is_fine(tree, step)}
    tables = [SHIFTS, CLAMP]
    tables += [array("int8_t", f"nt_{NAMES[c]}", table(c).tolist()) for c in sorted(coarse) if DOMAINS[c]]
    tables += [array("int16_t", f"nt_fine_{NAMES[c]}", fine_table(c).tolist()) for c in sorted(fine) if DOMAINS[c]]
    tables += [FINE_VALUE] * any(DOMAINS[c] for c in fine)
    more, function = (_straight if style == "straight" else _table)(tree, order)
    return "\n".join([*tables, *([more] if more else [])]), function


def _is_fine(tree: IntegerTree, step: Step) -> bool:
    return tree.fine and tree.nodes["depth"][step.node] == 1


def _straight(tree: IntegerTree, order: list[Step]) -> tuple[str, str]:
    place = {feature: i for i, feature in enumerate(tree.inputs.features.tolist())}
    declared = [f"const int32_t q{i} = q[{i}];" for i in range(len(place))]
    lines, output = [], 0
    for step in order:
        size = FINE if tree.fine and step.slot < 0 else 1
        terms = [f"a{step.own}"] * step.opened + [str(tree.numbers.bias[step.node])]
        terms += [f"{tree.numbers.weight[leaf] * size} * q{place[int(tree.nodes['op'][leaf])]}" for leaf in step.leaves]
        total = " + ".join(terms).replace("+ -", "- ")
        if step.slot < 0:
            lines.append(f"y[{output}] = {_score(tree, output, total)};")
            output += 1
            continue
        lines.append(f"s = {total};")
        value = _value(
            tree,
            step,
            f"((s * {tree.numbers.multiplier[step.node]} + {_half(tree, step)}) >> {tree.numbers.shift[step.node]})",
        )
        lines.append(f"a{step.slot} {'=' if step.first else '+='} {tree.numbers.weight[step.node]} * {value};")
    names = ", ".join((["s"] if any(step.slot >= 0 for step in order) else []) + [f"a{i}" for i in range(slots(order))])
    declared += [f"int32_t {names};"] if names else []
    text = "\n".join(f"    {line}" for line in [*declared, *lines])
    unused = "" if place else "    (void)q;\n"
    return "", f"static void nt_outputs(const int8_t *q, int32_t *y)\n{{\n{unused}{text}\n}}\n"


def _half(tree: IntegerTree, step: Step) -> int:
    return 1 << int(tree.numbers.shift[step.node] - 1)


def _score(tree: IntegerTree, output: int, total: str) -> str:
    """The score of an output from its sum: the sum, or one scale for all classes."""
    stage = tree.outputs
    if stage.multiplier is None or stage.shift is None:
        return total
    shift = int(stage.shift[output])
    return f"(({total}) * {stage.multiplier[output]} + {1 << (shift - 1)}) >> {shift}"


def _value(tree: IntegerTree, step: Step, index: str) -> str:
    """The C expression of a node's value from that of its index."""
    kind, size = KINDS[step.code], FINE if _is_fine(tree, step) else 1
    numbers, name = tree.numbers, NAMES[step.code]
    low, high = kind.low * size, (kind.high + 1) * size - 1 if kind.domain else kind.high * size
    outside = numbers.index_low[step.node] < low or numbers.index_high[step.node] > high
    if step.code == SINE:
        index = f"(({index} + {128 * size}) & {256 * size - 1})"
    else:
        index = f"nt_clamp({index}, {low}, {high})" if outside else index
        index = f"({index} + {128 * size})" if kind.domain else index
    if not kind.domain:
        return index
    if size > 1:
        return f"nt_between(nt_fine_{name}, {index})"
    return f"NT_READ(byte, int8_t, nt_{name} + {index})"


def _table(tree: IntegerTree, order: list[Step]) -> tuple[str, str]:
    place = {feature: i for i, feature in enumerate(tree.inputs.features.tolist())}
    numbers = tree.numbers
    codes: list[int] = []
    weights: list[int] = []
    for step in order:
        codes += [flags(step) + FINE_FLAG * _is_fine(tree, step), len(step.leaves)]
        codes += [place[int(tree.nodes["op"][leaf])] for leaf in step.leaves]
        weights += [int(numbers.weight[leaf]) for leaf in step.leaves]
        weights += [int(numbers.weight[step.node])] * (step.slot >= 0)
    scales = [int((numbers.shift[s.node] << 11) | (numbers.multiplier[s.node] - 2048)) for s in order if s.slot >= 0]
    unit = narrowest(codes)
    parts = [
        "/* Each node in order of evaluation: kind and flags, number of inputs, the inputs. */",
        array(f"uint{unit}_t", "nt_code", codes),
        "/* Each node: a weight per input, and the weight of its own value unless it is an output. */",
        array("int8_t", "nt_weight", weights) if weights else "",
        array("int32_t", "nt_bias", [int(numbers.bias[step.node]) for step in order]),
        "/* Each node but the outputs: shift << 11 | multiplier - 2048. */" if scales else "",
        array("uint16_t", "nt_scale", scales) if scales else "",
        _score_tables(tree),
    ]
    return "\n".join(part for part in parts if part), _interpreter(tree, order, unit, bool(weights))


FINE_FLAG = 64


def _score_tables(tree: IntegerTree) -> str:
    stage = tree.outputs
    if stage.multiplier is None or stage.shift is None:
        return ""
    packed = [int((s << 11) | (m - 2048)) for m, s in zip(stage.multiplier, stage.shift, strict=True)]
    return "/* Each output's, to one scale for all. */\n" + array("uint16_t", "nt_score_scale", packed)


def _interpreter(tree: IntegerTree, order: list[Step], unit: int, weighted: bool) -> str:
    width = {8: "byte", 16: "word"}[unit]
    inner = any(step.slot >= 0 for step in order)
    scored = tree.outputs.multiplier is not None
    fine_inputs = " * (output != 0 ? 256 : 1)" if tree.fine else ""
    read = "NT_READ(byte, int8_t, weight++)"
    lines = [
        f"int32_t waiting[{max(slots(order), 1)}];" if inner else "",
        "int32_t *top = waiting;" if inner else "",
        f"const uint{unit}_t *code = nt_code;",
        "const int8_t *weight = nt_weight;" if weighted else "",
        "const uint16_t *scale = nt_scale;" if inner else "",
        "const uint16_t *score_scale = nt_score_scale;" if scored else "",
        "int_fast16_t node;",
        f"for (node = 0; node < {len(order)}; ++node) {{",
        f"    const uint{unit}_t head = NT_READ({width}, uint{unit}_t, code++);",
        f"    uint{unit}_t inputs = NT_READ({width}, uint{unit}_t, code++);",
        f"    const int output = (head & {OUTPUT}) != 0;" if tree.fine else "",
        "    int32_t sum = (int32_t)NT_READ(dword, int32_t, nt_bias + node);",
        f"    if ((head & {OPENED}) != 0) {{\n            sum += *--top;\n        }}" if inner else "",
    ]
    if weighted:
        lines += [
            "    for (; inputs != 0; --inputs) {",
            f"        sum += (int32_t){read} * q[NT_READ({width}, uint{unit}_t, code++)]{fine_inputs};",
            "    }",
        ]
    else:
        lines += ["    (void)inputs;"]
    store = "*y++ = nt_scaled(sum, NT_READ(word, uint16_t, score_scale++));" if scored else "*y++ = sum;"
    if inner:
        lines += [f"    if ((head & {OUTPUT}) != 0) {{", f"        {store}", "        continue;", "    }"]
        lines += ["    sum = nt_scaled(sum, NT_READ(word, uint16_t, scale++));"]
        lines += _dispatch(tree, order)
        lines += [f"    sum *= {read};"]
        lines += [f"    if ((head & {FIRST}) != 0) {{", "        *top++ = sum;", "    } else {"]
        lines += ["        top[-1] += sum;", "    }"]
    else:
        lines += ["    (void)head;", f"    {store}"]
    lines += ["}"]
    text = "\n".join(f"    {line}" for line in lines if line)
    unused = "" if weighted else "    (void)q;\n"
    scaled = NT_SCALED if inner or scored else ""
    return f"{scaled}static void nt_outputs(const int8_t *q, int32_t *y)\n{{\n{unused}{text}\n}}\n"


NT_SCALED = """NT_INLINE int32_t nt_scaled(int32_t sum, uint16_t scale)
{
    const int32_t shift = scale >> 11;
    return (sum * (2048 + (scale & 2047)) + ((int32_t)1 << (shift - 1))) >> shift;
}

"""


def _dispatch(tree: IntegerTree, order: list[Step]) -> list[str]:
    """The switch from an index to a value over the kinds in use."""
    cases = sorted({(step.code + FINE_FLAG * _is_fine(tree, step)) for step in order if step.slot >= 0})
    lines = [f"    switch (head & {7 + FINE_FLAG if tree.fine else 7}) {{"]
    for case in cases:
        code, fine = case & 7, case >= FINE_FLAG
        lines += [f"    case {case}: sum = {_general_value(code, FINE if fine else 1)}; break;"]
    return [*lines, "    default: break;", "    }"]


def _general_value(code: int, size: int) -> str:
    """The C expression of a value from the index in ``sum``, for any index."""
    kind, name = KINDS[code], NAMES[code]
    low, high = kind.low * size, (kind.high + 1) * size - 1 if kind.domain else kind.high * size
    index = f"nt_clamp(sum, {low}, {high})"
    if not kind.domain:
        return index
    index = f"((sum + {128 * size}) & {256 * size - 1})" if code == SINE else f"({index} + {128 * size})"
    return f"nt_between(nt_fine_{name}, {index})" if size > 1 else f"NT_READ(byte, int8_t, nt_{name} + {index})"
