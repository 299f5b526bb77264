"""Training of a tree in the number format that its weights will have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.compress.int8.finetune import finetune
from neuraltree.compress.narrow.shared_training import finetune_shared
from neuraltree.compress.narrow.with_format import with_weight_format
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.compress.weights.weight_formats import weight_format
from neuraltree.tree.simplify import simplify
from neuraltree.tree.tree import Tree


def trainable(name: str) -> bool:
    """Whether trees can be trained in the format of this name: all but floats, and int8, which loses nothing."""
    return name != "int8" and weight_format(name).cast is None


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
    stochastic: bool = False,
) -> Tree:
    """``with_weight_format(tree, name)`` after straight-through training on these rows in the format ``name``.

    ``X`` (rows, features) raw inputs, ``y`` (rows,) targets in their own units or labels of classes, ``weight`` (rows,)
    weights of the rows. The forward pass is that of the integer code, with weights rounded at every step; the gradient
    at the rounded weights moves those before rounding (Courbariaux et al. 2015, BinaryConnect, algorithm 1,
    https://arxiv.org/abs/1511.00363). The weights are those of the epoch, start included, with the least training loss
    of the integer code, so the result is no worse than without training on these rows. ``stochastic``: "binary" weights
    are rounded at random in training (section 2.3 there); the result has their signs, as ever.

    Of weights that are shared ("shared4"), the values and the biases are trained, and which weights share a value is
    not; see ``shared_training``.

    ``ValueError`` for a format of floats, for rows that do not fit the tree, for a tree that ``finetune`` refuses, and
    for ``stochastic`` with another format.
    """
    if stochastic and name != "binary":
        raise ValueError(f"only weights in binary are rounded at random in training, not those in {name}")
    lesson = lesson_of(tree, X, y, weight)
    if weight_format(name).shared:
        how: dict[str, Any] = {"epochs": epochs, "learning_rate": learning_rate, "batch_size": batch_size}
        return finetune_shared(with_weight_format(tree, name), lesson, **how, seed=seed)
    start = replace(tree, nodes=simplify(tree.nodes))
    (tuned,) = finetune(
        [start],
        np.asarray(X),
        epochs=epochs,
        learning_rate=learning_rate,
        batch_size=batch_size,
        seed=seed,
        weight=weight,
        targets=lesson.targets,
        weights=name,
        stochastic=stochastic,
    )
    return with_weight_format(tuned, name)
