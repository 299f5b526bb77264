"""Models of scikit-learn for a table: chosen in the folds of a search, fitted to all training rows, tested once."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from experiments.common.holdout import holdout
from experiments.common.ordinary import ORDINARY, Choice, Ordinary
from experiments.common.paper_tables import table
from experiments.common.scoring import score
from experiments.frame.experiment import Row, Unit
from experiments.studies.tables.rows import honest, warned_of
from neuraltree.tree.scaler import Scaler
from search.table.data import Table
from search.table.splits import make_folds

FOLDS = 4


class Scaled(NamedTuple):
    """A table in the units of its training rows: ``X`` (rows, inputs), ``y`` (rows,) standardised values or codes."""

    X: NDArray[np.float64]
    y: NDArray
    kind: str


def run_ordinary(unit: Unit, quick: bool) -> list[Row]:
    """The best of a model's choices over the folds, fitted to all training rows; on one thread."""
    del quick
    with threadpool_limits(1):
        return [_chosen(unit)]


def _chosen(unit: Unit) -> Row:
    row, data = ORDINARY[unit.job], table(unit.table)
    train, test = holdout(data, unit.seed)
    scaled = _scaled(data, train)
    fits = _Fits(row, scaled, unit.seed)
    choice, val_score = row.choices[0], None
    if len(row.choices) > 1:
        folds = make_folds(data, train, FOLDS, unit.seed)
        scores = [_fold_score(fits, choice, folds) for choice in row.choices]
        val_score = max(scores)
        choice = row.choices[scores.index(val_score)]
    model = fits(choice, train)
    found = score(data.kind, scaled.y[test], model.predict(scaled.X[test]))
    note = warned_of(fits.warned, fits.number)
    return honest(unit.job, score=found, weights=row.weights(data.kind, model), val_score=val_score, note=note)


def ordinary_settings(unit: Unit, quick: bool) -> dict[str, Any]:
    del quick
    return {"folds": FOLDS, "choices": ORDINARY[unit.job].choices}


def _scaled(data: Table, train: NDArray[np.int64]) -> Scaled:
    X = Scaler.fit(data.X[train]).transform(data.X)
    if data.kind != "regression":
        return Scaled(X, data.y, data.kind)
    target = data.y[:, None]
    return Scaled(X, Scaler.fit(target[train]).transform(target)[:, 0], data.kind)


class _Fits:
    """Fits, and what they warned of."""

    def __init__(self, row: Ordinary, scaled: Scaled, seed: int) -> None:
        self.row, self.scaled, self.seed = row, scaled, seed
        self.warned: Counter[str] = Counter()
        self.number = 0

    def __call__(self, choice: Choice, rows: NDArray[np.int64]) -> Any:
        X, y, kind = self.scaled
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = self.row.make(kind, X.shape[1], choice, self.seed).fit(X[rows], y[rows])
        self.warned.update({warning.category.__name__ for warning in caught})
        self.number += 1
        return model


def _fold_score(fits: _Fits, choice: Choice, folds: list[tuple[NDArray, NDArray]]) -> float:
    """The score over all validation rows together, each predicted by the model that was not fitted to it."""
    X, y, kind = fits.scaled
    predicted = [fits(choice, fit).predict(X[held]) for fit, held in folds]
    return score(kind, y[np.concatenate([held for _, held in folds])], np.concatenate(predicted))
