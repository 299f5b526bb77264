"""A tree in two halves as C99: what a sensor node computes and sends, what its gateway makes of it, and both together
for a check. The arithmetic is that of ``compress.splitting.halves``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.compress.splitting.best_cut import Sent
from neuraltree.compress.splitting.halves import Halves, split_tree
from neuraltree.export.c.argument import argument_of
from neuraltree.export.c.decisions import answer, largest
from neuraltree.export.c.integers import integer_code, integer_table
from neuraltree.export.c.integers.input_stage import input_stage
from neuraltree.export.c.integers.integer_library import natural_text
from neuraltree.export.c.library import enum_text
from neuraltree.export.c.parts import FLASH, MACROS
from neuraltree.export.c.self_test import test_files
from neuraltree.export.names import check_name
from neuraltree.tree.soundness import refuse_several_targets
from neuraltree.tree.tree import Tree

NODE, GATEWAY = "node", "gateway"


def halves_of(tree: Tree, own: Sequence[str]) -> Halves:
    """The halves of a tree in integers for a node with the features ``own``; ``ValueError`` for a tree of several
    targets, or of columns that are no numbers."""
    refuse_several_targets(tree.kind, tree.num_outputs, "a split")
    if tree.columns is not None:
        raise ValueError("a split takes models whose inputs are numbers; this one encodes columns of a table")
    return split_tree(quantize_tree(tree), [tree.features.index(name) for name in own])


def export_split(halves: Halves, name: str = "model") -> dict[str, str]:
    """The texts of the files by file name.

    The node calls ``NAME_node_send``, the gateway ``NAME_gateway_predict`` with the message. ``NAME_predict`` does both
    for one array of all inputs; the program in ``test/`` checks it.
    """
    for part in (NODE, GATEWAY):
        check_name(f"{name}_{part}")
    check_name(name)
    tree = halves.whole.source
    found = {
        f"{name}_node.h": _header(halves, name, NODE),
        f"{name}_node.c": _source(f"{name}_node", _node_body(halves, name)),
        f"{name}_gateway.h": _header(halves, name, GATEWAY),
        f"{name}_gateway.c": _source(f"{name}_gateway", _gateway_body(halves, name)),
        f"{name}.h": _marked(BOTH_HEADER, halves, name),
        f"{name}.c": _marked(BOTH, halves, name),
    }
    return found | test_files(tree, argument_of(tree, name, "float32"), halves.whole)


def _result(halves: Halves) -> str:
    return "float" if halves.whole.source.classes is None else "int"


def _marked(text: str, halves: Halves, name: str) -> str:
    lines = [f"    of_{part}[{i}] = x[{feature}];" for part, i, feature in _copies(halves)]
    marks = {
        "@NAME@": name,
        "@UPPER@": name.upper(),
        "@RESULT@": _result(halves),
        "@COPIES@": "\n".join(lines),
    }
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


def _copies(halves: Halves) -> list[tuple[str, int, int]]:
    own = [(NODE, i, feature) for i, feature in enumerate(halves.own)]
    return own + [(GATEWAY, i, feature) for i, feature in enumerate(halves.others)]


def _header(halves: Halves, name: str, part: str) -> str:
    """The header of one half."""
    tree, full = halves.whole.source, f"{name}_{part}"
    upper = full.upper()
    names = tuple(tree.features[i] for i in (halves.own if part == NODE else halves.others))
    parts = [f"/* The positions of the inputs in x. */\n{enum_text('FEATURE', upper, names)}"]
    if part == GATEWAY and tree.classes is not None:
        parts.append(f"/* What {full}_predict returns. */\n{enum_text('CLASS', upper, tree.classes)}")
    parts.append(f"/* The bytes of a message. */\nenum {{ {upper}_MESSAGE = {halves.message_bytes} }};\n")
    what = "target in its own units" if tree.classes is None else "class"
    text, prototype = {
        NODE: ("Fills the message for raw inputs.", f"void {full}_send(const float *x, uint8_t *message)"),
        GATEWAY: (
            f"The {what}, for raw inputs of the gateway and the node's message.",
            f"{_result(halves)} {full}_predict(const float *x, const uint8_t *message)",
        ),
    }[part]
    return HEADER.format(part=part, upper=upper, body="\n".join([*parts, f"/* {text} */\n{prototype};"]))


def _source(full: str, parts: Sequence[str]) -> str:
    return "\n".join(part for part in [f'#include "{full}.h"\n', MACROS, FLASH, *parts] if part)


def _node_body(halves: Halves, name: str) -> list[str]:
    full, node = f"{name}_node", halves.node
    leaves = integer_code.quantised(node)
    definitions, outputs = integer_table.body(node, full, "straight", leaves)
    lines, at = [], 0
    for k, each in enumerate(halves.sent):
        lines += [f"    message[{at + i}] = (uint8_t)((uint32_t)y[{k}] >> {8 * i});" for i in range(each.size_bytes)]
        at += each.size_bytes
    body = (
        f"    int8_t q[{integer_code.room(node)}];\n    int32_t y[{len(halves.sent)}];\n"
        f"    {full}_quantize(x, q);\n    nt_outputs(q, y);\n" + "\n".join(lines) + "\n"
    )
    send = f"NT_PUBLIC void {full}_send(const float *x, uint8_t *message)\n{{\n{body}}}\n"
    return [definitions, outputs, _declared(full), input_stage(node, full), send]


def _declared(full: str) -> str:
    return f"void {full}_quantize(const float *x, int8_t *q);\n"


def _gateway_body(halves: Halves, name: str) -> list[str]:
    full, tree, gateway = f"{name}_gateway", halves.whole.source, halves.gateway
    own = replace(gateway, inputs=halves.gateway_inputs)
    texts = tuple(f"v[{i}]" for i in range(len(gateway.inputs.features)))
    leaves = integer_code.Leaves("const int32_t *v", texts)
    definitions, outputs = integer_table.body(gateway, full, "straight", leaves)
    read = len(halves.gateway_inputs.features)
    lines, at = [f"    v[{i}] = q[{i}];" for i in range(read)], 0
    for k, each in enumerate(halves.sent):
        lines.append(f"    v[{read + k}] = {_number(each, at)};")
        at += each.size_bytes
    value = natural_text(gateway, "y[0]")
    found = value if tree.classes is None else answer(tree, full, str(gateway.score_threshold))
    body = (
        f"    int8_t q[{integer_code.room(own)}];\n    int32_t v[{len(texts)}], y[{tree.num_outputs}];\n"
        f"    {full}_quantize(x, q);\n" + "\n".join(lines) + f"\n    nt_outputs(v, y);\n    return {found};\n"
    )
    predict = f"const float *x, const uint8_t *message)\n{{\n{body}}}\n"
    entry = f"NT_PUBLIC {_result(halves)} {full}_predict({predict}"
    several = [largest(full, "int32_t")] if tree.kind == "multiclass" else []
    return [definitions, outputs, _declared(full), input_stage(own, full), *several, entry]


def _number(each: Sent, at: int) -> str:
    """The C expression of a signed number in a message, low byte first."""
    if each.size_bytes == 1:
        return f"(int8_t)message[{at}]"
    bits = " | ".join(f"(uint32_t)message[{at + i}] << {8 * i}" for i in range(each.size_bytes))
    sign = 1 << (8 * each.size_bytes - 1)
    # Without a branch and within 32 bits: the sign bit is moved to 0, and taken off again.
    return f"(int32_t)(({bits}) ^ {sign}u) - {sign}"


HEADER = """/* The {part}'s half of a neural tree. Written by neuraltree; do not edit. */
#ifndef {upper}_H
#define {upper}_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

{body}

#ifdef __cplusplus
}}
#endif

#endif /* {upper}_H */
"""
BOTH_HEADER = """/* Both halves of a neural tree, one after the other. Written by neuraltree; do not edit. */
#ifndef @UPPER@_H
#define @UPPER@_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The answer of the gateway, for the raw inputs of both in the order of the model's features. */
@RESULT@ @NAME@_predict(const float *x);

#ifdef __cplusplus
}
#endif

#endif /* @UPPER@_H */
"""
BOTH = """#include "@NAME@.h"
#include "@NAME@_gateway.h"
#include "@NAME@_node.h"

@RESULT@ @NAME@_predict(const float *x)
{
    float of_node[@UPPER@_NODE_FEATURES], of_gateway[@UPPER@_GATEWAY_FEATURES];
    uint8_t message[@UPPER@_NODE_MESSAGE];
@COPIES@
    @NAME@_node_send(of_node, message);
    return @NAME@_gateway_predict(of_gateway, message);
}
"""
