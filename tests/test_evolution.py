"""A search as the parameter of an estimator: the front it leaves, selection, ensembles, and what it refuses."""

from __future__ import annotations

import pickle
import signal
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_linnerud, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV

from neuraltree import (
    NeuralTreeClassifier,
    NeuralTreeRegressor,
    ParetoEnsembleClassifier,
    ParetoEnsembleRegressor,
)
from search import Evolution
from search.data import make_folds
from search.front import Front

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


def test_validation_is_of_rows_the_weights_have_not_seen() -> None:
    """The reported error is that of the predictions kept for the ensemble, each by the other folds' weights."""
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
        assert member.val_error == pytest.approx(wrong)
    table = type("Table", (), {"y": sample.y, "classes": sample.classes})
    folds = make_folds(table, np.arange(len(sample.y)), 2, kept["seed"])
    np.testing.assert_array_equal(found.rows, np.concatenate([held for _, held in folds]))


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
    model = NeuralTreeClassifier(QUICK, random_state=0).fit(X, y, sample_weight=weight)
    assert model.predict(X).mean() < 0.25


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
        (Evolution(population=2), r"Evolution: search\.population = 2"),
        (Evolution(objectives=("eror",)), r"search\.objectives has the unknown name .*eror.*did you mean"),
        (Evolution(objectives=("latency_s",)), "latency_s needs a device"),
        (Evolution(device="cortex-m99"), "cortex-m99"),
        (Evolution(folds=100), r"search\.folds = 100 is not allowed"),
        (Evolution(variation={"swap": 1.0}), "variation has the unknown name"),
        (Evolution(generations=0, population=8, constraints={"weights": 1}), "leaves no room"),
        (Evolution(objectives=("rmse",)), "'rmse' is for regression"),
    ],
)
def test_what_cannot_be_searched_is_refused(search: Evolution, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NeuralTreeClassifier(search).fit(WINE.data, LABELS)


def test_ctrl_c_keeps_the_front_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    import search.evolution

    stepped = search.evolution.step

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        return stepped(*arguments)

    monkeypatch.setattr(search.evolution, "step", interrupted)
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"members": 0}, "members=0; an ensemble needs 1 or more"),
        ({"estimator": NeuralTreeRegressor()}, r"must be a NeuralTreeClassifier, or None"),
    ],
)
def test_parameters_of_ensembles_are_checked(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ParetoEnsembleClassifier(**changes).fit(WINE.data, LABELS)
