"""Searches for scores of classes and errors of numbers, by config and by Evolution, from the table to the report."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.datasets import load_breast_cancer, load_diabetes

from neuraltree.estimators.classifier import NeuralTreeClassifier
from neuraltree.estimators.regressor import NeuralTreeRegressor
from search.config.settings import Config, DataConfig, TaskConfig
from search.evolution import Evolution
from search.folder.baselines_csv import load_baselines
from search.folder.history import load_history
from search.front import load_front
from search.report.facts.read import read_run
from search.report.facts.run_facts import changing
from search.run import main
from search.table.loading import load_table
from search.table.splits import split

RUNS = {
    "breast_cancer": ("average_precision", "f1", "weights"),
    "iris": ("f1_macro", "roc_auc", "weights"),
    "diabetes": ("huber", "pinball_0.9", "weights"),
}


@pytest.fixture(scope="module", params=RUNS)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "c.toml").write_text(
        f"""
        data.source = "{request.param}"
        run.seed = 2
        space.max_nodes = 20
        search = {{ population = 12, generations = 3, folds = 2, objectives = {json.dumps(RUNS[request.param])} }}
        train.epochs = 3
        baselines.models = ["linear"]
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "JAX_COMPILATION_CACHE_DIR", "")
        assert main([str(folder / "c.toml"), "--out", str(folder / "out"), "--quiet"]) == 0
    return request.param, folder / "out"


def rows(source: str, training: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets of the test or training rows; classes by code."""
    table = load_table(Config(DataConfig(source), task=TaskConfig()))
    chosen = split(table, 0.2, 2)[0 if training else 1]
    return table.X[chosen], table.y[chosen]


def huber(y: np.ndarray, predicted: np.ndarray) -> float:
    errors = np.abs(y - predicted) / rows("diabetes", training=True)[1].std()
    return float(np.where(errors < 1, errors**2 / 2, errors - 0.5).mean())


EXPECTED: dict[str, Callable] = {  # type: ignore[type-arg]
    "breast_cancer": lambda model, X, y: 1 - sk.average_precision_score(y, model.predict_proba(X)[:, 1]),
    "iris": lambda model, X, y: 1 - sk.f1_score(y, model.predict_proba(X).argmax(axis=1), average="macro"),
    "diabetes": lambda model, X, y: huber(y, model.predict(X)),
}


def test_the_test_error_is_the_first_metric(finished: tuple[str, Path]) -> None:
    source, folder = finished
    X, y = rows(source)
    for member in load_front(folder):
        assert member.test_error == pytest.approx(EXPECTED[source](member.tree(), X, y), rel=1e-9, abs=1e-9)
        assert 0 <= member.honest_error < 1
        assert member.honest_error_se > 0
    (linear,) = load_baselines(folder)
    assert 0 <= linear.values["test_error"] < 0.5
    assert 0 <= linear.values["honest_error"] < 0.5


def test_a_second_metric_has_a_column_and_no_member_dominates_another(finished: tuple[str, Path]) -> None:
    source, folder = finished
    front, (_, second, _) = load_front(folder), RUNS[source]
    name = second if source == "diabetes" else f"one_minus_{second}"
    assert front.objective_columns() == ("honest_error", name, "weights")
    points = np.array([[member.values[column] for column in front.objective_columns()] for member in front])
    for point in points:
        assert not ((points <= point).all(axis=1) & (points < point).any(axis=1)).any()
    assert name in load_history(folder).columns
    assert repr(front[0]).count(name) == 1


def test_the_report_names_the_metrics(finished: tuple[str, Path]) -> None:
    source, folder = finished
    columns = changing(read_run(folder), "binary")["columns"]
    first = {"breast_cancer": "1 − average precision", "iris": "1 − macro F1", "diabetes": "Huber loss"}[source]
    assert columns["test_error"]["label"] == f"test error ({first})"
    second = {"breast_cancer": "1 − F1", "iris": "1 − ROC AUC", "diabetes": "pinball loss at quantile 0.9"}[source]
    assert f"validation {second}" in {column["label"] for column in columns.values()}


def test_an_estimator_searches_for_average_precision() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    search = Evolution(12, 3, folds=2, objectives=("average_precision", "weights"), constraints={"weights": 30})
    model = NeuralTreeClassifier(search, random_state=0, epochs=4).fit(X, y)
    assert model.front_.objectives == ("one_minus_average_precision", "weights")
    assert model.front_[0].honest_error < 0.1
    assert sk.average_precision_score(y, model.predict_proba(X)[:, 1]) > 0.9


def test_an_estimator_searches_for_a_quantile_of_several_targets() -> None:
    X, y = load_diabetes(return_X_y=True)
    Y = np.column_stack([y, 10 * y])
    search = Evolution(8, 1, folds=2, objectives=("mae", "pinball_0.9", "weights"))
    front = NeuralTreeRegressor(search, random_state=0, epochs=4).fit(X, Y).front_
    assert 0 < front[0].val_error < 5.5 * y.std()  # the mean of the deviations of both targets
    assert front[0].val_error == front[0].mae
    assert front.objective_columns() == ("honest_error", "pinball_0.9", "weights")


def test_an_estimator_names_the_parameter_if_a_metric_does_not_fit() -> None:
    X, y = load_diabetes(return_X_y=True)
    with pytest.raises(ValueError, match=r"^objectives: 'f1' is for two classes, but .* is a regression task"):
        NeuralTreeRegressor(Evolution(objectives=("f1",))).fit(X, y)
    with pytest.raises(ValueError, match=r"objectives: 'pinball_90' needs a level between 0 and 1"):
        NeuralTreeRegressor(Evolution(objectives=("pinball_90",))).fit(X, y)


def test_a_search_for_the_worst_group(tmp_path: Path) -> None:
    """The rule of a small group is the opposite of that of the rest; another input tells them apart."""
    rng = np.random.default_rng(0)
    X, small = rng.uniform(-1, 1, (400, 2)), rng.uniform(size=400) < 0.15
    X[:, 1] = np.where(small, 0.5, -0.5) + 0.1 * X[:, 1]
    y = (X[:, 0] > 0) ^ small
    np.savez(tmp_path / "t.npz", X=X, y=y.astype(int), site=np.where(small, "small", "large"))
    (tmp_path / "c.toml").write_text(
        f"""
        data = {{ source = "{tmp_path}/t.npz", fairness_group = "site" }}
        search = {{ population = 20, generations = 4, folds = 2, objectives = ["worst_group_error", "weights"] }}
        baselines.models = ["linear"]
        """
    )
    assert main([str(tmp_path / "c.toml"), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    table = load_table(Config(DataConfig(f"{tmp_path}/t.npz", fairness_group="site"), task=TaskConfig()))
    _, test = split(table, 0.2, 0)
    errors = []
    for member in load_front(tmp_path / "out"):
        wrong = member.tree().predict(X[test]) != y[test]
        errors.append(max(wrong[small[test] == group].mean() for group in (False, True)))
        assert member.test_error == pytest.approx(errors[-1])
    assert min(errors) < 0.3


def test_the_worst_group_needs_a_config() -> None:
    X, y = load_diabetes(return_X_y=True)
    told = "^objectives: 'worst_group_error' compares the groups of rows, which only the config of a run can name$"
    with pytest.raises(ValueError, match=told):
        NeuralTreeRegressor(Evolution(objectives=("worst_group_error", "weights"))).fit(X, y)
