"""A population as arrays: members with their scores, joined, filtered and judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import Nodes
from search.engine.evaluate import Columns

MOST_OVER = 1e6  # by how much one budget can be missed, at most
DIVERGED = 1e9  # violation of a tree whose training diverged: behind all that merely miss budgets


@dataclass(frozen=True)
class Members:
    """Evaluated trees; every array has one entry per member, ``ids`` the order of evaluation in the run."""

    trees: list[Nodes]
    ids: NDArray[np.int64]
    columns: Columns
    best_epoch: NDArray[np.int64]
    ok: NDArray[np.bool_]

    def take(self, index: NDArray[np.int64]) -> Members:
        return Members(
            [self.trees[i] for i in index],
            self.ids[index],
            {name: values[index] for name, values in self.columns.items()},
            self.best_epoch[index],
            self.ok[index],
        )


def merge(parts: Sequence[Members]) -> Members:
    return Members(
        [tree for part in parts for tree in part.trees],
        np.concatenate([part.ids for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
        np.concatenate([part.best_epoch for part in parts]),
        np.concatenate([part.ok for part in parts]),
    )


def objectives(members: Members, names: Sequence[str], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """(members, objectives) float64; a diverged tree sits at the reference point, so it contributes nothing."""
    points = np.column_stack([members.columns[name] for name in names]).astype(np.float64)
    points[~members.ok] = reference
    return points


def violation(members: Members, bounds: dict[str, float]) -> NDArray[np.float64]:
    """(members,) by how much budgets are missed, relative to each budget and summed; 0 is feasible."""
    total = np.where(members.ok, 0.0, DIVERGED)
    for name, bound in bounds.items():
        over = np.maximum(members.columns[name] - bound, 0.0)
        total += np.minimum(over / bound if bound > 0 else over, MOST_OVER)
    return total


def structure_key(nodes: Nodes) -> bytes:
    """Equal for trees of equal shape, activations and inputs, whatever their weights."""
    return nodes["depth"].tobytes() + nodes["op"].tobytes()


def best_of_each_structure(members: Members, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sorted indices of the members that come first in ``order`` among those of one structure."""
    best: dict[bytes, int] = {}
    for i in order:
        best.setdefault(structure_key(members.trees[i]), int(i))
    return np.array(sorted(best.values()), dtype=np.int64)
