"""A population as arrays: members with their scores, joined, filtered and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import Nodes
from search.engine.evaluate import Columns
from search.variation.genes import CHOICES

MOST_OVER = 1e6  # the largest violation that one missed budget can add
DIVERGED = 1e9  # violation of a tree whose training diverged: it ranks behind trees that only miss budgets


@dataclass(frozen=True)
class Members:
    """Evaluated trees; every array has one entry per member. ``ids`` count the evaluated trees of a run from 0."""

    trees: list[Nodes]
    ids: NDArray[np.int64]
    columns: Columns
    ok: NDArray[np.bool_]

    def take(self, index: NDArray[np.int64]) -> Members:
        return Members(
            [self.trees[i] for i in index],
            self.ids[index],
            {name: values[index] for name, values in self.columns.items()},
            self.ok[index],
        )


def merge(parts: Sequence[Members]) -> Members:
    return Members(
        [tree for part in parts for tree in part.trees],
        np.concatenate([part.ids for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
        np.concatenate([part.ok for part in parts]),
    )


def objectives(members: Members, names: Sequence[str], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """(members, objectives) float64; a diverged tree is put at the reference point, so it contributes nothing."""
    points = np.column_stack([members.columns[name] for name in names]).astype(np.float64)
    points[~members.ok] = reference
    return points


def violation(members: Members, bounds: dict[str, float]) -> NDArray[np.float64]:
    """(members,) the sum of how far each budget is exceeded, relative to the budget; 0 means feasible."""
    total = np.where(members.ok, 0.0, DIVERGED)
    for name, bound in bounds.items():
        over = np.maximum(members.columns[name] - bound, 0.0)
        total += np.minimum(over / bound if bound > 0 else over, MOST_OVER)
    return total


def structure_key(nodes: Nodes) -> bytes:
    """Equal for trees of equal shape, activations and inputs, whatever their weights."""
    return nodes["depth"].tobytes() + nodes["op"].tobytes()


def best_of_each_structure(members: Members, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted indices of the members that come first in ``order`` among those with the same structure, and the same
    ``CHOICES`` if each has its own."""
    best: dict[tuple[bytes, bytes], int] = {}
    chosen = np.column_stack([members.columns.get(name, np.zeros(len(members.trees))) for name in CHOICES])
    for i in order:
        best.setdefault((structure_key(members.trees[i]), chosen[i].tobytes()), int(i))
    return np.array(sorted(best.values()), dtype=np.int64)
