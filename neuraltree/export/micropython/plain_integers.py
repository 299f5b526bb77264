"""A tree in integers for MicroPython: its constants in bytes, and a loop that reads them, bit for bit as in C.

Bytes take less memory than any list, stay in flash if the module is frozen, and are never copied. A byte with a sign
is stored with 128 added. Numbers beyond a byte stand in tuples.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from neuraltree.activations import NAMES
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.int8.lookup_tables import KINDS, table
from neuraltree.compress.int8.stages import InputStage
from neuraltree.export.head import FIRST, KIND, OPENED, OUTPUT, flags
from neuraltree.export.micropython.integer_loop import (
    CLASS,
    INTEGER,
    LOOP,
    REGRESSION,
    RETURN,
    SCORES,
    SIGMOIDS,
    VALUES,
)
from neuraltree.export.micropython.plain_parts import LARGEST
from neuraltree.export.order import Step, steps
from neuraltree.tree.nodes import IntArray
from neuraltree.tree.tree import Tree

SIGNED = 128  # added to a byte with a sign


def body(tree: Tree, integers: IntegerTree, has_columns: bool) -> list[str]:
    """Constants and functions up to ``predict``, or for classes up to ``_class`` and what its probabilities need."""
    order = steps(integers.nodes)
    parts = [_constants(integers, order), INTEGER.format(features="x = _features(x)\n    " * has_columns)]
    parts.append(LOOP.format(value=_value(order), opened=OPENED, output=OUTPUT, first=FIRST, kind=KIND))
    parts[-1] += (SCORES if integers.outputs.multiplier is not None else "") + RETURN
    stage = integers.outputs
    gain = f'_GAIN = unpack("<f", {struct.pack("<f", float(stage.gain))!r})[0]\n'
    values = gain + VALUES.format(drop=f" >> {stage.drop}" if stage.drop else "", offset=stage.offset)
    if tree.classes is None:
        return [*parts, values, REGRESSION]
    answer = f"1 if y[0] > {integers.score_threshold} else 0" if tree.kind == "binary" else "_largest(y)"
    more = [LARGEST] if tree.kind == "multiclass" else []
    shares = [SIGMOIDS] if tree.output_activation == "sigmoid" else []
    return [*parts, values, *more, CLASS.format(answer=answer), *shares]


def _constants(tree: IntegerTree, order: Sequence[Step]) -> str:
    place = {feature: i for i, feature in enumerate(tree.inputs.features.tolist())}
    numbers, stage = tree.numbers, tree.inputs
    assert isinstance(stage, InputStage)  # raw inputs are numbers of Python, not integers of one type
    code: list[int] = []
    weights: list[int] = []
    for step in order:
        code += [flags(step), len(step.leaves), *(place[int(tree.nodes["op"][leaf])] for leaf in step.leaves)]
        weights += [int(numbers.weight[leaf]) for leaf in step.leaves]
        weights += [int(numbers.weight[step.node])] * (step.slot >= 0)
    hidden = [step.node for step in order if step.slot >= 0]
    tables = {code: f"_{NAMES[code].upper()}" for code in _kinds(order) if KINDS[code].domain}
    rows = [
        "# Each input: its position, the power of 2 that multiplies it, its zero, its multiplier and shift.",
        _row("_PLACE", stage.features.tolist()),
        _row("_POWER", (stage.power + SIGNED).tolist()),
        _row("_ZERO", stage.zero.tolist(), as_bytes=False),
        *_scales("_INPUT", stage.multiplier, stage.shift),
        "# Each node in order of evaluation: kind and flags, number of inputs, the inputs.",
        _row("_CODE", code),
        "# Each node: a weight per input, and the weight of its own value unless it is an output.",
        _row("_WEIGHT", [weight + SIGNED for weight in weights]),
        _row("_BIAS", [int(numbers.bias[step.node]) for step in order], as_bytes=False),
        *_scales("_NODE", numbers.multiplier[hidden], numbers.shift[hidden]),
        *(_row(name, (table(code).astype(int) + SIGNED).tolist()) for code, name in tables.items()),
    ]
    if tree.outputs.multiplier is not None and tree.outputs.shift is not None:
        rows += _scales("_SCORE", tree.outputs.multiplier, tree.outputs.shift)
    return "\n".join(rows)


def _scales(name: str, multiplier: IntArray, shift: IntArray) -> list[str]:
    return [_row(f"{name}_MULTIPLIER", multiplier.tolist(), as_bytes=False), _row(f"{name}_SHIFT", shift.tolist())]


def _row(name: str, values: Sequence[int], *, as_bytes: bool = True) -> str:
    """A constant: bytes if they hold the values and ``as_bytes``, else a tuple. Both give integers by position."""
    if as_bytes and all(0 <= value < 256 for value in values):
        return f"{name} = const({_bytes(bytes(values))})"
    return f"{name} = const(({''.join(f'{value}, ' for value in values).rstrip(' ')}))"


def _bytes(values: bytes) -> str:
    """A literal of bytes, all in hexadecimal: MicroPython keeps it as the bytes alone."""
    return 'b"' + "".join(f"\\x{value:02x}" for value in values) + '"'


def _kinds(order: Sequence[Step]) -> list[int]:
    return sorted({step.code for step in order if step.slot >= 0})


def _value(order: Sequence[Step]) -> str:
    """The lines from a rescaled sum ``s`` to the value of each kind in use."""
    lines: list[str] = []
    for code in _kinds(order):
        kind, name = KINDS[code], f"_{NAMES[code].upper()}"
        index = "(s + 128) & 255" if kind.repeats else f"max({kind.low}, min(127, s))"
        if kind.jumps:
            index = f"{kind.low} if s < 0 else {kind.high}"
        if kind.domain:
            index = f"{name}[{index}] - {SIGNED}" if kind.repeats else f"{name}[{index} + 128] - {SIGNED}"
        lines += [f"{'el' * bool(lines)}if kind == {code}:", f"    s = {index}"]
    return "\n".join(f"        {line}" for line in lines) or "        pass"
