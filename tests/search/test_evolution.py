"""A search as the parameter of an estimator: the front it leaves, selection, ensembles, and what it refuses."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_linnerud, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV

import search.judge.honest
from neuraltree import (
    NeuralTreeClassifier,
    NeuralTreeRegressor,
    ParetoEnsembleClassifier,
    ParetoEnsembleRegressor,
)
from neuraltree.estimators.samples import regression_sample
from search import Evolution
from search.front import Front
from search.table.fresh_splits import SPLITS
from search.table.split_columns import Rules
from search.table.splits import make_folds

QUICK = Evolution(population=16, generations=3, folds=2)
WINE = load_wine(as_frame=True)
LABELS = np.array(["red", "rosé", "white"])[WINE.target]


@pytest.fixture(scope="module")
def wine() -> NeuralTreeClassifier:
    return NeuralTreeClassifier(QUICK, epochs=8, random_state=0).fit(WINE.data, LABELS)


def test_fit_leaves_the_whole_front(wine: NeuralTreeClassifier) -> None:
    front: Front = wine.front_
    errors = [member.val_error for member in front]
    assert errors == sorted(errors)
    assert len(front) >= 2
    assert front.objectives == ("error", "weights")
    assert all(member.tree().num_weights == member.weights for member in front)
    assert wine.tree_ == front[0].tree()
    assert wine.tree_.features == tuple(WINE.data.columns)
    assert wine.score(WINE.data, LABELS) > 0.6
    assert wine.n_iter_ == 3
    assert len(wine.loss_curve_) == 4
    assert wine.history_.generation.max() == 3


def test_another_member_is_picked_without_fitting(wine: NeuralTreeClassifier) -> None:
    model = pickle.loads(pickle.dumps(wine))
    small = min(member.weights for member in model.front_)
    assert model.select(weights=small) is model
    assert model.tree_.num_weights == small
    assert model.tree_ in [member.tree() for member in model.front_]
    assert model.select().tree_ == wine.tree_
    with pytest.raises(ValueError, match="no member fits"):
        model.select(weights=1)


def test_the_seed_decides_whatever_the_threads(wine: NeuralTreeClassifier) -> None:
    again = clone(wine).set_params(n_jobs=1).fit(WINE.data, LABELS)
    assert [m.tree() for m in again.front_] == [m.tree() for m in wine.front_]
    other = clone(wine).set_params(random_state=1).fit(WINE.data, LABELS)
    assert [m.tree() for m in other.front_] != [m.tree() for m in wine.front_]


def test_validation_is_of_rows_the_weights_have_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The honest error is that of the predictions kept for the ensemble, each by the other folds' weights."""
    monkeypatch.setattr(search.judge.honest, "REPEATS", 1)
    data = load_breast_cancer()
    model = ParetoEnsembleClassifier(QUICK, estimator=NeuralTreeClassifier(epochs=5), random_state=0)
    kept = {}
    evolve = Evolution.evolve

    def spy(self, sample, options, **how):
        kept["sample"], kept["seed"] = sample, how["seed"]
        kept["found"] = evolve(self, sample, options, **how)
        return kept["found"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evolution, "evolve", spy)
        model.fit(data.data, data.target)
    found, sample = kept["found"], kept["sample"]
    assert sorted(found.rows.tolist()) == list(range(len(data.target)))
    for member, probability in zip(found.front, found.validation, strict=True):
        wrong = 1 - accuracy_score(sample.y[found.rows], probability.argmax(axis=0))
        assert member.honest_error == pytest.approx(wrong)
    table = type("Table", (), {"y": sample.y, "classes": sample.classes, "rules": Rules()})
    folds = make_folds(table, np.arange(len(sample.y)), 5, kept["seed"] + SPLITS)
    np.testing.assert_array_equal(found.rows, np.concatenate([held for _, held in folds]))


def test_validation_of_a_regression_is_in_its_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search.judge.honest, "REPEATS", 1)
    X, y = load_diabetes(return_X_y=True)
    model = NeuralTreeRegressor(random_state=0, epochs=4)
    sample = regression_sample(model, X, y, None, new=True)
    found = QUICK.evolve(sample, model._options(), seed=0, n_jobs=1, verbose=0)
    for member, values in zip(found.front, found.validation, strict=True):
        assert member.honest_error == pytest.approx(1 - r2_score(y[found.rows], values[0]), rel=1e-4)


def test_a_selected_tree_is_trained_as_if_first() -> None:
    """What the optimiser knows of one tree is nothing to another."""
    model = NeuralTreeClassifier(QUICK, epochs=8, random_state=0).fit(WINE.data, LABELS)
    fresh = pickle.loads(pickle.dumps(model)).partial_fit(WINE.data, LABELS).tree_
    for _ in range(5):
        model.partial_fit(WINE.data, LABELS)
    again = model.select().partial_fit(WINE.data, LABELS).tree_
    # One batch holds all rows, so their order is no more than rounding.
    np.testing.assert_allclose(again.nodes["weight"], fresh.nodes["weight"], rtol=1e-6, atol=1e-9)


def test_a_fit_without_a_search_has_no_front_of_the_one_before(wine: NeuralTreeClassifier) -> None:
    model = pickle.loads(pickle.dumps(wine)).set_params(search=None, epochs=2).fit(WINE.data, LABELS)
    assert not hasattr(model, "front_")
    assert not hasattr(model, "history_")


def test_several_targets() -> None:
    X, Y = load_linnerud(return_X_y=True)
    model = NeuralTreeRegressor(QUICK, random_state=0).fit(X, Y)
    assert model.predict(X).shape == (20, 3)
    spread = Evolution(population=8, generations=1, folds=2, objectives=("rmse", "one_minus_r2"))
    front = NeuralTreeRegressor(spread, random_state=0).fit(X, Y).front_
    assert front[0].val_error < 3 * Y.std(axis=0).max()
    with pytest.raises(ValueError, match="the cost on a device is that of a model of one target; there are 3"):
        NeuralTreeRegressor(Evolution(device="cortex-m4f")).fit(X, Y)


def test_costs_and_constraints_of_a_device() -> None:
    X, y = load_diabetes(return_X_y=True)
    search = Evolution(
        12, 2, folds=2, objectives=("error", "flash_bytes"), device="cortex-m0plus", constraints={"flash_bytes": 2000}
    )
    front = NeuralTreeRegressor(search, random_state=0, epochs=4).fit(X, y).front_
    assert all(0 < member.flash_bytes <= 2000 for member in front)
    assert all(member.latency_s > 0 for member in front)


def test_weights_of_rows_reach_the_search() -> None:
    X, y = np.random.default_rng(0).normal(size=(80, 2)), np.repeat([0, 1], 40)
    weight = np.where(y == 0, 9.0, 1.0)
    model = NeuralTreeClassifier(QUICK, epochs=100, random_state=0)
    assert 0.25 < model.fit(X, y).predict(X).mean() < 0.75
    # Inputs say nothing, so trees that are trained to the end name the heavier class.
    assert model.fit(X, y, sample_weight=weight).predict(X).mean() < 0.05


def test_parameters_of_the_search_are_parameters() -> None:
    model = NeuralTreeRegressor(QUICK)
    assert model.get_params()["search__population"] == 16
    X, y = load_diabetes(return_X_y=True)
    found = GridSearchCV(
        NeuralTreeRegressor(QUICK, random_state=0, epochs=4), {"search__generations": [0, 2]}, cv=2
    ).fit(X, y)
    assert set(found.best_params_) == {"search__generations"}
    assert QUICK.generations == 3


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (Evolution(population=2), r"Evolution: population = 2 is not allowed"),
        (Evolution(objectives=("eror",)), r"Evolution: objectives has the unknown name .*eror.*did you mean"),
        (Evolution(objectives="error"), r"Evolution: objectives = .*error.* is not allowed"),
        (Evolution(objectives=("latency_s",)), "latency_s needs a device; name one as device$"),
        (Evolution(device="cortex-m99"), "cortex-m99"),
        (Evolution(folds=100), r"Evolution: folds = 100 is not allowed"),
        (Evolution(variation={"swap": 1.0}), "variation has the unknown name"),
        (Evolution(baselines=("xgb",)), "baselines has the unknown name .xgb."),
        (Evolution(baselines="linear"), "baselines = .linear. is not allowed"),
        (Evolution(time="soon"), "time: .soon. is not a time"),
        (Evolution(generations=0, population=8, constraints={"weights": 1}), "leaves no room"),
        (Evolution(objectives=("rmse",)), "'rmse' is for regression"),
    ],
)
def test_what_cannot_be_searched_is_refused(search: Evolution, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NeuralTreeClassifier(search).fit(WINE.data, LABELS)


def test_too_few_rows_are_refused_in_the_terms_of_the_parameters() -> None:
    X, y = np.arange(12.0).reshape(6, 2), [0, 1] * 3
    with pytest.raises(ValueError, match=r"with folds = 4; at least 8") as caught:
        NeuralTreeClassifier(Evolution()).fit(X, y)
    assert "test_fraction" not in str(caught.value)
    with pytest.raises(ValueError, match="choose another random_state, or add rows"):
        NeuralTreeRegressor(Evolution()).fit(np.random.default_rng(0).normal(size=(20, 2)), np.ones(20))


def test_many_classes_have_room() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(160, 3)), np.arange(160) % 40
    model = NeuralTreeClassifier(Evolution(8, 0, folds=2), epochs=1, random_state=0).fit(X, y)
    assert len(model.classes_) == 40


def test_going_on_after_a_search_begins_a_curve_of_losses() -> None:
    model = NeuralTreeClassifier(QUICK, epochs=8, random_state=0, warm_start=True).fit(WINE.data, LABELS)
    model.fit(WINE.data, LABELS).partial_fit(WINE.data, LABELS)
    assert model.n_iter_ == len(model.loss_curve_) == 9
    assert model.loss_curve_[7] < model.loss_curve_[0]
    assert model.select().tree_ == model.front_[0].tree()


def test_a_pickle_of_a_search_loads_without_the_engine(wine: NeuralTreeClassifier, tmp_path: Path) -> None:
    path = tmp_path / "model.pickle"
    path.write_bytes(pickle.dumps(wine))
    code = (
        "import pickle, sys; model = pickle.load(open(sys.argv[1], 'rb')); print(len(model.front_), "
        "model.select().predict_one([0.5] * 13), [name for name in ('jax', 'deap', 'moocore') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(wine.front_)), wine.predict_one([0.5] * 13), "[]"]


def test_ctrl_c_keeps_the_front_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import search.engine.evolution_step

    stepped = search.engine.evolution_step.step

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        return stepped(*arguments)

    monkeypatch.setattr(search.engine.evolution_step, "step", interrupted)
    with pytest.warns(ConvergenceWarning, match="interrupted after generation 1 of 3"):
        model = NeuralTreeClassifier(QUICK, epochs=2, random_state=0).fit(WINE.data, LABELS)
    assert model.n_iter_ == 1
    assert model.predict(WINE.data).shape == (178,)


def test_a_search_runs_in_any_thread() -> None:
    fitted = []
    thread = threading.Thread(
        target=lambda: fitted.append(NeuralTreeClassifier(QUICK, epochs=2, random_state=0).fit(WINE.data, LABELS))
    )
    thread.start()
    thread.join()
    assert len(fitted) == 1


def test_progress_is_said_where_asked_for(capsys: pytest.CaptureFixture) -> None:
    NeuralTreeClassifier(QUICK, epochs=2, random_state=0, verbose=1).fit(WINE.data, LABELS)
    assert "generation 3/3" in capsys.readouterr().err
    NeuralTreeClassifier(QUICK, epochs=2, random_state=0).fit(WINE.data, LABELS)
    assert capsys.readouterr().err == ""


def test_warm_start_trains_the_selected_tree() -> None:
    model = NeuralTreeClassifier(QUICK, epochs=8, random_state=0, warm_start=True).fit(WINE.data, LABELS)
    structure = model.tree_.nodes["op"].tolist()
    model.fit(WINE.data, LABELS)
    assert model.tree_.nodes["op"].tolist() == structure
    assert len(model.front_) >= 2


@pytest.mark.parametrize("search", [QUICK, None], ids=["searched", "random"])
def test_an_ensemble_is_the_weighted_mean_of_its_trees(search: Evolution | None) -> None:
    model = ParetoEnsembleClassifier(search, members=3, estimator=NeuralTreeClassifier(epochs=8), random_state=0)
    model.fit(WINE.data, LABELS)
    assert 1 <= len(model.estimators_) <= 3
    assert model.weights_.sum() == pytest.approx(1)
    assert (model.weights_ > 0).all()
    mean = sum(w * each.predict_proba(WINE.data) for w, each in zip(model.weights_, model.estimators_, strict=True))
    np.testing.assert_allclose(model.predict_proba(WINE.data), mean, rtol=1e-12)
    assert model.predict(WINE.data).tolist() == model.classes_[mean.argmax(axis=1)].tolist()
    assert model.costs_["weights"] == sum(each.tree_.num_weights for each in model.estimators_)
    rows = WINE.data.to_numpy()[::20].tolist()
    assert [model.predict_one(row) for row in rows] == model.predict(WINE.data[::20]).tolist()
    assert model.feature_importances_.sum() == pytest.approx(1)


def test_an_ensemble_of_regressions() -> None:
    X, y = load_diabetes(return_X_y=True)
    model = ParetoEnsembleRegressor(QUICK, members=3, random_state=0).fit(X, y)
    mean = sum(w * each.predict(X) for w, each in zip(model.weights_, model.estimators_, strict=True))
    np.testing.assert_allclose(model.predict(X), mean, rtol=1e-12)
    assert model.predict_one(X[0].tolist()) == pytest.approx(mean[0])
    assert r2_score(y, mean) > 0.3
    both = ParetoEnsembleRegressor(QUICK, members=2, random_state=0).fit(X, np.column_stack([y, -y]))
    assert both.predict(X).shape == (442, 2)
    assert both.predict_one(X[0].tolist()) == pytest.approx(tuple(both.predict(X[:1])[0]))


def test_units_of_targets_do_not_weigh_in_an_ensemble() -> None:
    X, Y = load_linnerud(return_X_y=True)
    fits = [ParetoEnsembleRegressor(QUICK, members=3, random_state=0).fit(X, Y * unit) for unit in (1, [1, 2**20, 1])]
    np.testing.assert_allclose(fits[0].weights_, fits[1].weights_, rtol=1e-6)
    np.testing.assert_allclose(fits[0].predict(X) * [1, 2**20, 1], fits[1].predict(X), rtol=1e-6)


def test_ctrl_c_ends_an_ensemble_of_random_trees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(epoch: int, loss: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("neuraltree.estimators.learning.telling", lambda verbose: stop)
    monkeypatch.setattr("neuraltree.engine.epochs.MOST_DRAWN", 25 * len(WINE.data))  # row numbers of one call
    model = ParetoEnsembleClassifier(members=3, estimator=NeuralTreeClassifier(epochs=60), random_state=0)
    with pytest.warns(ConvergenceWarning, match="interrupted after 25 of 60 epochs") as told:
        model.fit(WINE.data, LABELS)
    assert len(told) == len(model.estimators_) == len(model.weights_) == 1


def test_an_ensemble_says_its_progress(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("neuraltree.estimators.learning.EVERY_S", 0.0)
    ParetoEnsembleClassifier(members=1, estimator=NeuralTreeClassifier(epochs=2), verbose=1).fit(WINE.data, LABELS)
    assert "epoch 2  loss " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("estimator", "y", "nodes"),
    [(NeuralTreeClassifier, LABELS, 105), (NeuralTreeRegressor, WINE.target, 60)],
    ids=["three classes", "regression"],
)
def test_limits_that_are_not_given_follow_the_outputs(
    monkeypatch: pytest.MonkeyPatch, estimator: type, y: np.ndarray, nodes: int
) -> None:
    asked = {}

    class Stop(Exception):
        pass

    def spy(config, *rest, **how):
        asked["space"] = config.space
        raise Stop

    monkeypatch.setattr("search.runs.evolving.set_up", spy)
    for options, expected in (({}, (nodes, 64)), ({"max_nodes": 33, "max_arity": 7}, (33, 7))):
        with pytest.raises(Stop):
            estimator(QUICK, **options).fit(WINE.data, y)
        assert (asked["space"].max_nodes, asked["space"].max_arity) == expected


def test_parameters_may_be_numbers_of_numpy() -> None:
    search = Evolution(np.int64(8), np.int32(1), folds=np.int64(2), constraints={"weights": np.int64(200)})
    options = {"max_nodes": np.int64(40), "learning_rate": np.float32(0.01), "epochs": np.int64(2)}
    assert len(NeuralTreeClassifier(search, random_state=0, **options).fit(WINE.data, LABELS).front_) >= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"members": 2.5}, r"members=2\.5; an ensemble needs a whole number of 1 or more"),
        ({"search": "evolution"}, r"search='evolution' must be a search\.Evolution\(\.\.\.\), or None"),
        ({"members": 0}, "members=0; an ensemble needs a whole number of 1 or more"),
        ({"estimator": NeuralTreeRegressor()}, r"must be a NeuralTreeClassifier, or None"),
    ],
)
def test_parameters_of_ensembles_are_checked(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ParetoEnsembleClassifier(**changes).fit(WINE.data, LABELS)
