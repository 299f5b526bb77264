"""The numbers of a model in a block of constants, as bytes and as C."""

from __future__ import annotations

import dataclasses
import zlib
from typing import Any

import numpy as np

from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.compress.int8.stages import InputStage
from neuraltree.export.c.constants.layout import INPUT, MAGIC, VERSION, Layout, layout_of
from neuraltree.export.c.floats import float_code
from neuraltree.export.c.integers import float_stage, integer_table
from neuraltree.export.c.parts import literal
from neuraltree.export.order import slots, steps
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.tree import Tree


def export_constants(tree: Tree, layout: Layout) -> bytes:
    """The block of a tree for a program of this layout; ``ValueError`` says why it does not fit."""
    return block_of(tree, layout).tobytes()


def block_of(tree: Tree, layout: Layout) -> np.ndarray:
    """The struct with all its fields, the checksum included, as an array without axes."""
    own = layout_of(tree, layout.precision)
    same = dataclasses.replace(own, nodes=layout.nodes, edges=layout.edges, waiting=layout.waiting)
    if same != layout:
        raise ValueError(
            "the model is not one for this program: number format, kind of task, features (and whether their means are "
            "far from 0), classes and output activation must be the same; export the program anew"
        )
    with np.errstate(all="ignore"):
        values = _integers(tree, quantize_tree(tree)) if layout.bits == 8 else _floats(tree, bool(layout.centred))
    block = np.zeros((), layout.dtype())
    for name, value in values.items():
        _put(block, name, np.asarray(value))
    _check_waiting(values["waiting"], layout.waiting)
    head = {"magic": MAGIC, "size": layout.dtype().itemsize, "interface": layout.interface, "version": VERSION}
    head["structure"] = zlib.crc32(block["code"].tobytes())
    for name, number in head.items():
        block[name] = number
    block["crc"] = zlib.crc32(block.tobytes()[8:])
    return block


def _check_waiting(needed: int, room: int) -> None:
    if needed > room:
        raise ValueError(f"the model keeps {needed} sums waiting, the program has room for {room}; export it anew")


def _put(block: np.ndarray, name: str, value: np.ndarray) -> None:
    place = block[name]
    if place.ndim == 0:
        block[name] = value
        return
    if len(value) > len(place):
        raise ValueError(
            f"the model has {len(value)} entries of {name}, the program has room for {len(place)}; export the program "
            "anew with this model, or choose a smaller one"
        )
    if name == "code" and value.max(initial=0) > 255:
        raise ValueError("a node has more than 255 children; a block of constants holds up to 255")
    place[: len(value)] = value


def _shape(nodes: Nodes) -> dict[str, int]:
    order = steps(nodes)
    return {"nodes": len(order), "waiting": slots(order)}


def _floats(tree: Tree, has_centre: bool) -> dict[str, Any]:
    centred, taken = tree.centred()
    nodes = centred.folded()
    codes, weights, biases = float_code.table_values(nodes, steps(nodes), taken if has_centre else None)
    for number in (*weights, *biases):
        literal(number)  # refuses what single floats cannot hold
    threshold = tree.logit_threshold if tree.classes is not None else 0.0
    return {"threshold": threshold, "bias": biases, "weight": weights, "code": codes, **_shape(nodes)}


def _integers(tree: Tree, integers: IntegerTree) -> dict[str, Any]:
    order = steps(integers.nodes)
    codes, weights = integer_table.table_values(integers, order)
    numbers, inputs, outputs = integers.numbers, integers.inputs, integers.outputs
    assert isinstance(inputs, InputStage)
    hidden = [step.node for step in order if step.slot >= 0]
    scales = float_stage.packed(inputs.multiplier, inputs.shift)
    rows = zip(inputs.zero.tolist(), scales, inputs.power.tolist(), inputs.features.tolist(), strict=True)
    several = outputs.multiplier is not None and outputs.shift is not None
    return {
        "inputs": len(inputs.features),
        "drop": outputs.drop,
        "threshold": integers.score_threshold if tree.kind == "binary" else 0,
        "offset": outputs.offset,
        "gain": outputs.gain,
        "bias": [int(numbers.bias[step.node]) for step in order],
        "input": np.array(list(rows), dtype=INPUT),
        "scale": float_stage.packed(numbers.multiplier[hidden], numbers.shift[hidden]),
        "score_scale": float_stage.packed(outputs.multiplier, outputs.shift) if several else [],  # type: ignore[arg-type]
        "weight": weights,
        "code": codes,
        **_shape(integers.nodes),
    }


def initialiser(value: Any) -> str:
    """C that initialises a field of the struct."""
    if isinstance(value, np.ndarray | np.void):
        return "{" + ", ".join(initialiser(part) for part in value) + "}"  # type: ignore[union-attr]
    if isinstance(value, np.floating):
        return literal(float(value))
    return f"{value}u" if isinstance(value, np.uint32) else str(value)
