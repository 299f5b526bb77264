"""The terms of an output's sum: what each costs, and between which integers it lies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.int8.stages import InputStage
from neuraltree.tree.nodes import subtree_end

# Instructions of straight code on a Cortex-M0+, measured by ``benchmarks.run early_exit``; their ratios choose an
# order, so that other cores need no numbers of their own.
EDGE, NODE, FLOAT_INPUT, INTEGER_INPUT = 4, 16, 55, 11


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


def read_costs(tree: IntegerTree) -> NDArray[np.int64]:
    """(used,) instructions that turn each used input into 8 bits."""
    stage = tree.inputs
    if isinstance(stage, InputStage):
        return np.full(len(stage.features), FLOAT_INPUT)
    return np.where(np.isin(stage.features, stage.floats.features), FLOAT_INPUT, INTEGER_INPUT)


def ordered(tree: IntegerTree) -> list[Term]:
    """The terms in the order of the range that each settles per instruction, falling.

    An input costs where it is read first, so a term becomes cheaper when others have read its inputs.
    """
    left, reads = terms_of(tree), read_costs(tree)
    gain = _gains(tree)
    known: set[int] = set()
    found = []
    while left:
        best = max(left, key=lambda term: gain[term.output] * (term.high - term.low) / cost(term, known, reads))
        left.remove(best)
        found.append(best)
        known |= best.features
    return found


def cost(term: Term, known: set[int], reads: NDArray[np.int64]) -> int:
    """Instructions of a term where the inputs ``known`` are 8 bits already."""
    return EDGE * term.edges + NODE * term.hidden + sum(int(reads[i]) for i in term.features - known)


def _gains(tree: IntegerTree) -> NDArray[np.float64]:
    """(outputs,) scores per unit of each output's sum."""
    stage = tree.outputs
    if stage.multiplier is None or stage.shift is None:
        return np.ones(1)
    return stage.multiplier / 2.0**stage.shift
