"""Fronts by two numbers, validation error and size: their hypervolume, and their members tested once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import moocore
import numpy as np
from numpy.typing import NDArray

from experiments.common.scoring import score
from experiments.common.searching import Moment, Search, last_within
from experiments.common.volumes import tested_volume
from experiments.frame.experiment import Row
from neuraltree.tree.tree import Tree
from search.engine.evolution_step import State, front_of
from search.engine.population import Members, violation
from search.judge.finish import HONEST, finished, judged_front
from search.selection.hypervolume import hypervolume
from search.selection.survivors import ranks

Points = NDArray[np.float64]  # (points, 2): error and size
# Columns about the models that a search returns; hypervolumes are on validation rows.
OUTCOME = (
    *("trees", "hypervolume", "population_hypervolume", "members", "test_volume"),
    *("val_error", "weights", "test_score"),
)


class Tested(NamedTuple):
    """A member of the front, trained again on all training rows.

    ``promised``: its honest error if the front was judged, else its validation error.
    """

    tree: Tree
    promised: float
    test_score: float  # accuracy or R²

    def size(self, cost: str = "weights") -> int:
        return {"weights": self.tree.num_weights, "nodes": self.tree.num_nodes}[cost]


def reference(search: Search, cost: str = "weights") -> NDArray[np.float64]:
    """The reference point (error, size): the error of the best constant, and the largest size that trees can have.

    The same for all seeds: the constant is that of all rows of the table.
    """
    y, most = search.table.y, search.setup.problem.space.max_nodes
    error = 1.0 if search.table.classes is None else 1.0 - float(np.bincount(y).max()) / len(y)
    return np.array([error, {"weights": 2.0 * most, "nodes": most + 1.0}[cost]])


def percent(points: Points, corner: NDArray[np.float64]) -> float:
    """The hypervolume of points in % of the box from 0 to ``corner``; points that are not finite do not count."""
    points = points[np.isfinite(points).all(axis=1)]
    return 100.0 * hypervolume(points, corner) / float(corner.prod()) if len(points) else 0.0


def points_of(members: Members, cost: str = "weights") -> Points:
    """The points of the trees whose training did not diverge."""
    return np.column_stack([members.columns["val_error"], members.columns[cost]])[members.ok]


def archives(moments: Sequence[Moment], cost: str = "weights") -> list[Points]:
    """After each generation, the points that no tree trained so far dominates."""
    best, found = np.empty((0, 2)), []
    for moment in moments:
        best = np.vstack([best, points_of(moment.evaluated, cost)])
        best = best[moocore.is_nondominated(best)] if len(best) else best
        found.append(best)
    return found


def front(members: Members, cost: str = "weights") -> Members:
    """The members that no other dominates in validation error and size, lowest error first."""
    points = np.column_stack([members.columns["val_error"], members.columns[cost]])
    excess = violation(members, {})
    return members.take(front_of(members, points, ranks(points, excess), excess))


def tested(search: Search, state: State, members: Members) -> list[Tested]:
    """Members in their order, trained on all training rows, then scored on the test rows for the first time."""
    table, rows = search.table, search.setup.test_rows
    done = finished(search.setup, table, members, lambda text: None, lambda: False, evaluations=state.evaluations)
    return [
        Tested(
            each.tree,
            each.values.get(HONEST[0], each.values["val_error"]),
            score(table.kind, table.y[rows], values(search, each.tree, rows)),
        )
        for each in done
    ]


def values(search: Search, tree: Tree, rows: NDArray[np.int64]) -> NDArray:
    """Predictions as ``search.table.y`` holds the truth: numbers, or positions of classes."""
    predicted = tree.predict(search.table.X[rows])
    classes = search.table.classes
    return predicted if classes is None else np.searchsorted(np.array(classes), predicted)


def served(models: Sequence[Tested], corner: NDArray[np.float64], cost: str = "weights") -> float:
    """``tested_volume`` of a front."""
    promised, test_errors = [model.promised for model in models], [1 - model.test_score for model in models]
    return tested_volume(promised, test_errors, [model.size(cost) for model in models], corner.tolist())


def judged(search: Search, state: State, members: Members) -> Members:
    """The members with their honest errors, without those that others dominate by these."""
    found, _ = judged_front(
        search.setup, search.table, members, lambda text: None, lambda: False, evaluations=state.evaluations
    )
    return found


def outcome(search: Search, moments: Sequence[Moment], cost: str = "weights", *, afresh: bool = False) -> Row:
    """``OUTCOME`` of the last generation within the budget; ``afresh``: honest errors choose among its members."""
    last = last_within(search, moments)
    state, corner = moments[last].state, reference(search, cost)
    members = front(state.members, cost)
    models = tested(search, state, judged(search, state, members) if afresh else members)
    return {
        "trees": state.evaluations,
        "hypervolume": percent(archives(moments[: last + 1], cost)[-1], corner),
        "population_hypervolume": percent(points_of(state.members, cost), corner),
        "members": len(models),
        "test_volume": served(models, corner, cost),
        "val_error": models[0].promised,
        "weights": models[0].tree.num_weights,
        "test_score": models[0].test_score,
    }
