"""Canonical Huffman codes: the fewest bits for symbols that occur unequally often (Huffman 1952)."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import NamedTuple

SYMBOL_BYTES = 2  # of the table: a symbol and the length of its code


class Coded(NamedTuple):
    """Symbols in bits, the first bit of a code first, low bits of a byte first. ``lengths``: of the code of each
    symbol, from which the codes follow; ``symbols``: how many there are."""

    lengths: dict[int, int]
    data: bytes
    symbols: int

    @property
    def size(self) -> int:
        """Bytes of the bits and of the table of lengths."""
        return len(self.data) + SYMBOL_BYTES * len(self.lengths)


def code_lengths(symbols: Sequence[int]) -> dict[int, int]:
    """The length in bits of the code of each symbol that occurs."""
    order = count()
    heap = [(often, next(order), [symbol]) for symbol, often in sorted(Counter(symbols).items())]
    lengths = dict.fromkeys(symbols, int(len(heap) == 1))  # a single symbol needs a bit, too
    heapq.heapify(heap)
    while len(heap) > 1:
        (few, _, one), (more, _, other) = heapq.heappop(heap), heapq.heappop(heap)
        for symbol in (*one, *other):
            lengths[symbol] += 1
        heapq.heappush(heap, (few + more, next(order), [*one, *other]))
    return lengths


def encoded(symbols: Sequence[int]) -> Coded:
    lengths = code_lengths(symbols)
    codes = canonical_codes(lengths)
    bits = "".join(codes[symbol] for symbol in symbols)
    data = int(bits[::-1] or "0", 2).to_bytes(-(-len(bits) // 8), "little")
    return Coded(lengths, data, len(symbols))


def decoded(coded: Coded) -> list[int]:
    meaning = {code: symbol for symbol, code in canonical_codes(coded.lengths).items()}
    bits = "".join(f"{byte:08b}"[::-1] for byte in coded.data)
    found: list[int] = []
    start = end = 0
    while len(found) < coded.symbols:
        end += 1
        if (symbol := meaning.get(bits[start:end])) is not None:
            found.append(symbol)
            start = end
        elif end > len(bits):
            raise ValueError(f"the bits end after {len(found)} of {coded.symbols} symbols")
    return found


def canonical_codes(lengths: dict[int, int]) -> dict[int, str]:
    """The canonical codes: of one length in the order of symbols, shorter ones first."""
    codes: dict[int, str] = {}
    value = last = 0
    for symbol, length in sorted(lengths.items(), key=lambda pair: (pair[1], pair[0])):
        value <<= length - last
        codes[symbol] = f"{value:0{length}b}"
        value, last = value + 1, length
    return codes
