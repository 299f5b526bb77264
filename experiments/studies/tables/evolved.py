"""The evolved neural trees of the 14 tables: one search makes the rows of every budget and of the ensemble."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common.holdout import holdout
from experiments.common.paper_tables import table
from experiments.common.scoring import score
from experiments.common.teachers import SETTINGS, fitting, teachers
from experiments.frame.experiment import Row, Unit
from experiments.studies.reference.peeking import Run, train_peeking
from experiments.studies.tables.rows import BUDGETS, honest
from neuraltree.engine.training import Settings
from neuraltree.estimators.ensembles import members_of
from neuraltree.estimators.options import Options
from neuraltree.estimators.samples import Sample
from neuraltree.tasks.task import encode, make_task
from neuraltree.tree.tree import Tree
from search.evolution import NODES, NODES_PER_OUTPUT, Evolution
from search.runs.evolving import Found
from search.table.data import Table
from search.teachers.teaching import LAST_EPOCHS, LAST_ROWS, OWN, ROWS, SPREAD

MEMBERS = 5
EPOCHS_TAUGHT, EPOCHS_ALONE = 8, 20
OPTIONS: dict[str, Any] = {
    "activations": ("sigmoid", "tanh", "gaussian", "relu"),
    "max_nodes": None,
    "max_depth": 5,
    "max_arity": None,
    "optimizer": "adamw",
    "learning_rate": 0.01,
    "weight_decay": None,  # the default of a search: by the number of rows, and none with teachers
    "batch_size": None,
}
LESSON = {"rows": ROWS, "last_rows": LAST_ROWS, "last_epochs": LAST_EPOCHS, "spread": SPREAD, "own": OWN}
PEEKING = {"epochs": 500, "learning_rate": 0.003, "batch_size": 1}  # as many test scores as in the reference
SEARCH: dict[str, Any] = {"population": 100, "generations": 20, "folds": 4}
QUICK: dict[str, Any] = {"population": 8, "generations": 1, "folds": 2}


class Chosen(NamedTuple):
    """A table, the training sample, the test rows, and the result of the search on the training sample."""

    table: Table
    sample: Sample
    test: NDArray[np.int64]
    found: Found


def run(unit: Unit, quick: bool) -> list[Row]:
    """Trees that learn from teachers: without a budget, within every budget, as an ensemble, and by the reference's
    protocol."""
    of = _searched(unit, quick, teaching=True)
    chosen = of.found.front.select()
    rows = [_row(of, "evolved", chosen.tree())]
    rows += [_row(of, "evolved", member.tree(), budget) for budget, member in _within(of)]
    return [*rows, _ensemble(of, "ensemble"), _peeked(of, chosen.tree(), unit.seed)]


def run_alone(unit: Unit, quick: bool) -> list[Row]:
    """The same search without teachers."""
    of = _searched(unit, quick, teaching=False)
    return [_row(of, "evolved_alone", of.found.front.select().tree()), _ensemble(of, "ensemble_alone")]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    taught = {"teachers": SETTINGS, "lesson": LESSON, "epochs": EPOCHS_TAUGHT, "budgets": BUDGETS, "peeking": PEEKING}
    return settings_alone(unit, quick) | taught


def settings_alone(unit: Unit, quick: bool) -> dict[str, Any]:
    del unit
    search = {"search": QUICK if quick else SEARCH, "nodes": [NODES, NODES_PER_OUTPUT], "options": OPTIONS}
    return search | {"members": MEMBERS, "epochs": EPOCHS_ALONE}


def _searched(unit: Unit, quick: bool, *, teaching: bool) -> Chosen:
    data = table(unit.table)
    train, test = holdout(data, unit.seed)
    sample = Sample(data.X[train], data.y[train], data.kind, data.features, data.classes)
    loss = "rmse" if data.kind == "regression" else "log_loss"
    experts = teachers(data.kind, data.X.shape[1], unit.seed) if teaching else None
    search = Evolution(**(QUICK if quick else SEARCH), objectives=(loss, "weights"), teachers=experts)
    options = Options(**OPTIONS, epochs=EPOCHS_TAUGHT if teaching else EPOCHS_ALONE)
    with fitting():
        return Chosen(data, sample, test, search.evolve(sample, options, seed=unit.seed, n_jobs=1, verbose=0))


def _within(of: Chosen) -> list[tuple[int, Any]]:
    """Each budget with its member of lowest validation error; a budget below the smallest member is left out."""
    least = min(member.weights for member in of.found.front)
    return [(budget, of.found.front.select(weights=budget)) for budget in BUDGETS if budget >= least]


def _row(of: Chosen, model: str, tree: Tree, budget: int | None = None) -> Row:
    found = _score(of.table, of.test, tree.predict(of.table.X[of.test]))
    return honest(model, budget=budget, score=found, weights=tree.num_weights, macs=tree.num_nodes - tree.num_outputs)


def _score(table: Table, rows: NDArray, predicted: NDArray) -> float:
    """Predictions are values, or labels."""
    if table.classes is None:
        return score(table.kind, table.y[rows], predicted)
    return score(table.kind, np.asarray(table.classes)[table.y[rows]], predicted)


def _ensemble(of: Chosen, model: str) -> Row:
    """The weighted mean of several members, as in a Pareto ensemble."""
    chosen, shares = members_of(of.found, of.sample, MEMBERS)
    trees, X = [of.found.front[i].tree() for i in chosen], of.table.X[of.test]
    if of.table.classes is None:
        predicted = sum((w * tree.predict(X) for w, tree in zip(shares, trees, strict=True)), start=np.zeros(()))
    else:
        mean = sum((w * tree.predict_proba(X) for w, tree in zip(shares, trees, strict=True)), start=np.zeros(()))
        predicted = np.asarray(of.table.classes)[np.argmax(mean, axis=1)]
    macs = sum(tree.num_nodes - tree.num_outputs for tree in trees)
    weights = sum(tree.num_weights for tree in trees)
    return honest(model, score=_score(of.table, of.test, predicted), weights=weights, macs=macs)


def _peeked(of: Chosen, tree: Tree, seed: int) -> Row:
    """The chosen tree trained further while the test rows choose its weights: the published protocol, to compare."""
    task = make_task(of.table.kind, len(of.table.classes or ()))
    target, truth = of.sample.y, of.table.y[of.test]
    if tree.target_scaler is not None:
        target, truth = (tree.target_scaler.transform(y[:, None])[:, 0] for y in (target, truth))
    settings = Settings(task.loss, learning_rate=PEEKING["learning_rate"], batch_size=int(PEEKING["batch_size"]))
    rows = _scaled(tree, of.sample.X), encode(task, target), _scaled(tree, of.table.X[of.test]), truth
    (peeked,) = train_peeking([Run(tree.nodes, *rows, seed)], settings, epochs=int(PEEKING["epochs"]))
    row = honest("evolved", score=peeked.best_test_score, weights=tree.num_weights)
    return row | {"protocol": "reference", "note": "test rows chose the weights of the last refit"}


def _scaled(tree: Tree, X: NDArray) -> NDArray:
    return X if tree.scaler is None else tree.scaler.transform(X)
