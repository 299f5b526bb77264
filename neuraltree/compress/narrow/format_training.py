"""Training of a tree in the number format that its weights will have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from neuraltree.arrays import FloatArray
from neuraltree.compress.int8.finetune import finetune
from neuraltree.compress.narrow.with_format import with_weight_format
from neuraltree.tasks.task import Task, encode
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
    X, targets = np.asarray(X), _targets(tree, y)
    if len(X) != len(targets):
        raise ValueError(f"X has {len(X)} rows and y has {len(targets)}")
    start = replace(tree, nodes=simplify(tree.nodes))
    (tuned,) = finetune(
        [start],
        X,
        epochs=epochs,
        learning_rate=learning_rate,
        batch_size=batch_size,
        seed=seed,
        weight=weight,
        targets=targets,
        weights=name,
    )
    return with_weight_format(tuned, name)


def _targets(tree: Tree, y: ArrayLike) -> FloatArray:
    """(rows, outputs) the targets as in training."""
    y, loss = np.asarray(y), ""  # the loss of a task plays no part in its encoding
    task = Task(tree.kind, tree.num_outputs, tree.output_activation, loss)
    if tree.classes is None:
        columns = encode(task, y)
        return columns if tree.target_scaler is None else tree.target_scaler.transform(columns)
    places = {label: place for place, label in enumerate(tree.classes)}
    if unknown := [label for label in np.unique(y).tolist() if label not in places]:
        raise ValueError(f"y has the class {unknown[0]!r}; the tree knows {', '.join(map(repr, tree.classes))}")
    return encode(task, np.array([places[label] for label in y.tolist()]))
