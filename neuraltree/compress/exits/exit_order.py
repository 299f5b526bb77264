"""The order of terms in which rows are certain early and cheaply."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.exits.certainty import certain
from neuraltree.compress.exits.output_terms import Term, own_cost, read_costs, terms_of
from neuraltree.compress.int8.integer_tree import IntegerTree

CANDIDATES = 24  # terms that are tried for a place, so that long outputs take seconds


def ordered(tree: IntegerTree, q: NDArray[np.int8]) -> list[Term]:
    """The terms of a tree, from the last one backwards: each is the one that leaves the most of the rows ``q`` (rows,
    used inputs) certain without it and those after it, per instruction that it costs.

    Tried are those that can add least per instruction. An input costs where it is read first, so it is saved with the
    last term left that reads it.
    """
    added, reads = tree.terms(q), read_costs(tree)
    top = tree.nodes["depth"] == 0
    bias, gain = tree.numbers.bias[top], _gains(tree)
    left = sorted(terms_of(tree), key=lambda term: gain[term.output] * (term.low - term.high) / own_cost(term))
    low = np.repeat(bias[None], len(q), axis=0)
    for term in left:
        low[:, term.output] += added[term.node]
    high, found = low.copy(), list[Term]()
    readers = Counter(feature for term in left for feature in term.features)
    certain_rows = len(q)
    while left:
        tried = []
        for term in left[-CANDIDATES:]:
            k, value = term.output, added[term.node]
            lower, upper = low.copy(), high.copy()
            lower[:, k] += term.low - value
            upper[:, k] += term.high - value
            rows = int((certain(tree, lower, upper) >= 0).sum())
            saved = own_cost(term) + sum(int(reads[i]) for i in term.features if readers[i] == 1)
            tried.append(((rows - certain_rows) / saved, saved, term, lower, upper, rows))
        *_, last, low, high, certain_rows = max(tried, key=lambda one: one[:2])
        left.remove(last)
        readers.subtract(last.features)
        found.append(last)
    return found[::-1]


def _gains(tree: IntegerTree) -> NDArray[np.float64]:
    """(outputs,) scores per unit of each output's sum."""
    stage = tree.outputs
    if stage.multiplier is None or stage.shift is None:
        return np.ones(1)
    return stage.multiplier / 2.0**stage.shift
