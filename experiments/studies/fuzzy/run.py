"""Fuzzy trees of types 1 and 2 with evolved structures, neural trees of as many parameters, and a linear model.

Every model sees the training rows alone, and the test rows are scored once. Fuzzy trees choose their structure on a
quarter of the training rows, neural trees by folds. ``neural`` is the recommended member of a front, and
``neural_lowest`` the one with the lowest honest error among those with no more weights than the fuzzy tree of type 1
has parameters.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict
from typing import Any

import numpy as np

from experiments.common import paper_tables
from experiments.common.holdout import TEST_FRACTION
from experiments.common.known_series.time_series import GAS_FURNACE, MACKEY_GLASS, SERIES_J
from experiments.common.scoring import score
from experiments.frame.experiment import Experiment, Row, Unit
from experiments.studies.fuzzy.series import SERIES, Rows, rows_of
from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.fuzzy import FuzzyTreeClassifier, FuzzyTreeRegressor
from search.evolution import Evolution
from search.fuzzy import FuzzyEvolution

TABLES = (MACKEY_GLASS, GAS_FURNACE, "friedman", "mpg6", "dee", "wdbc")
JOB = "compare"
FUZZY = {"fuzzy_1": 1, "fuzzy_2": 2}
MODELS = (*FUZZY, "neural_lowest", "neural", "linear")
SEARCH = FuzzyEvolution(population=20, generations=8, steps=100)
NODES, STEPS = 20, 600
NEURAL = (40, 15)  # population and generations
COLUMNS = ("model", "nodes", "params", "train_score", "test_score", "test_rmse", "fit_s")


def units(seeds: int, quick: bool) -> list[Unit]:
    return [Unit(table, JOB, seed) for seed in range(seeds) for table in (("dee",) if quick else TABLES)]


def settings(unit: Unit, quick: bool) -> dict[str, Any]:
    made = "by the code" if unit.table == MACKEY_GLASS else hashlib.sha256(SERIES_J.read_bytes()).hexdigest()
    return {
        "data": made if unit.table in SERIES else paper_tables.DIGESTS[unit.table],
        "fraction": TEST_FRACTION,
        "fuzzy": asdict(_search(quick)) | {"nodes": NODES, "steps": STEPS},
        "neural": NEURAL,
    }


def run(unit: Unit, quick: bool) -> list[Row]:
    rows = rows_of(unit.table, unit.seed)
    found = {name: _fuzzy(rows, fuzzy_type, unit.seed, quick) for name, fuzzy_type in FUZZY.items()}
    return [*found.values(), *_neural(rows, unit.seed, quick, found["fuzzy_1"]["params"]), _linear(rows)]


def _search(quick: bool) -> FuzzyEvolution:
    return FuzzyEvolution(population=4, generations=1, steps=20) if quick else SEARCH


def _fuzzy(rows: Rows, fuzzy_type: int, seed: int, quick: bool) -> Row:
    make = FuzzyTreeClassifier if rows.classes else FuzzyTreeRegressor
    begun = time.process_time()
    model = make(
        _search(quick), fuzzy_type=fuzzy_type, max_nodes=NODES, steps=40 if quick else STEPS, random_state=seed
    ).fit(rows.X, rows.y)
    seconds = time.process_time() - begun
    return _row(f"fuzzy_{fuzzy_type}", rows, model, model.tree_.num_nodes, model.tree_.num_params, seconds)


def _neural(rows: Rows, seed: int, quick: bool, most: int) -> list[Row]:
    make = NeuralTreeClassifier if rows.classes else NeuralTreeRegressor
    size = (8, 1) if quick else NEURAL
    begun = time.process_time()
    model = make(Evolution(*size, baselines=()), random_state=seed, n_jobs=1).fit(rows.X, rows.y)
    seconds = time.process_time() - begun
    found = [_row("neural", rows, model, model.tree_.num_nodes, model.tree_.num_weights, seconds)]
    tree = model.select("lowest", weights=most).tree_
    return [*found, _row("neural_lowest", rows, model, tree.num_nodes, tree.num_weights, seconds)]


def _linear(rows: Rows) -> Row:
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    begun = time.process_time()
    last = LogisticRegression(max_iter=1000) if rows.classes else LinearRegression()
    model = make_pipeline(StandardScaler(), last).fit(rows.X, rows.y)
    params = model[-1].coef_.size + np.size(model[-1].intercept_)
    return _row("linear", rows, model, 0, params, time.process_time() - begun)


def _row(name: str, rows: Rows, model: Any, nodes: int, params: int, seconds: float) -> Row:
    """Scores are R² or accuracy; the root mean squared error is in the target's unit, and empty for classes."""
    kind = "classes" if rows.classes else "regression"
    train, test = model.predict(rows.X), model.predict(rows.X_test)
    return {
        "model": name,
        "nodes": nodes,
        "params": params,
        "train_score": score(kind, rows.y, train),
        "test_score": score(kind, rows.y_test, test),
        "test_rmse": None if rows.classes else float(np.sqrt(np.mean((rows.y_test - test) ** 2))),
        "fit_s": seconds,
    }


EXPERIMENT = Experiment(
    "studies/fuzzy",
    "fuzzy trees of types 1 and 2 against neural trees of as many parameters",
    10,
    COLUMNS,
    units,
    run,
    settings,
)
