"""A mixture of experts: a gate, itself a tree, names for each row the one expert tree that answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.hardware.model.cost import costs, laid_out
from neuraltree.hardware.model.counts import count
from neuraltree.hardware.profile.devices import Code, Device
from neuraltree.mixtures.table_rows import all_features
from neuraltree.tree.tree import Inputs, Tree

MEANS, SUMS = ("latency_s", "energy_j"), ("flash_bytes",)


@dataclass(frozen=True, eq=False)
class Mixture:
    """``gate``: a classifier whose classes are the positions of the experts.

    Only that expert is computed (top-1 routing). ``ValueError`` unless all have the same inputs, and the experts the
    same outputs.
    """

    gate: Tree
    experts: tuple[Tree, ...]

    def __post_init__(self) -> None:
        if len(self.experts) < 2 or self.gate.classes != tuple(range(len(self.experts))):
            raise ValueError(
                f"the gate has the classes {self.gate.classes} and there are {len(self.experts)} experts; give two or "
                "more experts, and a gate with the positions of the experts as classes"
            )
        first = self.experts[0]
        for tree in (self.gate, *self.experts):
            if tree.features != first.features:
                raise ValueError("the trees of a mixture read different inputs; give trees with the same features")
        if any((tree.kind, tree.classes) != (first.kind, first.classes) for tree in self.experts):
            raise ValueError("the experts have different kinds or classes; give trees of one task")

    def routes(self, X: Inputs) -> NDArray:
        """(rows,) the expert of each row of raw inputs, as ``Tree.outputs`` takes them; the first of equal ones."""
        return self.gate.predict(all_features(self.experts[0], X))

    def predict(self, X: Inputs) -> NDArray:
        """Labels (rows,), or target values, of each row's expert."""
        return self._of_experts(X, "predict")

    def predict_proba(self, X: Inputs) -> FloatArray:
        """(rows, classes) in the order of the experts' classes."""
        return self._of_experts(X, "predict_proba")

    def _of_experts(self, X: Inputs, method: str) -> NDArray:
        rows = all_features(self.experts[0], X)
        routes = self.routes(rows)
        found = np.empty_like(getattr(self.experts[0], method)(rows))
        for e, tree in enumerate(self.experts):
            if (own := routes == e).any():
                found[own] = getattr(tree, method)(rows[own])
        return found

    def shares(self, X: Inputs) -> FloatArray:
        """(experts,) the share of the rows that each expert answers; ``ValueError`` without a row."""
        routes = self.routes(X)
        if not len(routes):
            raise ValueError("X has no rows, of which no expert has a share; give a row or more")
        return np.bincount(routes, minlength=len(self.experts)) / len(routes)

    @property
    def num_weights(self) -> int:
        return self.gate.num_weights + sum(tree.num_weights for tree in self.experts)

    def macs(self, X: Inputs) -> tuple[float, float]:
        """Multiply-accumulates of a row: the mean over raw inputs, and those with the largest expert."""
        gate, *experts = (_macs(tree) for tree in (self.gate, *self.experts))
        return gate + float(self.shares(X) @ experts), gate + max(experts)

    def costs(self, X: Inputs, device: Device, code: Code) -> dict[str, float]:
        """Columns of ``hardware.costs``: latency and energy as the mean over raw inputs, and with the costliest expert
        (``worst_expert_`` and the name), flash as the sum over all trees, RAM as the largest.

        The flash is an upper bound: code that trees share, such as that of an activation, counts in each of them.
        """
        gate, *experts = (_costs(tree, device, code) for tree in (self.gate, *self.experts))
        shares = self.shares(X)
        found = {name: gate[name] + float(shares @ [each[name] for each in experts]) for name in MEANS}
        found |= {f"worst_expert_{name}": gate[name] + max(each[name] for each in experts) for name in MEANS}
        found |= {name: gate[name] + sum(each[name] for each in experts) for name in SUMS}
        return found | {"ram_bytes": max(each["ram_bytes"] for each in (gate, *experts))}


def _macs(tree: Tree) -> float:
    return float(count(tree.nodes, np.array([0, len(tree.nodes)])).macs[0])


def _costs(tree: Tree, device: Device, code: Code) -> dict[str, float]:
    nodes, starts, about = laid_out([tree])
    return {name: float(values[0]) for name, values in costs(nodes, starts, device, *code, **about).items()}
