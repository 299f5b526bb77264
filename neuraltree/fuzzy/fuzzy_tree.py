"""A fitted fuzzy tree: its nodes, and the ranges of its inputs and targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.fuzzy.fuzzy_forest import FuzzyModel, forest_of, loaded, outputs
from neuraltree.fuzzy.rule_params import num_params
from neuraltree.tree.nodes import Nodes, arities

MOST_INPUTS = 6  # of a node, which then has 64 rules


class Range(NamedTuple):
    """(columns,) the lowest value of each column, and the width of its values, 1 for a constant column."""

    low: FloatArray
    span: FloatArray

    @classmethod
    def fit(cls, columns: FloatArray) -> Range:
        """``ValueError`` for a column whose range is beyond doubles."""
        with np.errstate(over="ignore"):
            low, span = columns.min(axis=0), np.ptp(columns, axis=0)
        if not np.isfinite(span).all():
            raise ValueError("a column of X or y ranges over more than 1.8e308; give it another unit")
        return cls(low, np.where(span > 0, span, 1.0))

    def scaled(self, columns: FloatArray) -> FloatArray:
        """(columns, rows), values seen in ``fit`` within 0 and 1, of ``columns`` (rows, columns)."""
        return ((columns - self.low) / self.span).T

    def unscaled(self, scaled: FloatArray) -> FloatArray:
        """(rows, columns), the inverse of ``scaled``."""
        return scaled.T * self.span + self.low


@dataclass(frozen=True, eq=False)
class FuzzyTree:
    """``nodes``: records whose ``bias`` holds the parameters of each node, see ``rule_params``."""

    nodes: Nodes
    model: FuzzyModel
    inputs: Range
    targets: Range

    @property
    def num_params(self) -> int:
        return count_params(self.nodes, self.model.fuzzy_type)

    @property
    def num_nodes(self) -> int:
        return len(self.nodes)

    def predict(self, X: FloatArray) -> FloatArray:
        """(rows, outputs) for raw inputs (rows, features); ``ValueError`` for another shape, or no rows."""
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.inputs.low) or not len(X):
            raise ValueError(f"X has shape {X.shape}; the tree needs (rows, {len(self.inputs.low)}), a row or more")
        forest = forest_of([self.nodes], len(self.inputs.low), self.model)
        params = loaded(forest, [self.nodes], np.random.default_rng(0))
        return self.targets.unscaled(outputs(forest, params, self.inputs.scaled(X))[0])


def count_params(nodes: Nodes, fuzzy_type: int) -> int:
    """The parameters of all function nodes."""
    inputs = arities(nodes["depth"])[nodes["op"] < 0]
    return sum(num_params(n, fuzzy_type) for n in inputs.tolist())


def check_structure(nodes: Nodes, features: int, outputs: int) -> None:
    """``ValueError`` unless the structure fits a task of so many features and outputs."""
    if not {"op", "depth"} <= set(getattr(getattr(nodes, "dtype", None), "names", None) or ()):
        raise ValueError(f"structure is a {type(nodes).__name__}; it must be the nodes of a tree, such as tree_.nodes")
    op, depth = nodes["op"], nodes["depth"]
    most = int(arities(depth).max())
    if np.count_nonzero(depth == 0) != outputs or (op[depth == 0] >= 0).any():
        raise ValueError(
            f"structure has {np.count_nonzero(depth == 0)} outputs; this task needs {outputs} function nodes at depth 0"
        )
    if op.max() >= features:
        raise ValueError(f"structure reads input {op.max()}, but X has {features} columns; use inputs below {features}")
    if most > MOST_INPUTS:
        raise ValueError(
            f"structure has a node of {most} inputs, which would have 2^{most} rules; at most {MOST_INPUTS} are allowed"
        )
