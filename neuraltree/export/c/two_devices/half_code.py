"""The C of each half: from raw inputs to a message, and from raw inputs and a message to the answer. Floats become 8
bits in a loop, integers where straight code first needs them, as in code of the whole."""

from __future__ import annotations

from dataclasses import replace

from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.splitting.best_cut import Sent
from neuraltree.compress.splitting.halves import Halves
from neuraltree.export.c.columns.column_code import check
from neuraltree.export.c.decisions import answer, largest
from neuraltree.export.c.integers import integer_code, integer_table
from neuraltree.export.c.integers.from_integers import input_texts, integer_body
from neuraltree.export.c.integers.input_stage import input_stage
from neuraltree.export.c.integers.integer_library import encoding, natural_text
from neuraltree.export.c.two_devices.sides import Side


def node_body(halves: Halves, side: Side) -> list[str]:
    """The parts of the node's source."""
    argument, node = side.argument, replace(halves.node, inputs=side.stage)
    if argument.is_float:
        leaves = integer_code.quantised(node)
        parts: list[str] = [*integer_table.body(node, argument.name, "straight", leaves), *_quantize(node, side)]
        run = [f"int8_t q[{integer_code.room(node)}];", f"{argument.name}_quantize(x, q);", "nt_outputs(q, y);"]
    else:
        parts, run = integer_body(node, argument, "straight", side.read)
    stores, at = [], 0
    for k, each in enumerate(halves.sent):
        stores += [f"message[{at + i}] = (uint8_t)((uint32_t)y[{k}] >> {8 * i});" for i in range(each.size_bytes)]
        at += each.size_bytes
    lines = "\n".join(f"    {line}" for line in [f"int32_t y[{len(halves.sent)}];", *run, *stores])
    send = f"NT_PUBLIC void {argument.name}_send({argument.parameter}, uint8_t *message)\n{{\n{lines}\n}}\n"
    return [*parts, send, *_check(side)]


def gateway_body(halves: Halves, side: Side) -> list[str]:
    """The parts of the gateway's source."""
    argument, tree = side.argument, halves.whole.source
    own, count = replace(halves.gateway, inputs=side.stage), len(side.stage.features)
    if argument.is_float:
        texts = tuple(f"v[{i}]" for i in range(count + len(halves.sent)))
        leaves = integer_code.Leaves("const int32_t *v", texts)
        parts = [*integer_table.body(halves.gateway, argument.name, "straight", leaves), *_quantize(own, side)]
        values = [*(f"q[{i}]" for i in range(count)), *_numbers(halves)]
        run = [
            f"int8_t q[{integer_code.room(own)}];",
            f"int32_t v[{len(texts)}];",
            f"{argument.name}_quantize(x, q);",
            *(f"v[{i}] = {value};" for i, value in enumerate(values)),
            "nt_outputs(v, y);",
        ]
    else:
        before, shown, zero = input_texts(own, argument, side.read)
        # Numbers of a message may be sums, too large to have another zero.
        texts = (*(f"({text}) - {zero}" for text in shown), *_numbers(halves))
        leaves = integer_code.Leaves(f"{argument.parameter}, const uint8_t *message", texts, late=True)
        definitions, outputs = integer_table.body(halves.gateway, argument.name, "straight", leaves)
        parts, run = [definitions, *before, outputs], ["nt_outputs(x, message, y);"]
    threshold = str(halves.gateway.score_threshold)
    found = natural_text(own, "y[0]") if tree.classes is None else answer(tree, argument.name, threshold)
    lines = "\n".join(f"    {line}" for line in [f"int32_t y[{tree.num_outputs}];", *run, f"return {found};"])
    entry = f"NT_PUBLIC {result(halves)} {argument.name}_predict({argument.parameter}, const uint8_t *message)"
    several = [largest(argument.name, "int32_t")] if tree.kind == "multiclass" else []
    return [*parts, *several, f"{entry}\n{{\n{lines}\n}}\n", *_check(side)]


def result(halves: Halves) -> str:
    """The C type of the answer."""
    return "float" if halves.whole.source.classes is None else "int"


def _quantize(tree: IntegerTree, side: Side) -> list[str]:
    """``NAME_quantize`` of a side of floats."""
    name = side.argument.name
    declared = f"void {name}_quantize(const float *x, int8_t *q);\n"
    return [*encoding(side.read, side.argument), declared, input_stage(tree, name, side.read)]


def _check(side: Side) -> list[str]:
    return [] if side.columns is None else [check(side.columns, side.argument)]


def _numbers(halves: Halves) -> list[str]:
    """The C expression of each number of a message."""
    found, at = [], 0
    for each in halves.sent:
        found.append(_number(each, at))
        at += each.size_bytes
    return found


def _number(each: Sent, at: int) -> str:
    """The C expression of a signed number in a message, low byte first."""
    if each.size_bytes == 1:
        return f"(int8_t)message[{at}]"
    bits = " | ".join(f"(uint32_t)message[{at + i}] << {8 * i}" for i in range(each.size_bytes))
    sign = 1 << (8 * each.size_bytes - 1)
    # Without a branch and within 32 bits: the sign bit is moved to 0, and taken off again.
    return f"(int32_t)(({bits}) ^ {sign}u) - {sign}"
