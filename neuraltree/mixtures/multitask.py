"""Trees of several tasks that share a trunk: the outputs of small trees are further inputs of every task's tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.hardware.model.counts import count
from neuraltree.mixtures.table_rows import all_features
from neuraltree.tree.tree import Inputs, Tree


def trunk_names(outputs: int) -> tuple[str, ...]:
    """The names of the trunk's outputs as inputs of the heads."""
    return tuple(f"trunk{i}" for i in range(outputs))


@dataclass(frozen=True, eq=False)
class Multitask:
    """``trunk``: a regression tree whose outputs stand after the raw inputs among the features of all ``heads``.

    ``heads``: a tree for each task, of any kind. ``ValueError`` if a head does not have these features.
    """

    trunk: Tree
    heads: Mapping[str, Tree]

    def __post_init__(self) -> None:
        needed = (*self.trunk.features, *trunk_names(self.trunk.num_outputs))
        if self.trunk.kind != "regression" or not self.heads:
            raise ValueError("a multitask model takes a regression tree as its trunk, and at least one head")
        for name, head in self.heads.items():
            if head.features != needed:
                raise ValueError(
                    f"the head {name!r} has {len(head.features)} features; it needs the trunk's {len(needed)}: its raw "
                    f"inputs and {', '.join(trunk_names(self.trunk.num_outputs))}"
                )

    def inputs(self, X: Inputs) -> FloatArray:
        """(rows, features) of the heads for raw inputs as ``Tree.outputs`` takes them."""
        rows = all_features(self.trunk, X)
        return np.hstack([rows.astype(np.float64), self.trunk.outputs(rows)])

    def predict(self, X: Inputs) -> dict[str, NDArray]:
        """The labels or target values of every task for raw inputs."""
        rows = self.inputs(X)
        return {name: head.predict(rows) for name, head in self.heads.items()}

    @property
    def num_weights(self) -> int:
        """The trunk counts once."""
        return self.trunk.num_weights + sum(head.num_weights for head in self.heads.values())

    @property
    def macs(self) -> float:
        """Multiply-accumulates of a row for all tasks; the trunk is computed once."""
        trees = [self.trunk, *self.heads.values()]
        return float(sum(count(tree.nodes, np.array([0, len(tree.nodes)])).macs[0] for tree in trees))
