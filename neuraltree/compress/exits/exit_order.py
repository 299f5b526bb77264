"""The order of the terms of an output in which its answer is certain early and cheaply."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from neuraltree.compress.exits.output_terms import Term, own_cost
from neuraltree.tree.nodes import IntArray


def ordered(terms: Sequence[Term], reads: IntArray) -> list[Term]:
    """From the last one backwards: each is the term that can change the sum least per instruction that it costs.

    ``reads`` (used,): instructions that turn an input into 8 bits. An input costs where it is read first, so it is
    saved with the last term left that reads it.
    """
    readers: dict[int, set[int]] = {}
    for i, term in enumerate(terms):
        for feature in term.features:
            readers.setdefault(feature, set()).add(i)

    def key(i: int) -> tuple[float, int]:
        saved = sum(int(reads[feature]) for feature in terms[i].features if len(readers[feature]) == 1)
        return (terms[i].high - terms[i].low) / (own_cost(terms[i]) + saved), i

    waiting, left, found = [key(i) for i in range(len(terms))], set(range(len(terms))), list[Term]()
    heapify(waiting)
    while left:
        _, i = heappop(waiting)
        if i not in left:
            continue  # it was here twice, as its key fell
        left.remove(i)
        found.append(terms[i])
        for feature in terms[i].features:
            readers[feature].remove(i)
            if len(readers[feature]) == 1:
                heappush(waiting, key(next(iter(readers[feature]))))
    return found[::-1]
