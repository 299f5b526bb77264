"""The terms of an output's sum: what each costs, between which integers it lies, and in which order they decide."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np

from neuraltree.compress.byte_inputs import ByteStage
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.int8.stages import InputStage, MixedStage
from neuraltree.tree.nodes import IntArray, subtree_end

# Instructions of straight code on an emulated Cortex-M0+, rounded: they predict the means of nine trees within 8 %.
# Only their ratios count, for the order and the checks, so that other cores need no numbers of their own.
EDGE, NODE, FLOAT_INPUT, INTEGER_INPUT, BYTE_INPUT = 4, 16, 55, 11, 1


class Term(NamedTuple):
    """A child of an output, with all below it. ``node``: its position in the tree; ``low``..``high``: of what it adds
    to the sum of ``output``; ``features``: the inputs it reads, as positions among the used ones."""

    node: int
    output: int
    low: int
    high: int
    edges: int
    hidden: int
    features: frozenset[int]


def terms_of(tree: IntegerTree) -> list[Term]:
    """The terms of all outputs, in prefix order.

    An interval comes from the integers that a child can have, which interval arithmetic found for all clamped inputs.
    """
    depth, op = tree.nodes["depth"], tree.nodes["op"]
    place = {feature: i for i, feature in enumerate(tree.inputs.features.tolist())}
    numbers, found, output = tree.numbers, list[Term](), -1
    for i in np.flatnonzero(depth <= 1).tolist():
        if depth[i] == 0:
            output += 1
            continue
        end = subtree_end(depth, i)
        ends = [int(numbers.weight[i] * value[i]) for value in (numbers.low, numbers.high)]
        leaves = op[i:end][op[i:end] >= 0].tolist()
        features = frozenset(place[feature] for feature in leaves)
        found.append(Term(i, output, min(ends), max(ends), end - i, end - i - len(leaves), features))
    return found


def read_costs(stage: InputStage | MixedStage | ByteStage) -> IntArray:
    """(used,) instructions that turn each used input into 8 bits."""
    if isinstance(stage, InputStage):
        return np.full(len(stage.features), FLOAT_INPUT)
    if isinstance(stage, ByteStage):
        return np.full(len(stage.features), BYTE_INPUT)
    return np.where(np.isin(stage.features, stage.floats.features), FLOAT_INPUT, INTEGER_INPUT)


def instructions(terms: Sequence[Term], reads: IntArray) -> IntArray:
    """(terms + 1,) of the first terms; an input costs ``reads`` (used,) where it is read first."""
    known, found = set[int](), [0]
    for term in terms:
        found.append(found[-1] + own_cost(term) + int(reads[list(term.features - known)].sum()))
        known |= term.features
    return np.array(found)


def own_cost(term: Term) -> int:
    """Instructions of a term whose inputs are 8 bits already."""
    return EDGE * term.edges + NODE * term.hidden


def ordered(terms: Sequence[Term], reads: IntArray) -> list[Term]:
    """The order in which the answer of an output is certain early and cheaply.

    From the last one backwards: each is the term that can change the sum least per instruction that it costs.
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
