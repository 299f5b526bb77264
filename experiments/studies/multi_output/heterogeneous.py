"""Pareto ensembles of trees of mixed activations against their best member, after Ojha, Abraham & Snášel (2017)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.fronts import front, tested, values
from experiments.common.scoring import score
from experiments.common.searching import Search, Size, last_within, prepare, run
from experiments.frame.experiment import Row, Unit
from neuraltree.estimators.combining import combine
from neuraltree.tasks.metrics import probabilities
from neuraltree.tree.tree import Tree
from search.engine.evaluate import validation_outputs
from search.engine.evolution_step import State
from search.engine.population import Members

TABLES = ("australian", "heart", "ionosphere", "pima", "wdbc", "baseball", "dee", "friedman")
MEMBERS = 5  # at most, as in ``neuraltree.estimators.ensembles``
COLUMNS = (
    *("test_score", "weights", "half_mse"),  # of the member with the lowest validation error
    *("ensemble_score", "ensemble_weights", "ensemble_half_mse", "ensemble_members", "ensemble_activations"),
)


class Ensemble(NamedTuple):
    """Members of a front by their places in it, and their shares in the mean, which add up to 1."""

    places: list[int]
    shares: NDArray[np.float64]


def row(unit: Unit, size: Size) -> Row:
    search = prepare(unit.table, unit.seed, size, {})
    moments = run(search)
    state = moments[last_within(search, moments)].state
    members = front(state.members)
    chosen = choose(search, state, members)
    trees = [model.tree for model in tested(search, state, members)]
    ours = [trees[i] for i in chosen.places]
    best_score, best_mse = _scores(search, trees[:1], np.ones(1))
    both_score, both_mse = _scores(search, ours, chosen.shares)
    hidden = [tree.nodes["op"][(tree.nodes["op"] < 0) & (tree.nodes["depth"] > 0)] for tree in ours]
    return {
        "test_score": best_score,
        "weights": trees[0].num_weights,
        "half_mse": best_mse,
        "ensemble_score": both_score,
        "ensemble_weights": sum(tree.num_weights for tree in ours),
        "ensemble_half_mse": both_mse,
        "ensemble_members": len(ours),
        "ensemble_activations": len(np.unique(np.concatenate(hidden))),
    }


def choose(search: Search, state: State, members: Members) -> Ensemble:
    """Choose by the predictions for the rows that the folds left out, as ``neuraltree.estimators.ensembles`` does."""
    problem = search.setup.problem
    outputs = validation_outputs(problem, members.trees)
    rows = np.concatenate([held for _, held in problem.folds])
    target = problem.truth.target[rows]
    if search.table.classes is None:
        predicted, truth = outputs, target[None]
    else:
        predicted = probabilities(problem.task, outputs)
        truth = np.eye(len(search.table.classes))[:, target]
    return Ensemble(*combine(predicted.reshape(len(predicted), -1), truth.ravel(), MEMBERS))


def _scores(search: Search, trees: list[Tree], shares: NDArray[np.float64]) -> tuple[float, float | None]:
    """Accuracy, or R² and half the mean squared error, of a weighted mean on the test rows."""
    table, rows = search.table, search.setup.test_rows
    X, y = table.X[rows], table.y[rows]
    if table.classes is None:
        mean = sum(w * values(search, tree, rows) for w, tree in zip(shares, trees, strict=True))
        return score(table.kind, y, mean), float(np.mean((y - mean) ** 2) / 2)
    chances = sum(w * tree.predict_proba(X) for w, tree in zip(shares, trees, strict=True))
    return score(table.kind, y, np.argmax(chances, axis=1)), None
