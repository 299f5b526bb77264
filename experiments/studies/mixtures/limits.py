"""How much of a model of several trees can be pruned, and what it loses with weights of few bits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.frame.experiment import Row
from neuraltree.arrays import FloatArray
from neuraltree.compress import prune_path, with_weight_format
from neuraltree.tree.tree import Tree

SHARES = tuple(round(0.1 * i, 1) for i in range(1, 10))  # of the nodes of every tree
MOST_LOST = 0.01  # of the validation score: one point
CRITERION = "ablation"
FORMATS = ("int8", "int4", "int3", "ternary")  # of the weights; edges into outputs keep 8 bits
LIMITS = ("prunable", *(f"lost_{name}" for name in FORMATS))
MARKS = {"loss_first": 0.0, "loss_quarter": 0.25, "loss_half": 0.5, "loss_last": 1.0}  # shares of a training


class Part(NamedTuple):
    """A tree of a model, and the rows that it is pruned by."""

    tree: Tree
    X: NDArray
    y: NDArray


def limits(parts: Sequence[Part], score: Callable[[list[Tree]], float]) -> Row:
    """``LIMITS`` of a model. ``score``: that of the model with other trees in place of its parts.

    Prunable is the largest share up to which every share, cut from all trees without training, loses no more than
    ``MOST_LOST``; 0 if the smallest does.
    """
    whole = score([part.tree for part in parts])
    by_part = [prune_path(part.tree, part.X, part.y, SHARES, criterion=CRITERION, epochs=0) for part in parts]
    safe = 0.0
    for share, trees in zip(SHARES, zip(*by_part, strict=True), strict=True):
        if score(list(trees)) < whole - MOST_LOST:
            break
        safe = share
    lost = {f"lost_{name}": whole - score([with_weight_format(part.tree, name) for part in parts]) for name in FORMATS}
    return {"prunable": safe} | lost


def curve(losses: FloatArray | Sequence[float]) -> Row:
    """The losses at ``MARKS`` of a training."""
    values = np.asarray(losses, dtype=np.float64)
    return {name: float(values[round(share * (len(values) - 1))]) for name, share in MARKS.items()}
