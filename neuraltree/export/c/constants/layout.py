"""What a block of constants has room for, and the order of its fields; all numbers are little-endian."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from neuraltree.compress.formats import number_format
from neuraltree.export.order import slots, steps
from neuraltree.tree.tree import Tree

MAGIC = 0x4B42544E  # "NTBK"
VERSION = 1
# A program has room for larger models than its first one: half as many nodes and edges more, and at least these.
MORE_NODES, MORE_EDGES, MORE_WAITING = 4, 8, 2
MOST_FEATURES = 256  # of a block: the position of an input has 8 bits
HEAD = ("magic", "crc", "size", "interface", "structure")


class Field(NamedTuple):
    """A field of the struct: the type in C and NumPy, and the length of an array, 0 for a single number."""

    name: str
    kind: str
    dtype: str | np.dtype
    length: int = 0


INPUT = np.dtype([("zero", "<i4"), ("scale", "<u2"), ("power", "i1"), ("place", "u1")])


@dataclass(frozen=True)
class Layout:
    """The room of a program in nodes, edges and sums that wait, and what a model must share with it: ``interface`` is
    a hash of number format, features, classes and the like."""

    bits: int
    interface: int
    features: int
    outputs: int
    centred: int
    nodes: int
    edges: int
    waiting: int

    @property
    def precision(self) -> str:
        return {8: "int8", 32: "float32"}[self.bits]

    def fields(self, name: str) -> list[Field]:
        """The fields of ``struct NAME_constants``, the widest numbers first so that no compiler leaves gaps."""
        head = [Field(part, "uint32_t", "<u4") for part in HEAD]
        found = [*head, *(self._integers(name) if self.bits == 8 else self._floats())]
        size = sum(np.dtype(field.dtype).itemsize * max(field.length, 1) for field in found)
        return [*found, Field("rest", "uint8_t", "u1", 4 - size % 4)]

    def _floats(self) -> list[Field]:
        halves = [Field(part, "uint16_t", "<u2") for part in ("version", "nodes", "waiting", "unused")]
        return [
            *halves,
            Field("threshold", "float", "<f4"),
            Field("bias", "float", "<f4", self.nodes),
            Field("weight", "float", "<f4", self.edges * (1 + self.centred)),
            Field("code", "uint8_t", "u1", 2 * self.nodes + self.edges),
        ]

    def _integers(self, name: str) -> list[Field]:
        halves = ("version", "nodes", "waiting", "inputs", "drop", "unused")
        return [
            *(Field(part, "uint16_t", "<u2") for part in halves),
            Field("threshold", "int32_t", "<i4"),
            Field("offset", "int32_t", "<i4"),
            Field("gain", "float", "<f4"),
            Field("bias", "int32_t", "<i4", self.nodes),
            Field("input", f"struct {name}_stage", INPUT, self.features),
            Field("scale", "uint16_t", "<u2", self.nodes),
            Field("score_scale", "uint16_t", "<u2", self.outputs),
            Field("weight", "int8_t", "i1", self.edges),
            Field("code", "uint8_t", "u1", 2 * self.nodes + self.edges),
        ]

    def dtype(self) -> np.dtype:
        """The struct in NumPy, without gaps."""
        parts = [(f.name, f.dtype, (f.length,)) if f.length else (f.name, f.dtype) for f in self.fields("")]
        return np.dtype(parts)


def layout_of(tree: Tree, precision: str) -> Layout:
    """The layout of a program whose first model is ``tree``; ``ValueError`` if it cannot have one."""
    if tree.columns is not None:
        raise ValueError(
            "replaceable constants are for models without columns of a table, whose encoders are code; export the "
            "model without --constants"
        )
    if len(tree.features) > MOST_FEATURES:
        raise ValueError(
            f"a block of constants takes at most {MOST_FEATURES} inputs; the model has {len(tree.features)}"
        )
    order = steps(tree.nodes)
    nodes, edges = len(order), int((tree.nodes["depth"] > 0).sum())
    centred = bool(tree.centred()[1].any()) and not number_format(precision).is_integer
    return Layout(
        bits=8 if number_format(precision).is_integer else 32,
        interface=_interface(tree, precision, centred),
        features=len(tree.features),
        outputs=tree.num_outputs,
        centred=int(centred),
        nodes=nodes + max(nodes // 2, MORE_NODES),
        edges=edges + max(edges // 2, MORE_EDGES),
        waiting=slots(order) + MORE_WAITING,
    )


def _interface(tree: Tree, precision: str, centred: bool) -> int:
    parts = [precision, tree.kind, tree.output_activation, list(map(str, tree.features)), centred]
    parts.append(None if tree.classes is None else list(map(str, tree.classes)))
    return zlib.crc32(json.dumps(parts).encode())


NAMED = {field.name: f"MOST_{field.name.upper()}" for field in fields(Layout)}


def enum(layout: Layout, name: str) -> str:
    """The layout in the header of a program, from which ``read_layout`` reads it again."""
    upper = name.upper()
    rows = [f"    {upper}_{NAMED[part]} = {getattr(layout, part)}" for part in NAMED if part != "interface"]
    text = f"#define {upper}_INTERFACE UINT32_C({layout.interface})\nenum {{\n" + ",\n".join(rows) + "\n};\n"
    return (
        f"/* The room for a model in the constants, and a hash of what it must have in common with this one. */\n{text}"
    )


def read_layout(header: str) -> Layout:
    """The layout in a header; ``ValueError`` if it is not one of a program with replaceable constants."""
    found = {part: re.search(rf"_{label} = (\d+)", header) for part, label in NAMED.items()}
    found["interface"] = re.search(r"_INTERFACE UINT32_C\((\d+)\)", header)
    if not all(found.values()):
        raise ValueError(
            "--program is not the header of a program with replaceable constants; write one with --to c --style table "
            "--constants"
        )
    return Layout(**{part: int(match[1]) for part, match in found.items() if match})
