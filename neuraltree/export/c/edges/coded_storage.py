"""Edges from inputs in Huffman codes: one code for gaps, one for weights, and the C that reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuraltree.compress.weights.huffman import canonical_codes, code_lengths
from neuraltree.export.c.edges.edge_storage import Edges, Row, code_bytes, gaps_of, leaves_of
from neuraltree.export.c.parts import array
from neuraltree.export.head import OUTPUT
from neuraltree.export.order import Step

if TYPE_CHECKING:
    from neuraltree.compress.int8.integer_tree import IntegerTree

MOST_GAPS = (15, 31, 63, 127, 254)  # the largest gap without a filler: rare gaps take places in the table of symbols
LONGEST = 15  # bits of a code
ZERO = 128  # the symbol of the weight 0
GAP, LEVEL = 0, 1  # the kinds of symbols
# What decoding takes more than the plain loop at most, by clang -O2 for a Cortex-M0+.
DECODING_BYTES = 160

STATE = "    struct nt_bits bits = {edge, 1};\n"
LOOP = """        const @Q@ *input = q;
        NT_LOOP
        for (; inputs != 0; --inputs) {
            input += nt_symbol(&bits, gap, gap + @GAPS@);
            sum += (int32_t)(@WEIGHT@) * *input;
        }
"""
WEIGHT = f"nt_symbol(&bits, level, level + @LEVELS@) - {ZERO}"
SYMBOL = """/* Where the next bit of the edges is: those left of a byte, low ones first, below a 1. */
struct nt_bits {
    const uint8_t *next;
    unsigned left;
};

/* The next symbol of a canonical Huffman code: how many codes there are of each length from 1 on, and the symbols in
   the order of their codes. */
NT_CALL uint8_t nt_symbol(struct nt_bits *bits, const uint8_t *counts, const uint8_t *symbols)
{
    unsigned left = bits->left, code = 0, count = 0;
    NT_LOOP
    do {
        code -= count;
        symbols += count;
        count = NT_READ(byte, uint8_t, counts++);
        if (left == 1) {
            left = NT_READ(byte, uint8_t, bits->next++) | 256u;
        }
        code = (code << 1) | (left & 1);
        left >>= 1;
    } while (code >= count);
    bits->left = left;
    return NT_READ(byte, uint8_t, symbols + code);
}
"""


def in_codes(tree: IntegerTree, order: list[Step], raw: bool = False) -> Edges:
    """The storage in Huffman codes with the fewest bytes. Outputs, whose weights have 8 bits in narrow formats, have
    them as bytes. ``ValueError`` if a code would be longer than ``LONGEST``."""
    return min((_coded(tree, order, most, raw) for most in MOST_GAPS), key=lambda edges: edges.size)


def _coded(tree: IntegerTree, order: list[Step], most: int, raw: bool) -> Edges:
    nodes = [
        (list(gaps_of(edges, most)), step.slot < 0)
        for step, edges in zip(order, leaves_of(tree, order, raw), strict=True)
    ]
    rows = [Row(len(edges), [], [weight for _, weight in edges] if is_output else []) for edges, is_output in nodes]
    symbols = [
        symbol
        for edges, is_output in nodes
        for gap, weight in edges
        for symbol in ((GAP, gap), (LEVEL, weight + ZERO))[: 1 if is_output else 2]
    ]
    lengths = [code_lengths([symbol for kind, symbol in symbols if kind == wanted]) for wanted in (GAP, LEVEL)]
    codes = [canonical_codes(each) for each in lengths]
    stream = bytes_of("".join(codes[kind][symbol] for kind, symbol in symbols))
    tables = [table_of(each) for each in lengths]
    wide = sum(len(row.weights) for row in rows)
    level = WEIGHT.replace("@LEVELS@", str(tables[LEVEL][0]))
    text = f"(head & {OUTPUT}) != 0 ? NT_READ(byte, int8_t, weight++) : {level}" if wide else level
    return Edges(
        rows=rows,
        size=len(stream) + sum(len(table) for _, table in tables) + wide + code_bytes(rows) + DECODING_BYTES,
        arrays=[
            "/* Each input of each node in Huffman codes: how much further it is than the one before it, and its\n"
            f"   weight + {ZERO}. */",
            array("uint8_t", "nt_edge", stream or [0]),
            "/* The codes of gaps and of weights: the number of each length, and the symbols. */",
            array("uint8_t", "nt_gap", tables[GAP][1] or [0]),
            array("uint8_t", "nt_level", tables[LEVEL][1] or [0]),
            SYMBOL,
        ],
        parameters="const uint8_t *edge, const uint8_t *gap, const uint8_t *level, ",
        arguments="nt_edge, nt_gap, nt_level, ",
        state=STATE,
        loop=LOOP.replace("@GAPS@", str(tables[GAP][0])).replace("@WEIGHT@", text),
        listed="",
        weighed="a weight per input of an output, and " if wide else "",
    )


def table_of(lengths: dict[int, int]) -> tuple[int, list[int]]:
    """The number of lengths, and the table that ``nt_symbol`` reads: how often each occurs, then the symbols."""
    longest = max(lengths.values(), default=0)
    if longest > LONGEST:
        raise ValueError(f"a Huffman code has {longest} bits; style coded takes {LONGEST} at most: give --style table")
    counts = [sum(length == bits for length in lengths.values()) for bits in range(1, longest + 1)]
    return longest, [*counts, *sorted(lengths, key=lambda symbol: (lengths[symbol], symbol))]


def bytes_of(bits: str) -> list[int]:
    """Bytes that hold a text of bits, the first one lowest."""
    return [int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8)]
