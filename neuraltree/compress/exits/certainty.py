"""Which class is certain, from the bounds of the sums of all outputs."""

from __future__ import annotations

import numpy as np

from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.tree.nodes import IntArray


def certain(tree: IntegerTree, low: IntArray, high: IntArray) -> IntArray:
    """(rows,) the class of every sum in ``low``..``high`` (rows, outputs), or -1 if there are several.

    Scores grow with sums. With one score it is the first class up to the threshold. Else class a is certain if L_a >=
    U_b for every later class b, and L_a > U_b for every earlier one, which would win a tie: only the first of the
    largest L can be.
    """
    low, high = (tree.outputs.scores(sums).astype(np.int64) for sums in (low, high))
    if low.shape[1] == 1:
        threshold = tree.score_threshold
        return np.where(low[:, 0] > threshold, 1, np.where(high[:, 0] <= threshold, 0, -1))
    best = low.argmax(axis=1)
    place = np.arange(low.shape[1])
    rival = np.where(place == best[:, None], np.iinfo(np.int64).min, high + (place < best[:, None]))
    return np.where(low.max(axis=1) >= rival.max(axis=1), best, -1)
