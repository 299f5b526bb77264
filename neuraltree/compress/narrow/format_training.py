"""Training of a tree in the number format that its weights will have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.compress.int8.finetune import finetune
from neuraltree.compress.narrow.with_format import with_weight_format
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.tree.simplify import simplify
from neuraltree.tree.tree import Tree


def finetune_format(
    tree: Tree,
    X: ArrayLike,
    y: ArrayLike,
    name: str,
    *,
    epochs: int,
    learning_rate: float = 0.005,
    batch_size: int = 64,
    seed: int = 0,
    weight: ArrayLike | None = None,
) -> Tree:
    """``with_weight_format(tree, name)`` after straight-through training on these rows in the format ``name``.

    ``X`` (rows, features) raw inputs, ``y`` (rows,) targets in their own units or labels of classes, ``weight`` (rows,)
    weights of the rows. The forward pass is that of the integer code, with weights rounded at every step; the gradient
    at the rounded weights moves those before rounding (Courbariaux et al. 2015, BinaryConnect, algorithm 1,
    https://arxiv.org/abs/1511.00363). The weights are those of the epoch, start included, with the least training loss
    of the integer code, so the result is no worse than without training on these rows. ``ValueError`` for a format
    that is none of integers, for rows that do not fit the tree, and for a tree that ``finetune`` refuses.
    """
    targets = lesson_of(tree, X, y, weight).targets
    start = replace(tree, nodes=simplify(tree.nodes))
    (tuned,) = finetune(
        [start],
        np.asarray(X),
        epochs=epochs,
        learning_rate=learning_rate,
        batch_size=batch_size,
        seed=seed,
        weight=weight,
        targets=targets,
        weights=name,
    )
    return with_weight_format(tuned, name)
