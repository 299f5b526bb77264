"""C that reads all constants of a model through one pointer, and checks a block before it is used."""

from __future__ import annotations

import numpy as np

from neuraltree.activations import NAMES
from neuraltree.compress.int8.lookup_tables import DOMAINS, table
from neuraltree.export.c.argument import Argument
from neuraltree.export.c.code import Code
from neuraltree.export.c.constants.block import block_of, initialiser
from neuraltree.export.c.constants.layout import MAGIC, VERSION, Layout, enum, layout_of
from neuraltree.export.c.decisions import answer, largest, probabilities
from neuraltree.export.c.floats import float_code
from neuraltree.export.c.integers import float_stage, integer_code, integer_table
from neuraltree.export.c.integers.integer_library import LOGITS, SHARE
from neuraltree.export.c.parts import EXP, array, float_functions
from neuraltree.tree.tree import Tree

ALL = range(len(NAMES))  # a later model may have other activations than the first


def block_library(tree: Tree, argument: Argument, precision: str) -> Code:
    """The code of a tree with replaceable constants, for arrays of floats."""
    name, layout = argument.name, layout_of(tree, precision)
    block = block_of(tree, layout)
    parts = _integers(tree, name, layout) if layout.bits == 8 else _floats(tree, name, layout)
    declared = [(CHECK_TEXT, f"int {name}_check_constants(const void *block)")]
    declared += [(USE_TEXT, f"void {name}_use_constants(const struct {name}_constants *block)")]
    return Code(
        "",
        f"{enum(layout, name)}\n{_struct(layout, name)}\n{_results(name)}",
        declared,
        [_built_in(block, layout, name), *parts],
        [*_entries(tree, argument, layout), _check(name)],
    )


def _struct(layout: Layout, name: str) -> str:
    stage = STAGE.replace("@NAME@", name) if layout.bits == 8 else ""
    rows = [f"    {f.kind} {f.name}{f'[{f.length}]' if f.length else ''};" for f in layout.fields(name)]
    return "\n".join([f"{stage}{STRUCT_TEXT}\nstruct {name}_constants {{", *rows, "};\n"])


STRUCT_TEXT = "/* All constants of a model. In a file they are little-endian and lie as in this struct. */"
STAGE = """struct @NAME@_stage {
    int32_t zero;
    uint16_t scale;
    int8_t power;
    uint8_t place;
};
"""
CHECK_TEXT = """/* Whether a block, aligned as the struct, can be used: one of the numbers above. On AVR it is in flash.
   The checksum finds damage, not intent. */"""
USE_TEXT = "/* Predict with another block, which must stay where it is, or with the first one again if it is 0. */"
RESULTS = ("FITS", "UNKNOWN", "OTHER_VERSION", "OTHER_PROGRAM", "DAMAGED")


def _results(name: str) -> str:
    rows = ",\n".join(f"    {name.upper()}_CONSTANTS_{result} = {i}" for i, result in enumerate(RESULTS))
    return f"/* What {name}_check_constants returns. */\nenum {{\n{rows}\n}};\n"


def _built_in(block: np.ndarray, layout: Layout, name: str) -> str:
    rows = [f"    {initialiser(block[()][field.name])}, /* {field.name} */" for field in layout.fields(name)]
    rows = [row if len(row) < 120 else row.replace(", ", ",\n     ") for row in rows]
    text = "\n".join([f"static const struct {name}_constants nt_built_in NT_FLASH = {{", *rows, "};"])
    size = layout.dtype().itemsize
    return (
        f"typedef char nt_no_gaps[sizeof(struct {name}_constants) == {size} ? 1 : -1];\n{text}\n"
        f"static const struct {name}_constants *nt_now = &nt_built_in;\n"
        "#define NT_NOW(width, type, field) NT_READ(width, type, &nt_now->field)\n"
    )


def _floats(tree: Tree, name: str, layout: Layout) -> list[str]:
    centre = np.zeros(1) if layout.centred else None
    text = float_code.interpreter(centre) + FLOAT_OUTPUTS
    return [
        float_functions(ALL, exp=True),
        float_code.kind_table(set(ALL)),
        float_code.filled(text, name, 8, layout.waiting, layout.nodes),
    ]


FLOAT_OUTPUTS = """NT_CALL void nt_outputs(const float *x, float *y)
{
    @NAME@_run(nt_now->code, nt_now->weight, nt_now->bias, nt_now->bias + NT_NOW(word, uint16_t, nodes), nt_kinds, x,
               y);
}
"""


def _integers(tree: Tree, name: str, layout: Layout) -> list[str]:
    tables = [array("int8_t", f"nt_{NAMES[code]}", table(code).tolist()) for code in ALL if DOMAINS[code]]
    text = integer_table.interpreter().replace("@OUTPUT_SCALE@", "").replace("@Q@", "int8_t")
    text = text.replace("@VALUE@", integer_table.coarse_value(set(ALL))) + INTEGER_OUTPUTS
    scores = integer_table.SCORES.replace("nt_score_scale", "nt_now->score_scale") if tree.num_outputs > 1 else ""
    text = text.replace("@SCORES@", scores).replace("@COUNT@", str(tree.num_outputs))
    return [
        EXP if tree.classes is not None else "",
        integer_code.SHIFTS,
        integer_code.CLAMP,
        integer_code.SCALED,
        *tables,
        *integer_table.value_tables(set(ALL)),
        float_stage.INTEGER.replace("struct nt_input", f"struct {name}_stage"),
        float_code.filled(text, name, 8, layout.waiting, layout.nodes).replace("@FEATURES@", str(layout.features)),
    ]


INTEGER_OUTPUTS = """NT_CALL void nt_outputs(const float *x, int32_t *y)
{
    int8_t q[@FEATURES@];
    const struct @NAME@_stage *input = nt_now->input;
    const uint16_t inputs = NT_NOW(word, uint16_t, inputs);
    NT_LOOP
    for (uint16_t i = 0; i < inputs; ++i, ++input) {
        q[i] = nt_integer(x[NT_READ(byte, uint8_t, &input->place)], input);
    }
    @NAME@_run(nt_now->code, nt_now->weight, nt_now->bias, nt_now->bias + NT_NOW(word, uint16_t, nodes),
               nt_now->scale, nt_kinds, q, y);
@SCORES@}

NT_INLINE float nt_value(int32_t score)
{
    return (float)((score >> NT_NOW(word, uint16_t, drop)) + (int32_t)NT_NOW(dword, int32_t, offset))
        * NT_NOW(float, float, gain);
}
"""


def _entries(tree: Tree, argument: Argument, layout: Layout) -> list[str]:
    name, count, is_integer = argument.name, tree.num_outputs, layout.bits == 8
    number = "int32_t" if is_integer else "float"
    kind = "float" if tree.classes is None else "int"
    run = "    nt_outputs(x, y);\n"
    threshold = "(int32_t)NT_NOW(dword, int32_t, threshold)" if is_integer else "NT_NOW(float, float, threshold)"
    found = "nt_value(y[0])" if tree.classes is None and is_integer else answer(tree, name, threshold)
    body = f"    {number} y[{count}];\n{run}    return {found};\n"
    entries = [largest(name, number)] if tree.kind == "multiclass" else []
    entries.append(f"NT_PUBLIC {kind} {name}_predict({argument.parameter})\n{{\n{body}}}\n")
    if tree.classes is not None:
        scores = f"    int32_t scores[{count}];\n    nt_outputs(x, scores);\n"
        logits = scores + LOGITS.format(count=count, value="nt_value(scores[k])")
        entries.append(
            probabilities(tree, argument, run=logits if is_integer else run, share=SHARE if is_integer else "y[k]")
        )
    return entries


def _check(name: str) -> str:
    text = CHECK.replace("@NAME@", name).replace("@UPPER@", name.upper())
    return text.replace("@MAGIC@", f"UINT32_C({MAGIC})").replace("@VERSION@", str(VERSION))


CHECK = """/* The CRC-32 of Ethernet and zlib, bit by bit: a table would cost 1 KB. */
NT_CALL uint32_t nt_checksum(const uint8_t *byte, uint32_t count)
{
    uint32_t crc = UINT32_C(0xffffffff);
    NT_LOOP
    for (; count != 0; --count) {
        crc ^= NT_READ(byte, uint8_t, byte++);
        NT_LOOP
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1u) != 0 ? UINT32_C(0xedb88320) : 0u);
        }
    }
    return ~crc;
}

NT_PUBLIC int @NAME@_check_constants(const void *block)
{
    const struct @NAME@_constants *new_one = (const struct @NAME@_constants *)block;
    if (NT_READ(dword, uint32_t, &new_one->magic) != @MAGIC@) {
        return @UPPER@_CONSTANTS_UNKNOWN;
    }
    if (NT_READ(word, uint16_t, &new_one->version) != @VERSION@) {
        return @UPPER@_CONSTANTS_OTHER_VERSION;
    }
    if (NT_READ(dword, uint32_t, &new_one->interface) != @UPPER@_INTERFACE
        || NT_READ(dword, uint32_t, &new_one->size) != sizeof *new_one) {
        return @UPPER@_CONSTANTS_OTHER_PROGRAM;
    }
    return nt_checksum((const uint8_t *)block + 8, sizeof *new_one - 8) == NT_READ(dword, uint32_t, &new_one->crc)
        ? @UPPER@_CONSTANTS_FITS : @UPPER@_CONSTANTS_DAMAGED;
}

NT_PUBLIC void @NAME@_use_constants(const struct @NAME@_constants *block)
{
    nt_now = block != 0 ? block : &nt_built_in;
}
"""
