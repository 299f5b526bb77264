"""The baselines of the 14 tables: the folds of a search choose the settings of each, and it is tested once."""

from __future__ import annotations

from typing import Any

from experiments.common.choosing import FOLDS, ordinary_settings, run_ordinary
from experiments.common.holdout import TEST_FRACTION, holdout
from experiments.common.ordinary import ORDINARY
from experiments.common.paper_tables import table
from experiments.common.scoring import score
from experiments.frame.experiment import Row, Unit
from experiments.studies.tables.rows import Job, honest, warned_of
from neuraltree.estimators.classifier import NeuralTreeClassifier
from neuraltree.estimators.regressor import NeuralTreeRegressor
from search.baselines.baseline_table import BY_NAME
from search.config.config import Config, config_of
from search.engine.problem import set_up
from search.folder.baselines_csv import Baseline
from search.judge.baseline_training import train_row


def config(unit: Unit) -> Config:
    """A config with the hold-out and the folds; a baseline uses nothing else of it."""
    tables = {
        "data": {"source": unit.table, "test_fraction": TEST_FRACTION},
        "run": {"seed": unit.seed},
        "search": {"folds": FOLDS},
    }
    return config_of(tables, unit.table)


def run_searched(unit: Unit, quick: bool) -> list[Row]:
    """A baseline that searches train too: one row, or one row for each size of a model of several sizes."""
    del quick
    data, row = table(unit.table), BY_NAME[unit.job]
    trained = train_row(row, set_up(config(unit), data, workers=1), data)
    budgets = {name: size or None for size, name in row.names.items()}
    note = warned_of(trained.warned, trained.fits)
    return [_of_baseline(made, unit.job, budgets[made.name], note) for made in trained.baselines]


def searched_settings(unit: Unit, quick: bool) -> dict[str, Any]:
    del quick
    row = BY_NAME[unit.job]
    return {"folds": FOLDS, "penalties": row.penalties, "sizes": row.sizes}


def _of_baseline(made: Baseline, model: str, budget: int | None, note: str) -> Row:
    values = made.values
    found = {"score": values["test_score"], "val_score": 1.0 - values["val_error"]}
    return honest(model, budget=budget, weights=int(values["weights"]), macs=int(values["macs"]), note=note, **found)


def run_random_tree(unit: Unit, quick: bool) -> list[Row]:
    """One random tree, trained with the defaults of the estimators."""
    del quick
    data = table(unit.table)
    train, test = holdout(data, unit.seed)
    made = NeuralTreeRegressor if data.kind == "regression" else NeuralTreeClassifier
    model = made(random_state=unit.seed, n_jobs=1).fit(data.X[train], data.y[train])
    found = score(data.kind, data.y[test], model.predict(data.X[test]))
    nodes = model.tree_.nodes
    return [honest(unit.job, score=found, weights=model.tree_.num_weights, macs=len(nodes) - model.tree_.num_outputs)]


def random_tree_settings(unit: Unit, quick: bool) -> dict[str, Any]:
    del unit, quick
    return {"estimator": "defaults"}


JOBS: dict[str, Job] = {
    **dict.fromkeys(("linear", "mlp_100", "mlp_8", "pruned_mlp", "cart"), Job(run_searched, searched_settings)),
    **dict.fromkeys(ORDINARY, Job(run_ordinary, ordinary_settings)),
    "random_tree": Job(run_random_tree, random_tree_settings),
}
