"""HFNT's tables 3, 7, 8 and 13 by their own protocols: 10-fold cross-validation of classes, 5-fold of numbers.

A unit is one repetition: its folds are drawn anew. In each fold a search sees the other folds alone, the recommended
member of its front and an ensemble of at most five members are chosen there, and the held fold is scored once.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.common import paper_tables
from experiments.common.known_series.time_series import MACKEY_GLASS
from experiments.common.scoring import score
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.fuzzy.series import rows_of
from experiments.studies.hfnt import elevators
from neuraltree import ParetoEnsembleClassifier, ParetoEnsembleRegressor
from search.evolution import Evolution
from search.table.data import Table

CLASSES = ("australian", "heart", "ionosphere", "pima", "wdbc")
NUMBERS = ("baseball", "dee", "friedman", elevators.NAME)
FOLDS = {**dict.fromkeys(CLASSES, 10), **dict.fromkeys(NUMBERS, 5), MACKEY_GLASS: 1}  # 1: a split by time
ONCE = (elevators.NAME,)  # a large table, for the first seed only
JOB = "search"
SEARCH: dict[str, Any] = {"population": 40, "generations": 12, "baselines": ()}
COLUMNS = (
    *("folds", "score", "half_mse", "rmse", "nodes", "weights"),
    *("ensemble_score", "ensemble_half_mse", "ensemble_rmse", "ensemble_weights", "fit_s"),
)


def units(seeds: int, quick: bool) -> list[Unit]:
    tables = ("heart", "dee") if quick else FOLDS
    return [Unit(table, JOB, seed) for seed in range(seeds) for table in tables if seed == 0 or table not in ONCE]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    made = {MACKEY_GLASS: "by the code", elevators.NAME: elevators.DIGEST}
    return {
        "data": made.get(unit.table) or paper_tables.DIGESTS[unit.table],
        "folds": FOLDS[unit.table],
        "search": _search(quick).get_params(),
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    begun = time.process_time()
    found = [_scored(unit, *fold, quick) for fold in folds_of(unit)[: 2 if quick else None]]
    means = {name: float(np.mean([row[name] for row in found])) for name in found[0] if found[0][name] is not None}
    empty: Row = dict.fromkeys(COLUMNS)
    return [empty | means | {"folds": len(found), "fit_s": time.process_time() - begun}]


def _search(quick: bool) -> Evolution:
    return Evolution(**SEARCH | ({"population": 8, "generations": 1} if quick else {}))


Fold = tuple[NDArray, NDArray, NDArray, NDArray]  # X and y to learn, X and y to score


def folds_of(unit: Unit) -> list[Fold]:
    if unit.table == MACKEY_GLASS:
        rows = rows_of(unit.table, unit.seed)
        return [(rows.X, rows.y, rows.X_test, rows.y_test)]
    if unit.table == elevators.NAME:
        X, y = elevators.elevators()
    else:
        table: Table = paper_tables.table(unit.table)
        X, y = table.X, table.y
    return [(X[fit], y[fit], X[held], y[held]) for fit, held in _splits(unit, X, y)]


def _splits(unit: Unit, X: NDArray, y: NDArray) -> list[tuple[NDArray, NDArray]]:
    from sklearn.model_selection import KFold, StratifiedKFold

    kind = StratifiedKFold if unit.table in CLASSES else KFold
    return list(kind(FOLDS[unit.table], shuffle=True, random_state=unit.seed).split(X, y))


def _scored(unit: Unit, X: NDArray, y: NDArray, X_held: NDArray, y_held: NDArray, quick: bool) -> Row:
    classes = unit.table in CLASSES
    make = ParetoEnsembleClassifier if classes else ParetoEnsembleRegressor
    ensemble = make(_search(quick), n_jobs=1, random_state=unit.seed).fit(X, y)
    tree = ensemble.front_.select("recommended").tree()
    alone, together = tree.predict(X_held), ensemble.predict(X_held)
    return {
        **_errors("", classes, y_held, np.asarray(alone).reshape(-1)),
        **_errors("ensemble_", classes, y_held, together),
        "nodes": tree.num_nodes,
        "weights": tree.num_weights,
        "ensemble_weights": ensemble.costs_["weights"],
    }


def _errors(prefix: str, classes: bool, truth: NDArray, found: NDArray) -> Row:
    kind = "classes" if classes else "regression"
    mse = None if classes else float(np.mean((truth - found) ** 2))
    return {
        f"{prefix}score": score(kind, truth, found),
        f"{prefix}half_mse": None if mse is None else mse / 2,
        f"{prefix}rmse": None if mse is None else mse**0.5,
    }


EXPERIMENT = Experiment(
    "studies/hfnt", "trees and ensembles by the cross-validation of HFNT's tables", 10, COLUMNS, units, run, settings
)
