"""The share of a tree's score that 8-bit code loses, and the warning about a large loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.tasks.links import class_codes
from neuraltree.tree.nodes import IntArray
from neuraltree.tree.tree import Tree

LARGE_LOSS = 0.05  # share of the score beyond which the user is warned
MOST_ROWS = 1_000


def int8_loss(
    tree: Tree, X: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None, weights: str = "int8"
) -> float | None:
    """The share of the score on these rows that 8-bit code loses, 0 to 1. The score is the accuracy, or R².

    Rows of weight 0 do not count. ``weights``: the format of the weights, see ``quantize_tree``.

    ``y`` (rows,): positions of classes, or targets in their own units. None if there is no 8-bit code for the tree.
    """
    X, y = np.asarray(X), np.asarray(y)
    counts = np.ones(len(X)) if weight is None else np.asarray(weight, dtype=np.float64)
    rows = np.flatnonzero(counts)
    rows = rows[spread_rows(len(rows))]
    X, y, counts = X[rows], y[rows], counts[rows]
    try:
        model = quantize_tree(tree, weights=weights)
    except ValueError:
        return None
    found = model.predict_q(model.quantize(X))
    if tree.classes is None:
        whole, integers = (_r2(y, values, counts) for values in (tree.predict(X), model.outputs.values(found)))
    else:
        codes = class_codes(tree.outputs(X), tree.logit_threshold)
        whole, integers = (float(np.average(y == values, weights=counts)) for values in (codes, found))
    # A model that is no better than a constant has nothing to lose.
    return float(np.clip((whole - integers) / whole, 0, 1)) if whole > 0 else 0.0


def spread_rows(count: int, most: int = MOST_ROWS) -> IntArray:
    """Positions of at most ``most`` of ``count`` rows, evenly spread."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def loses_much(tree: Tree) -> bool:
    return tree.int8_loss is not None and tree.int8_loss > LARGE_LOSS


def word_of_loss(tree: Tree) -> str:
    """A warning for the user if the 8-bit code of the tree loses much, else an empty string."""
    if not loses_much(tree):
        return ""
    score = "R²" if tree.classes is None else "accuracy"
    return (
        f"8-bit code loses {100 * (tree.int8_loss or 0):.0f} % of the {score} that the model has on its training rows; "
        "use float32, or train it on the logarithm of its skewed inputs"
    )


def _r2(y: NDArray, values: NDArray, counts: NDArray) -> float:
    mean = np.average(y, weights=counts)
    left, all_of_it = (np.average(np.square(y - other), weights=counts) for other in (values, mean))
    return float(1 - left / all_of_it) if all_of_it > 0 else 0.0
