"""The sample that baselines are trained on, and the trained models with counts of their weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.arrays import FloatArray
from neuraltree.tree.nodes import Nodes, node_dtype

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows to fit: scaled ``X`` (rows, features), ``y`` (rows,) of scaled values or class codes, ``weight`` (rows,)."""

    X: FloatArray
    y: NDArray
    weight: FloatArray
    kind: str  # regression | binary | multiclass

    def take(self, rows: NDArray) -> Sample:
        """These rows without those of weight 0; the other weights are scaled to the mean 1."""
        rows = rows[self.weight[rows] > 0]
        weight = self.weight[rows] / self.weight[rows].mean()
        return Sample(self.X[rows], self.y[rows], weight, self.kind)


class Model(Protocol):
    @property
    def weights(self) -> int:
        """Trainable scalars."""

    @property
    def macs(self) -> int: ...

    def outputs(self, X: FloatArray) -> FloatArray:
        """(rows, outputs) for scaled inputs: the scaled target, one logit for two classes, or one logit per class."""


@dataclass(frozen=True, eq=False)
class Network:
    """Layers of weights (inputs, units) and biases (units,), with ReLU between them; ``kept`` masks existing edges."""

    coefficients: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    kept: tuple[Mask, ...]

    @property
    def weights(self) -> int:
        """The number of weights: one per edge and a bias per unit, as for neural trees."""
        return self.macs + sum(map(len, self.biases))

    @property
    def macs(self) -> int:
        return sum(int(np.count_nonzero(mask)) for mask in self.kept)

    def outputs(self, X: FloatArray) -> FloatArray:
        values = X @ self.coefficients[0] + self.biases[0]
        for weights, bias in zip(self.coefficients[1:], self.biases[1:], strict=True):
            values = np.maximum(values, 0.0) @ weights + bias
        return values

    def nodes(self) -> Nodes | None:
        """The network as a neural tree; None if a hidden unit feeds more than one other, or a unit has no input.

        The tree has the same edges and biases: each of its leaves is an edge, however often the feature is read.
        """
        shared = any((mask.sum(axis=1) != 1).any() for mask in self.kept[1:])
        if shared or not all(mask.any(axis=0).all() for mask in self.kept):
            return None
        last = len(self.kept) - 1
        records = [row for unit in range(len(self.biases[-1])) for row in self._below(last, unit, 0, 0.0)]
        return np.array(records, dtype=node_dtype(1))

    def _below(self, layer: int, unit: int, depth: int, weight: float) -> Iterator[tuple[int, int, float, float]]:
        """The records of a unit and all below it, in prefix order."""
        activation = "identity" if layer == len(self.kept) - 1 else "relu"
        yield depth, ~code_of(activation), weight, self.biases[layer][unit]
        for source in np.flatnonzero(self.kept[layer][:, unit]).tolist():
            edge = self.coefficients[layer][source, unit]
            if layer:
                yield from self._below(layer - 1, source, depth + 1, edge)
            else:
                yield depth + 1, source, edge, 0.0


def dense(coefficients: list[FloatArray], biases: list[FloatArray]) -> Network:
    """A network that has every edge, whatever its weight."""
    kept = tuple(np.ones(weights.shape, dtype=bool) for weights in coefficients)
    return Network(tuple(coefficients), tuple(biases), kept)


MOST_LEAVES = 10_000  # of a decision tree before pruning, about: scikit-learn's pruning takes quadratic time in them


def least_of_leaf(rows: int) -> int:
    """The fewest of so many rows that a leaf may have."""
    return max(1, rows // MOST_LEAVES)


@dataclass(frozen=True, eq=False)
class Cart:
    """A fitted decision tree of scikit-learn.

    ``weights`` counts a threshold per split and the values of the leaves: one per leaf for regression or two classes,
    one per leaf and class for more. The feature that a split reads is structure and not counted, as in neural trees.
    A decision tree compares and never multiplies, so its ``macs`` are 0.
    """

    estimator: Any
    kind: str

    @property
    def weights(self) -> int:
        leaves = int(self.estimator.get_n_leaves())
        per_leaf = len(self.estimator.classes_) if self.kind == "multiclass" else 1
        return (leaves - 1) + leaves * per_leaf

    @property
    def macs(self) -> int:
        return 0

    def outputs(self, X: FloatArray) -> FloatArray:
        """For classes, the logarithms of a leaf's class shares with Laplace's correction, (n_c + 1) / (n + classes).

        Without it a pure leaf would be certain, and one mistake of that leaf would outweigh all else in the log loss
        (Provost and Domingos 2003, section 3.2). The correction changes no predicted class.
        """
        if self.kind == "regression":
            return self.estimator.predict(X)[:, None]
        tree, leaf = self.estimator.tree_, self.estimator.apply(X)
        counts = tree.value[leaf, 0] * tree.weighted_n_node_samples[leaf, None] + 1.0
        logs = np.log(counts / counts.sum(axis=1, keepdims=True))
        return logs if self.kind == "multiclass" else logs[:, 1:] - logs[:, :1]
