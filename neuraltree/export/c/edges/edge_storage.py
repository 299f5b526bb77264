"""How a table of integers stores the edges from inputs: by position, by the gap to the edge before, or in few bits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neuraltree.compress.narrow.edge_storage_sizes import (
    GAP_LOOP_BYTES,
    GAPS,
    MOST,
    PLAIN_ROWS,
    UNPACKING_BYTES,
    smallest_storage,
)
from neuraltree.export.c.parts import array
from neuraltree.export.head import OUTPUT
from neuraltree.export.order import Step

if TYPE_CHECKING:
    from neuraltree.compress.int8.integer_tree import IntegerTree


class Row(NamedTuple):
    """The edges from inputs into one node. ``length``: how many the interpreter reads; ``codes``, ``weights``: what
    stands among the node's codes and weights for them."""

    length: int
    codes: list[int]
    weights: list[int]


class Edges(NamedTuple):
    """A storage. ``size``: bytes of all edges and of what the loop takes more. The texts are parts of C: ``arrays`` of
    its own, which the interpreter gets as ``arguments`` for its ``parameters``, the ``state`` that it keeps between
    nodes, and the ``loop`` over the edges of a node; ``listed`` and ``weighed`` say in comments what rows hold."""

    rows: list[Row]
    size: int
    arrays: list[str]
    parameters: str
    arguments: str
    state: str
    loop: str
    listed: str
    weighed: str


LOOP = """        NT_LOOP
        for (; inputs != 0; --inputs) {
            sum += (int32_t)NT_READ(byte, int8_t, weight++) * q[NT_READ(@WIDTH@, uint@UNIT@_t, code++)];
        }
"""
PLAIN = Edges([], 0, [], "", "", "", LOOP, ", the inputs", "a weight per input, and ")

GAP_LOOP = """        const @Q@ *input = q;
        NT_LOOP
        for (; inputs != 0; --inputs) {
            input += NT_READ(byte, uint8_t, gap++);
            sum += (int32_t)NT_READ(byte, int8_t, weight++) * *input;
        }
"""
GAP_TEXT = "/* Each input of each node: how much further it is than the one before it. */"

PACKED_STATE = """    uint32_t bits = 0;
    unsigned ready = 0;
"""
PACKED_LOOP = """        const @Q@ *input = q;
        NT_LOOP
        for (; inputs != 0; --inputs) {
            NT_LOOP
            for (; ready < @EDGE@; ready += 8) {
                bits |= (uint32_t)NT_READ(byte, uint8_t, edge++) << ready;
            }
            input += bits & @GAPS@;
            sum += (int32_t)NT_READ(byte, int8_t, @PLACE@) * *input;
            bits >>= @EDGE@;
            ready -= @EDGE@;
        }
"""
LEVEL = "level + ((bits >> @GAP@) & @LEVELS@)"


def smallest(tree: IntegerTree, order: list[Step], raw: bool = False) -> Edges:
    """The storage with the fewest bytes. Weights of 8 bits keep bytes of their own, which are read faster.

    ``raw``: the code reads raw inputs, so positions are those among all inputs, not among the used ones.
    """
    starts = np.array([0, len(tree.nodes)])
    stored = smallest_storage(tree.nodes, starts, tree.numbers.weight, packs=tree.weights != "int8", raw=raw)
    (gap_bits,) = stored.gap_bits.tolist()
    if gap_bits == PLAIN_ROWS:
        return plain(tree, order, raw)
    return by_gaps(tree, order, raw) if gap_bits == GAPS else in_bits(tree, order, gap_bits, raw)


def plain(tree: IntegerTree, order: list[Step], raw: bool = False) -> Edges:
    """A position among the codes and a weight for each edge."""
    rows = [
        Row(len(edges), [place for place, _ in edges], [weight for _, weight in edges])
        for edges in leaves_of(tree, order, raw)
    ]
    return PLAIN._replace(rows=rows, size=sum(row.length for row in rows) + code_bytes(rows))


def by_gaps(tree: IntegerTree, order: list[Step], raw: bool = False) -> Edges:
    """A byte for the gap and a weight for each edge, in the order of the inputs."""
    steps = [list(gaps_of(edges, MOST)) for edges in leaves_of(tree, order, raw)]
    rows = [Row(len(row), [], [weight for _, weight in row]) for row in steps]
    gaps = [gap for row in steps for gap, _ in row]
    return Edges(
        rows=rows,
        size=2 * len(gaps) + code_bytes(rows) + GAP_LOOP_BYTES,
        arrays=[GAP_TEXT, array("uint8_t", "nt_gap", gaps or [0])],
        parameters="const uint8_t *gap, ",
        arguments="nt_gap, ",
        state="",
        loop=GAP_LOOP,
        listed="",
        weighed="a weight per input, and ",
    )


def in_bits(tree: IntegerTree, order: list[Step], gap_bits: int, raw: bool = False) -> Edges:
    """For each edge a gap of so many bits, and the position of its weight among all that occur. Outputs, whose weights
    have 8 bits, have them as bytes."""
    rows, pairs = list[Row](), list[tuple[int, int]]()
    for step, edges in zip(order, leaves_of(tree, order, raw), strict=True):
        found, is_output = list(gaps_of(edges, 2**gap_bits - 1)), step.slot < 0
        rows.append(Row(len(found), [], [weight for _, weight in found] if is_output else []))
        pairs += [(gap, 0) for gap, _ in found] if is_output else found
    levels = sorted({weight for _, weight in pairs}) or [0]
    width = (len(levels) - 1).bit_length()
    place = {weight: i << gap_bits for i, weight in enumerate(levels)}
    stream = bit_stream((place[weight] | gap for gap, weight in pairs), gap_bits + width)
    wide = sum(len(row.weights) for row in rows)
    marks = {
        "@PLACE@": f"(head & {OUTPUT}) != 0 ? weight++ : {LEVEL}" if wide else LEVEL,
        "@EDGE@": f"{gap_bits + width}u",
        "@GAPS@": f"{2**gap_bits - 1}u",
        "@GAP@": f"{gap_bits}u",
        "@LEVELS@": f"{2**width - 1}u",
    }
    loop = PACKED_LOOP
    for mark, value in marks.items():
        loop = loop.replace(mark, value)
    return Edges(
        rows=rows,
        size=len(stream) + len(levels) + wide + code_bytes(rows) + UNPACKING_BYTES,
        arrays=[
            f"/* Each input of each node, low bits first: {gap_bits} bits for how much further it is than the one\n"
            f"   before it, {width} for the position of its weight in nt_level. */",
            array("uint8_t", "nt_edge", stream or [0]),
            array("int8_t", "nt_level", levels),
        ],
        parameters="const uint8_t *edge, const int8_t *level, ",
        arguments="nt_edge, nt_level, ",
        state=PACKED_STATE,
        loop=loop,
        listed="",
        weighed="a weight per input of an output, and " if wide else "",
    )


def bit_stream(values: Iterable[int], width: int) -> list[int]:
    """Bytes that hold the values in ``width`` bits each, low bits first."""
    found: list[int] = []
    bits = ready = 0
    for value in values:
        bits |= value << ready
        ready += width
        while ready >= 8:
            found.append(bits & MOST)
            bits, ready = bits >> 8, ready - 8
    return [*found, bits] if ready else found


def leaves_of(tree: IntegerTree, order: list[Step], raw: bool) -> list[list[tuple[int, int]]]:
    """Of each node the positions and weights of its edges from inputs."""
    place = {feature: feature if raw else i for i, feature in enumerate(tree.inputs.features.tolist())}
    ops, weights = tree.nodes["op"].tolist(), tree.numbers.weight.tolist()
    return [[(place[ops[leaf]], weights[leaf]) for leaf in step.leaves] for step in order]


def gaps_of(edges: list[tuple[int, int]], most: int) -> Iterable[tuple[int, int]]:
    """Gaps and weights in the order of positions; a gap above ``most`` is filled by edges of weight 0."""
    last = 0
    for place, weight in sorted(edges):
        while place - last > most:
            yield most, 0
            last += most
        yield place - last, weight
        last = place


def _code_width(rows: list[Row]) -> int:
    """Bytes of an entry of the code table."""
    return 1 if max((max(row.length, *row.codes, 0) for row in rows), default=0) <= MOST else 2


def code_bytes(rows: list[Row]) -> int:
    """Bytes of the code table: a head and a count for each node, and the positions."""
    return _code_width(rows) * sum(2 + len(row.codes) for row in rows)
