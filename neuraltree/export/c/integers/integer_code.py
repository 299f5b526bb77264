"""Integer C: the arithmetic of ``compress.int8.integer_tree``, bit for bit; straight code, and what tables share.

``integer_table.body`` gives either style.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neuraltree.activations import NAMES
from neuraltree.activations.kind import Integers
from neuraltree.compress.int8.lookup_tables import FINE, KINDS
from neuraltree.export.order import Step, slots

if TYPE_CHECKING:
    from neuraltree.compress.int8.integer_tree import IntegerTree
    from neuraltree.tree.nodes import IntArray

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
    ``raw``: table code reads raw bytes, in place of integers that were made of the used inputs.
    """

    parameter: str
    texts: tuple[str, ...]
    base: int = 0
    late: bool = False
    raw: bool = False


def quantised(tree: IntegerTree) -> Leaves:
    """The integers that ``NAME_quantize`` made."""
    return Leaves("const int8_t *q", tuple(f"q[{i}]" for i in range(len(tree.inputs.features))))


def is_fine(tree: IntegerTree, step: Step) -> bool:
    """Whether the value of a node has 16 bits."""
    return tree.fine and bool(tree.nodes["depth"][step.node] == 1)


def straight_code(tree: IntegerTree, order: list[Step], leaves: Leaves) -> str:
    """The text of ``nt_outputs``, see ``integer_table.body``."""
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
    return f"NT_CALL void nt_outputs({leaves.parameter}, int32_t *y)\n{{\n{unused}{text}\n}}\n"


def hidden_lines(tree: IntegerTree, step: Step, total: str, into: str) -> list[str]:
    """The lines that make a hidden node's value of its sum ``total``; ``into`` is the start of the last statement."""
    index = f"((s * {tree.numbers.multiplier[step.node]} + {_half(tree, step)}) >> {tree.numbers.shift[step.node]})"
    value = _value(tree, step, index)
    return [f"s = {total};", f"{into} {tree.numbers.weight[step.node]} * {value};", "NT_FENCE;"]


def total_text(tree: IntegerTree, step: Step, inputs: list[str], base: int) -> str:
    """The C expression of a node's sum; ``inputs``: the texts of its leaves, which have ``base`` for 0."""
    weights = _leaf_weights(tree, step)
    terms = [f"a{step.own}"] * step.opened + [str(bias_of(tree, step, base))]
    terms += [f"{weight} * {text}" for weight, text in zip(weights.tolist(), inputs, strict=True)]
    return " + ".join(terms).replace("+ -", "- ")


def bias_of(tree: IntegerTree, step: Step, base: int) -> int:
    """The bias of a node whose inputs have ``base`` for 0."""
    return int(tree.numbers.bias[step.node] - base * _leaf_weights(tree, step).sum())


def _leaf_weights(tree: IntegerTree, step: Step) -> IntArray:
    """The weights of a node's inputs, in the units of its bias."""
    return tree.numbers.weight[list(step.leaves)] * (FINE if tree.fine and step.slot < 0 else 1)


def _half(tree: IntegerTree, step: Step) -> int:
    return 1 << int(tree.numbers.shift[step.node] - 1)


def _score(tree: IntegerTree, output: int, total: str) -> str:
    """The C expression of an output's score: its sum, or for several classes its sum in their common scale."""
    stage = tree.outputs
    if stage.multiplier is None or stage.shift is None:
        return total
    shift = int(stage.shift[output])
    return f"(({total}) * {stage.multiplier[output]} + {1 << (shift - 1)}) >> {shift}"


def jumping_value(total: str, kind: Integers, size: int) -> str:
    """The C expression of the value of a kind that jumps; ``size``: ``FINE`` for 16 bits."""
    return f"({total} < 0 ? {kind.low * size} : {kind.high * size})"


def _value(tree: IntegerTree, step: Step, index: str) -> str:
    """The C expression of a node's value from the expression of its index."""
    kind, size = KINDS[step.code], FINE if is_fine(tree, step) else 1
    if kind.jumps:
        return jumping_value("s", kind, size)
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
