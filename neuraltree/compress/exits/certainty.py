"""When it is certain that a score decides nothing more: a rule on the least and the most that a sum can become."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.tree.nodes import IntArray

# From the least and the most of the sum of an output, (..., rows) each: the rows in which its answer is certain.
Decided = Callable[[IntArray, IntArray], NDArray[np.bool_]]


def one_side(tree: IntegerTree) -> Decided:
    """Of two classes: all sums lie on one side of the threshold."""
    threshold = tree.score_threshold
    return lambda low, high: (low > threshold) | (high <= threshold)


def beaten(tree: IntegerTree, output: int, limit: IntArray) -> Decided:
    """Of several classes: no score of the output is above ``limit`` (rows,)."""
    return lambda low, high: score_of(tree, output, high) <= limit


def score_of(tree: IntegerTree, output: int, sums: IntArray) -> IntArray:
    """(..., rows) the scores of an output of several; they grow with its ``sums`` (..., rows)."""
    stage = tree.outputs
    assert stage.multiplier is not None
    assert stage.shift is not None
    shift = int(stage.shift[output])
    return np.asarray((sums * int(stage.multiplier[output]) + (1 << (shift - 1))) >> shift)
