"""Integer code whose inputs are integers, or some of them: each becomes 8 bits where straight code first needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuraltree.compress.byte_inputs import ZERO, ByteStage
from neuraltree.compress.int8.lookup_tables import UNIT
from neuraltree.compress.int8.stages import InputStage, MixedStage
from neuraltree.export.c.columns.column_code import expression, float_sine, functions, uses_sine
from neuraltree.export.c.integers import integer_code, integer_table
from neuraltree.export.c.integers.exit_code import exit_function
from neuraltree.export.c.integers.float_stage import TOLD, Places, places_of, table_of_floats
from neuraltree.export.c.integers.inline_inputs import LIMITS, integer_texts
from neuraltree.export.c.parts import array

if TYPE_CHECKING:
    from neuraltree.compress.exits.early_exit import EarlyExit
    from neuraltree.compress.int8.integer_tree import IntegerTree
    from neuraltree.export.c.argument import Argument
    from neuraltree.export.needed import Read

FLOAT = """/* The integer of a float, plus 127. */
NT_CALL int32_t nt_float_integer(float value, const struct nt_input *input)
{
    return nt_integer(value, input) + 127;
}
"""


def integer_body(
    tree: IntegerTree, argument: Argument, style: str, reads: Sequence[Read]
) -> tuple[list[str], list[str]]:
    """Parts of the source up to ``nt_outputs``, and the lines that fill the scores ``y`` from ``x``.

    ``reads``: what each used input is if the code takes columns.
    """
    if style != "straight" and isinstance(tree.inputs, ByteStage) and not reads:
        leaves = integer_code.Leaves(argument.parameter, (), ZERO, raw=True)
        return list(integer_table.body(tree, argument.name, style, leaves)), ["nt_outputs(x, y);"]
    parts, texts, zero = input_texts(tree, argument, reads)
    if style == "straight":
        base = 0 if tree.fine else zero  # 16-bit values are too large to have another zero
        shown = tuple(texts if base else (f"({text}) - {zero}" for text in texts))
        leaves = integer_code.Leaves(argument.parameter, shown, base, late=True)
        definitions, outputs = integer_table.body(tree, argument.name, style, leaves)
        return [definitions, *parts, outputs], ["nt_outputs(x, y);"]
    definitions, outputs = integer_table.body(tree, argument.name, style, integer_code.quantised(tree))
    convert = _loop(tree, argument) if _alike(tree, argument, reads) else _each(argument, texts, zero)
    lines = [f"int8_t q[{integer_code.room(tree)}];", "nt_convert(x, q);", "nt_outputs(q, y);"]
    return [definitions, *parts, convert, outputs], lines


def exit_part(exits: EarlyExit, argument: Argument, reads: Sequence[Read]) -> list[str]:
    """``nt_decide``, for code that has the tables and functions of its inputs already; and ``nt_decide_q``, from what
    ``NAME_quantize`` made."""
    tree = exits.tree
    if not isinstance(tree.inputs, InputStage):
        _, texts, zero = input_texts(tree, argument, reads)
        before, of_integers = list[str](), list[str]()
    else:
        used = tree.inputs.features.tolist()
        values = [expression(r, argument) for r in reads] if reads else [argument.places[i] for i in used]
        before, texts, zero = [FLOAT] * bool(values), _float_texts(values), UNIT
        of_integers = [exit_function(exits, integer_code.quantised(tree), "nt_decide_q")]
    leaves = integer_code.Leaves(argument.parameter, tuple(texts), zero)
    return [*before, *of_integers, exit_function(exits, leaves, "nt_decide")]


def _float_texts(values: Sequence[str]) -> list[str]:
    return [f"nt_float_integer({value}, nt_inputs + {i})" for i, value in enumerate(values)]


def _alike(tree: IntegerTree, argument: Argument, reads: Sequence[Read]) -> bool:
    """Whether one loop can convert the inputs: they lie in an array."""
    return len(tree.inputs.features) > 0 and not argument.is_struct and not reads


class Texts(NamedTuple):
    """Functions and tables, and for each used input the C expression of its 8-bit number plus ``zero``."""

    parts: list[str]
    shown: list[str]
    zero: int


def input_texts(tree: IntegerTree, argument: Argument, reads: Sequence[Read]) -> Texts:
    """The texts of a tree that takes integers, or some of them."""
    stage = tree.inputs
    used = stage.features.tolist()
    if reads:
        values = {feature: expression(read, argument) for feature, read in zip(used, reads, strict=True)}
    else:
        values = {feature: argument.places[feature] for feature in used}
    if isinstance(stage, ByteStage):
        return Texts(column_functions(reads, argument), [values[feature] for feature in used], ZERO)
    assert isinstance(stage, MixedStage)
    integers, floats = (part.features.tolist() for part in (stage.integers, stage.floats))
    texts = dict(zip(integers, integer_texts(stage.integers, [values[feature] for feature in integers]), strict=True))
    texts |= dict(zip(floats, _float_texts([values[feature] for feature in floats]), strict=True))
    parts = [*table_of_floats(stage.floats, Places([0] * len(floats), "place", 8, "")), FLOAT] if floats else []
    return Texts([LIMITS, *column_functions(reads, argument), *parts], [texts[feature] for feature in used], UNIT)


def column_functions(reads: Sequence[Read], argument: Argument) -> list[str]:
    """What the expressions of columns call. The sine of floats has a name of its own, as ``nt_sine`` is a table of
    integers."""
    sine = [float_sine()] if uses_sine(reads) else []
    return [apart(text) for text in (*sine, *functions(reads, argument))]


def apart(text: str) -> str:
    """A text of C with another name for the sine of floats."""
    return text.replace("nt_sine(", "nt_float_sine(").replace("As nt_sine", "As nt_float_sine")


def _each(argument: Argument, texts: Sequence[str], zero: int) -> str:
    """``nt_convert`` with a line for each input."""
    body = "\n".join(f"    q[{i}] = (int8_t)(({text}) - {zero});" for i, text in enumerate(texts))
    nothing = "    (void)x;\n    q[0] = 0;"
    return f"NT_CALL void nt_convert({argument.parameter}, int8_t *q)\n{{\n{body or nothing}\n}}\n"


def _loop(tree: IntegerTree, argument: Argument) -> str:
    """``nt_convert`` as a loop over a table of the inputs."""
    assert isinstance(tree.inputs, MixedStage)
    stage = tree.inputs.integers
    places = places_of(stage.features.tolist())
    columns = (stage.offset, stage.multiplier, stage.shift, np.array(places.values))
    rows = ["{" + ", ".join(map(str, row)) + "}" for row in zip(*(part.tolist() for part in columns), strict=True)]
    marks = {
        "@UNIT@": str(places.unit),
        "@FIELD@": places.field,
        "@TOLD@": TOLD[places.field],
        "@READ@": places.read,
        "@TYPE@": argument.c_type,
        "@COUNT@": str(len(rows)),
        "@TABLE@": array("struct nt_input", "nt_inputs", rows),
    }
    text = LOOP
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


LOOP = """/* Each input: what is added to the product, its factor, the shift, its @TOLD@. */
struct nt_input {
    int32_t offset;
    uint8_t factor;
    uint8_t shift;
    uint@UNIT@_t @FIELD@;
};

@TABLE@
NT_CALL void nt_convert(const @TYPE@ *x, int8_t *q)
{
    NT_LOOP
    for (const struct nt_input *input = nt_inputs; input != nt_inputs + @COUNT@; ++input) {
        const int32_t value = @READ@;
        const int32_t product = value * NT_READ(byte, uint8_t, &input->factor);
        const int32_t moved = product + (int32_t)NT_READ(dword, int32_t, &input->offset);
        *q++ = (int8_t)nt_clamp(moved >> NT_READ(byte, uint8_t, &input->shift), -127, 127);
    }
}
"""
