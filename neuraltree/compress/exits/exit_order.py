"""The order of terms in which rows are certain early and cheaply."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.exits.certainty import certain
from neuraltree.compress.exits.output_terms import Term, own_cost, read_costs, terms_of
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.tree.nodes import IntArray

# Terms that are tried for a place, and about how many tries there are in all: thousands of terms take seconds.
CANDIDATES, TRIES = 24, 10_000


class _Bounds(NamedTuple):
    """Between what the sums (rows, outputs) lie without some terms, and of how many rows the class is certain."""

    low: IntArray
    high: IntArray
    certain_rows: int


def ordered(tree: IntegerTree, q: NDArray[np.int8]) -> list[Term]:
    """The terms of a tree, from the last one backwards: each is the one that leaves the most of the rows ``q`` (rows,
    used inputs) certain without it and those after it, per instruction that it costs.

    Tried are those that can add least per instruction. An input costs where it is read first, so it is saved with the
    last term left that reads it.
    """
    added, reads, gain = tree.terms(q), read_costs(tree), _gains(tree)
    left = sorted(terms_of(tree), key=lambda term: gain[term.output] * (term.low - term.high) / own_cost(term))
    readers = Counter(feature for term in left for feature in term.features)
    sums = np.repeat(tree.numbers.bias[tree.nodes["depth"] == 0][None], len(q), axis=0)
    for term in left:
        sums[:, term.output] += added[term.node]
    bounds, found = _Bounds(sums, sums, len(q)), list[Term]()

    def saved(term: Term) -> int:
        return own_cost(term) + sum(int(reads[i]) for i in term.features if readers[i] == 1)

    most = max(2, min(CANDIDATES, TRIES // max(len(left), 1)))
    while left:
        tried = [(term, _without(tree, bounds, term, added[term.node])) for term in left[-most:]]
        last, bounds = max(
            tried, key=lambda one: ((one[1].certain_rows - bounds.certain_rows) / saved(one[0]), saved(one[0]))
        )
        left.remove(last)
        readers.subtract(last.features)
        found.append(last)
    return found[::-1]


def _without(tree: IntegerTree, bounds: _Bounds, term: Term, value: IntArray) -> _Bounds:
    """The bounds without a term that adds ``value`` (rows,)."""
    low, high = bounds.low.copy(), bounds.high.copy()
    low[:, term.output] += term.low - value
    high[:, term.output] += term.high - value
    return _Bounds(low, high, int((certain(tree, low, high) >= 0).sum()))


def _gains(tree: IntegerTree) -> NDArray[np.float64]:
    """(outputs,) scores per unit of each output's sum."""
    stage = tree.outputs
    if stage.multiplier is None or stage.shift is None:
        return np.ones(1)
    return stage.multiplier / 2.0**stage.shift
