"""A tree as C99: a header, a source, and a program that checks them.

The C uses no heap, no recursion and no library. The same tree always gives the same text.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neuraltree.compress.exits.early_exit import EarlyExit, early_exit_of
from neuraltree.compress.formats import HALVES, PRECISIONS, InputSpec, c_format, check_style
from neuraltree.compress.input_types import in_units
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.compress.narrow.with_format import with_weight_format
from neuraltree.export.c.argument import Argument, argument_of, narrowed, sources_of
from neuraltree.export.c.code import Code
from neuraltree.export.c.columns.column_code import check
from neuraltree.export.c.constants.block_code import block_library
from neuraltree.export.c.decisions import band, rule
from neuraltree.export.c.floats.float_library import float_library
from neuraltree.export.c.header_inputs import check_declaration, enum_text, input_positions
from neuraltree.export.c.integers.integer_library import integer_library
from neuraltree.export.c.parts import FLASH, MACROS
from neuraltree.export.c.self_test import test_files
from neuraltree.export.names import check_name, comment
from neuraltree.export.needed import needed, reads
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree


def export_c(
    tree: Tree,
    name: str = "model",
    *,
    precision: str = "float32",
    style: str = "straight",
    fine: bool = False,
    inputs: InputSpec = "float32",
    constants: bool = False,
    early_exit: bool = False,
    scores: bool = False,
) -> dict[str, str]:
    """The texts of the files by file name.

    ``precision``: one of ``formats.C_PRECISIONS``; int4 and the like are int8 code with weights of fewer bits, fp16 and
    bf16 float32 table code with weights of two bytes, the nearest to those of float32 code.
    ``style``: "straight" code, a "table" read by an interpreter, or one whose edges are
    "coded", in fewer bits (integers only). ``fine``: 16-bit values for the children of a
    regression's output (integers only). ``constants``: the numbers of the model are one block that a program can
    replace (table style, floats as inputs). ``early_exit``: ``NAME_predict`` stops as soon as no other class is
    possible (classes in integers, straight style). ``scores``: with ``NAME_scores``, for classes. ``ValueError`` for
    anything that C cannot express; the message says what it can.
    """
    row = c_format(precision)
    check_style(style, precision)
    if fine and not row.is_integer:
        raise ValueError("16-bit values are an option of int8 code; floats need none")
    check_name(name)
    refuse_several_targets(tree.kind, tree.num_outputs, "C export")
    with np.errstate(all="ignore"):  # a number that overflows is refused where it would be written
        inputs = narrowed(tree, inputs)
        tree = needed(tree)
        argument = argument_of(tree, name, inputs)
        tree = _halved(tree, precision, style, argument) if precision in HALVES else tree
        inner, read = (tree, ()) if tree.columns is None else reads(tree)
        of = sources_of(argument, read)
        if constants and (style != "table" or fine or not argument.is_float or precision not in PRECISIONS):
            raise ValueError(NO_CONSTANTS)
        if scores and (tree.classes is None or constants):
            raise ValueError("scores are of classes, and in code whose constants cannot be replaced")
        integers = quantize_tree(inner, fine=fine, sources=of, weights=row.weights) if row.is_integer else None
        exits = _exits(integers, style) if early_exit else None
        if constants:
            code = block_library(tree, argument, precision)
        elif integers is None:
            code = float_library(in_units(inner, of), argument, style, read, row.weights, scores)
        else:
            exits = exits if exits and exits.looks else None
            code = integer_library(inner, integers, argument, style, read, exits, with_scores=scores)
        return c_files(tree, argument, code, integers, "" if exits is None else STOPS if exits.looks else ALL)


def c_files(
    tree: Tree, argument: Argument, code: Code, integers: IntegerTree | None, stops: str = ""
) -> dict[str, str]:
    """The header, the source and the self-test of a tree that has no columns but those it takes. ``stops``: what the
    header says of an early exit."""
    name = argument.name
    files = {f"{name}.h": _header(tree, argument, code, stops), f"{name}.c": _source(tree, argument, code)}
    return files | test_files(tree, argument, integers)


def _halved(tree: Tree, precision: str, style: str, argument: Argument) -> Tree:
    """The tree whose weights two bytes hold exactly, with its band."""
    if style != "table":
        raise ValueError(f"{precision} stores weights in a table, straight code in 4 bytes: add --style table")
    if argument.scales:
        raise ValueError(f"{precision}: the scale of an input would round weights again; take inputs without a scale")
    return replace(with_weight_format(tree, precision), band=tree.band)


def _exits(integers: IntegerTree | None, style: str) -> EarlyExit:
    if integers is None or style != "straight":
        raise ValueError(
            "early exit is an option of int8 code in straight style, whose inputs have bounds: give --precision int8 "
            "--style straight"
        )
    return early_exit_of(integers)


NO_CONSTANTS = (
    "replaceable constants are an option of float32 or int8 table code with float inputs and without 16-bit values: "
    "give --style table, and no --wide or --input"
)


def _header(tree: Tree, argument: Argument, code: Code, stops: str) -> str:
    name, upper = argument.name, argument.name.upper()
    parts = [
        f"/* A neural tree, {comment(_summary(tree))}. Written by neuraltree; do not edit.\n"
        "   Results and costs are the same with every -std, from c99 and c++11 on: no product is fused with a sum. */",
        *([code.remark] if code.remark else []),
        f"#ifndef {upper}_H\n#define {upper}_H\n\n#include <stdint.h>\n",
        '#ifdef __cplusplus\nextern "C" {\n#endif\n',
        input_positions(tree.columns, argument, tree.classes),
    ]
    if tree.classes is not None:
        parts.append(f"/* What {name}_predict returns. */\n{enum_text('CLASS', upper, tree.classes)}")
    parts += [code.constants] if code.constants else []
    parts += [] if tree.band is None else [band(tree, upper)]
    parts += [
        f"{text}\n{declaration};\n" for text, declaration in [*_declarations(tree, argument, stops), *code.declarations]
    ]
    parts.append(f"#ifdef __cplusplus\n}}\n#endif\n\n#endif /* {upper}_H */\n")
    return "\n".join(parts)


def _summary(tree: Tree) -> str:
    function_nodes = int((tree.nodes["op"] < 0).sum())
    inputs = f"{len(tree.features)} inputs" if tree.columns is None else f"{len(tree.columns)} columns"
    return f"{tree.kind}: {inputs}, {function_nodes} function nodes, {tree.num_weights} weights"


def _declarations(tree: Tree, argument: Argument, stops: str) -> list[tuple[str, str]]:
    """Comment and prototype of the public functions that every number format has."""
    name, x = argument.name, argument.parameter
    checked = check_declaration(tree.columns, argument)
    if tree.classes is None:
        return [
            ("/* The target in its own units, for raw inputs. */", f"float {name}_predict({x})"),
            *checked,
        ]
    text = f"/* The probability of each class, p[{name.upper()}_CLASSES], for raw inputs. */"
    return [
        (f"/* The class, for raw inputs{rule(tree)}. {stops}*/", f"int {name}_predict({x})"),
        (text, f"void {name}_probabilities({x}, float *p)"),
        *checked,
    ]


STOPS = "It stops as soon as no other class is possible,\n   so its time depends on the inputs. "
ALL = "It computes everything: to look for an\n   early exit would cost more than it saves. "


def _source(tree: Tree, argument: Argument, code: Code) -> str:
    name = argument.name
    checks = [] if tree.columns is None else [check(tree.columns, argument)]
    parts = [f'#include "{name}.h"\n', MACROS, FLASH, *code.definitions, *code.entries, *checks]
    return "\n".join(part for part in parts if part)
