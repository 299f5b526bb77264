"""Estimators that fit: what they learn, go on with, weigh, name, refuse, and where they fit in."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, load_linnerud, make_friedman1
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.estimators import learning
from neuraltree.estimators.importance import importances
from neuraltree.estimators.learning import constant_loss
from neuraltree.estimators.samples import Sample, merged, regression_sample
from neuraltree.estimators.starting import new_tree
from neuraltree.tree.nodes import arities
from neuraltree.tree.tree import Tree
from search import Evolution
from tests.helpers.oracle import evaluate_recursive

IRIS = load_iris(as_frame=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[IRIS.target]
FRIEDMAN = make_friedman1(300, n_features=5, noise=0.5, random_state=0)


def test_one_tree_learns_classes_with_names() -> None:
    model = NeuralTreeClassifier(random_state=0).fit(IRIS.data, NAMES)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert model.score(IRIS.data, NAMES) > 0.95
    assert model.feature_names_in_.tolist() == list(IRIS.data.columns)
    assert model.tree_.features == tuple(IRIS.data.columns)
    assert set(model.tree_.nodes["op"]) >= {0, 1, 2, 3}
    assert model.n_iter_ == len(model.loss_curve_) == 1500
    assert model.loss_curve_[-1] < 0.2 * model.loss_curve_[0]
    np.testing.assert_allclose(model.predict_proba(IRIS.data).sum(axis=1), 1)


def test_one_tree_learns_a_curve_and_several_targets() -> None:
    X, y = FRIEDMAN
    assert NeuralTreeRegressor(random_state=0).fit(X, y).score(X, y) > 0.7
    both = NeuralTreeRegressor(random_state=0).fit(X, np.column_stack([y, 1e6 - 1e3 * y]))
    assert both.predict(X).shape == (300, 2)
    assert both.score(X, np.column_stack([y, 1e6 - 1e3 * y])) > 0.5
    assert NeuralTreeRegressor(random_state=0).fit(X, y[:, None]).predict(X).shape == (300,)


def test_the_loss_curve_is_the_loss() -> None:
    X, y = FRIEDMAN
    model = NeuralTreeRegressor(random_state=0, epochs=3, batch_size=300, learning_rate=1e-12).fit(X, y)
    tree = model.tree_
    scaled = np.array([evaluate_recursive(tree.nodes, row)[0] for row in tree.scaler.transform(X)])
    target = (y - y.mean()) / y.std()
    np.testing.assert_allclose(model.loss_curve_, 0.5 * np.mean((scaled - target) ** 2), rtol=1e-6)


@pytest.mark.parametrize(("options", "most"), [({}, 5), ({"max_arity": 2}, 2), ({"max_arity": 9}, 9)])
def test_nodes_of_one_tree_have_five_children_at_most_unless_it_is_said(options: dict, most: int) -> None:
    X = np.random.default_rng(0).normal(size=(40, 20))
    model = NeuralTreeRegressor(**options)
    sample = regression_sample(model, X, X[:, 0], None, new=True)
    trees = [new_tree(sample, model._options(), np.random.default_rng(seed)) for seed in range(100)]
    widest = max(int(arities(tree.nodes["depth"]).max()) for tree in trees)
    assert widest == most if most <= 5 else 5 < widest <= most


def test_a_seed_decides_and_seeds_differ() -> None:
    X, y = FRIEDMAN
    first, again, other = (NeuralTreeRegressor(random_state=s, epochs=20).fit(X, y) for s in (1, 1, 2))
    assert first.tree_ == again.tree_ != other.tree_
    state = np.random.RandomState(3)
    assert clone(first).set_params(random_state=state, epochs=2).fit(X, y).tree_ is not None


def test_warm_start_goes_on() -> None:
    X, y = FRIEDMAN
    model = NeuralTreeRegressor(random_state=0, epochs=20, warm_start=True).fit(X, y)
    before, shape = model.loss_curve_[-1], model.tree_.nodes["op"].tolist()
    model.fit(X, y)
    assert model.tree_.nodes["op"].tolist() == shape
    assert len(model.loss_curve_) == model.n_iter_ == 40
    assert model.loss_curve_[-1] < before
    cold = clone(model).set_params(warm_start=False).fit(X, y).fit(X, y)
    assert cold.n_iter_ == 20


def test_a_loaded_tree_goes_on_too(tmp_path: Path) -> None:
    X, y = FRIEDMAN
    model = NeuralTreeRegressor(random_state=0, epochs=10).fit(X, y)
    loaded = NeuralTreeRegressor.from_tree(model.tree_).set_params(warm_start=True, epochs=30, random_state=0)
    assert loaded.fit(X, y).score(X, y) > model.score(X, y)


def test_partial_fit_learns_from_a_stream() -> None:
    rng = np.random.default_rng(0)
    model = NeuralTreeClassifier(random_state=0)
    for _ in range(150):
        rows = rng.choice(150, size=40, replace=False)
        model.partial_fit(IRIS.data.iloc[rows], NAMES[rows], classes=np.unique(NAMES))
    assert model.n_iter_ == 150
    assert model.score(IRIS.data, NAMES) > 0.85
    X, y = FRIEDMAN
    regressor = NeuralTreeRegressor(random_state=0)
    for _ in range(60):
        regressor.partial_fit(X, y)
    assert regressor.score(X, y) > 0.5


def test_partial_fit_keeps_the_classes_of_its_first_call() -> None:
    model = NeuralTreeClassifier(random_state=0)
    model.partial_fit(IRIS.data[:60], NAMES[:60], classes=NAMES)
    assert len(model.classes_) == 3
    model.partial_fit(IRIS.data[100:101], NAMES[100:101])
    with pytest.raises(ValueError, match="y holds the class 'oak', which is not one of the known classes"):
        model.partial_fit(IRIS.data[:2], ["oak", "setosa"])
    with pytest.raises(ValueError, match="differ from those of earlier calls"):
        model.partial_fit(IRIS.data[:60], NAMES[:60], classes=["setosa", "versicolor"])
    with pytest.raises(ValueError, match='class_weight="balanced" needs all rows at once'):
        NeuralTreeClassifier(class_weight="balanced").partial_fit(IRIS.data, NAMES)


def test_weights_pull_a_constant_to_their_mean() -> None:
    """With one constant input, all a tree can learn is a weighted mean, or weighted shares of classes."""
    X, y = np.zeros((40, 1)), np.repeat([0.0, 10.0], 20)
    weight = np.where(y == 0, 3.0, 1.0)
    model = NeuralTreeRegressor(random_state=0).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(model.predict(X[:1]), 2.5, atol=0.05)
    shares = NeuralTreeClassifier(random_state=0).fit(X, y, sample_weight=weight).predict_proba(X[:1])
    np.testing.assert_allclose(shares, [[0.75, 0.25]], atol=0.01)


@pytest.mark.parametrize(("class_weight", "share"), [("balanced", 0.5), ({0: 1, 1: 8}, 2 / 3), (None, 0.2)])
def test_class_weights(class_weight: dict | str | None, share: float) -> None:
    X, y = np.zeros((50, 1)), np.repeat([0, 1], [40, 10])
    model = NeuralTreeClassifier(class_weight=class_weight, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X[:1])[0, 1], share, atol=0.01)


def test_merged_rows_are_the_same_rows() -> None:
    X = np.array([[1.0, 2], [1, 2], [3, 4], [1, 2], [5, 6]])
    found = merged(Sample(X, np.array([0, 0, 1, 1, 1]), "binary", ("a", "b"), (0, 1), np.array([1.0, 2, 1, 1, 0])))
    assert found.X.tolist() == [[1, 2], [1, 2], [3, 4]]
    assert found.y.tolist() == [0, 1, 1]
    assert found.weight is not None
    assert found.weight.tolist() == [3, 1, 1]


def test_the_loss_of_a_constant() -> None:
    X = np.zeros((4, 1))
    sample = Sample(X, np.array([0, 0, 0, 1]), "binary", ("a",), (0, 1), np.array([1.0, 1, 1, 3]))
    options = NeuralTreeRegressor()._options()
    assert constant_loss(sample, options) == pytest.approx(np.log(2))
    numbers = Sample(X, np.array([1.0, 2, 3, 4]), "regression", ("a",))
    assert constant_loss(numbers, options) == pytest.approx(0.5)
    of_median = replace(options, loss="pinball_0.5")  # a half of the mean distance 1, in standard deviations
    assert constant_loss(numbers, of_median) == pytest.approx(0.5 / np.sqrt(1.25))
    assert constant_loss(
        Sample(X, np.column_stack([np.arange(4.0), np.ones(4)]), "regression", ("a",)), options
    ) == pytest.approx(0.5)


def test_a_regressor_learns_a_quantile_or_despite_outliers() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 1))
    y = 2 * X[:, 0] + rng.exponential(1.0, 400)
    upper = NeuralTreeRegressor(loss="pinball_0.9", random_state=0).fit(X, y)
    assert np.mean(y < upper.predict(X)) == pytest.approx(0.9, abs=0.03)
    wild = y + 100 * (rng.uniform(size=400) < 0.05)
    apart = {
        loss: np.mean((NeuralTreeRegressor(loss=loss, random_state=0).fit(X, wild).predict(X) - 2 * X[:, 0] - 1) ** 2)
        for loss in ("squared", "huber")
    }
    assert apart["huber"] < 0.5 * apart["squared"]
    for loss in ("absolute", None, ["huber"], "cross_entropy"):
        with pytest.raises(ValueError, match="is none of the losses of regression: auto, squared, huber"):
            NeuralTreeRegressor(loss=loss).fit(X, y)


def test_a_search_learns_a_quantile_and_goes_on_with_it() -> None:
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 1))
    y = 2 * X[:, 0] + rng.exponential(1.0, 400)
    search = Evolution(population=8, generations=2, objectives=("pinball_0.9", "weights"), baselines=())
    model = NeuralTreeRegressor(search, loss="pinball_0.9", random_state=0, warm_start=True).fit(X, y)
    assert np.mean(y < model.predict(X)) == pytest.approx(0.9, abs=0.03)
    assert np.mean(y < model.fit(X, y).predict(X)) == pytest.approx(0.9, abs=0.03)
    with pytest.raises(ValueError, match="teachers predict means"):
        NeuralTreeRegressor(Evolution(teachers=[LinearRegression()]), loss="huber").fit(X, y)


def test_importances_are_sums_over_paths(tree: Tree) -> None:
    total = np.zeros(len(tree.features))
    path: list[float] = []
    for depth, op, weight in zip(tree.nodes["depth"], tree.nodes["op"], tree.nodes["weight"][:, 0], strict=True):
        path[depth:] = [1.0 if depth == 0 else path[depth - 1] * abs(weight)]
        if op >= 0:
            total[op] += path[depth]
    np.testing.assert_allclose(importances(tree), total / total.sum(), rtol=1e-12)


@pytest.fixture(params=["iris", "friedman"])
def tree(request) -> Tree:
    if request.param == "iris":
        return NeuralTreeClassifier(random_state=1, epochs=5).fit(IRIS.data, NAMES).tree_
    return NeuralTreeRegressor(random_state=1, epochs=5).fit(*FRIEDMAN).tree_


def test_an_input_that_matters_is_important() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5)) * [1, 1, 1e4, 1, 1]
    model = NeuralTreeRegressor(random_state=0).fit(X, X[:, 2] + 10 * X[:, 4])
    assert model.feature_importances_.argmax() == 2
    assert model.feature_importances_.sum() == pytest.approx(1)


@pytest.mark.parametrize("frame", [pd.DataFrame, lambda d: pl.DataFrame(d.to_dict("list"))], ids=["pandas", "polars"])
def test_frames_are_compared_by_name(frame) -> None:
    data = frame(IRIS.data)
    model = NeuralTreeClassifier(random_state=0, epochs=50).fit(data, NAMES)
    assert model.feature_names_in_.tolist() == list(IRIS.data.columns)
    np.testing.assert_array_equal(model.predict(data), model.fit(IRIS.data, NAMES).predict(IRIS.data))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(data[list(IRIS.data.columns)[::-1]])


def test_gaps_are_refused_with_a_way_out() -> None:
    X = IRIS.data.to_numpy().copy()
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="impute"):
        NeuralTreeClassifier().fit(X, NAMES)
    scores = cross_val_score(make_pipeline(SimpleImputer(), NeuralTreeClassifier(random_state=0)), X, NAMES, cv=3)
    assert scores.min() > 0.9


def test_it_fits_into_scikit_learn() -> None:
    quick = NeuralTreeClassifier(random_state=0, epochs=60)
    found = GridSearchCV(quick, {"learning_rate": [1e-6, 0.03]}, cv=3).fit(IRIS.data, NAMES)
    assert found.best_params_ == {"learning_rate": 0.03}
    calibrated = CalibratedClassifierCV(NeuralTreeClassifier(random_state=0), cv=3).fit(IRIS.data, NAMES)
    assert calibrated.score(IRIS.data, NAMES) > 0.9
    bagged = BaggingClassifier(quick, n_estimators=3, random_state=0).fit(IRIS.data, NAMES)
    assert bagged.score(IRIS.data, NAMES) > 0.9
    assert "NeuralTreeClassifier" in quick._repr_html_()
    with sklearn.config_context(enable_metadata_routing=True):
        routed = quick.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        assert cross_val_score(routed, IRIS.data, NAMES, params={"sample_weight": np.ones(150)}, cv=3).min() > 0.5


def test_a_pickle_loads_without_the_training_code(tmp_path: Path) -> None:
    model = NeuralTreeClassifier(random_state=0, epochs=30).fit(IRIS.data, NAMES)
    model.predict_one(IRIS.data.iloc[0].tolist())
    for name, dump in (("pickle", lambda m, f: f.write_bytes(pickle.dumps(m))), ("joblib", joblib.dump)):
        path = tmp_path / name
        dump(model, path)
        code = (
            "import sys, joblib; from sklearn.datasets import load_iris; model = joblib.load(sys.argv[1]); "
            "print(*model.predict(load_iris(as_frame=True).data), 'jax' in sys.modules, 'search' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [*model.predict(IRIS.data), "False", "False"]


def test_one_row_of_plain_numbers() -> None:
    model = NeuralTreeClassifier(random_state=0, epochs=30).fit(IRIS.data, NAMES)
    assert [model.predict_one(row) for row in IRIS.data.to_numpy().tolist()] == model.predict(IRIS.data).tolist()


@pytest.mark.parametrize("rows", [1, 40], ids=["few", "many"])
def test_few_rows_are_refused_as_many_are(rows: int) -> None:
    model = NeuralTreeRegressor(random_state=0, epochs=2).fit(*FRIEDMAN)
    X = FRIEDMAN[0][:rows].copy()
    np.testing.assert_array_equal(model.predict(X), model.tree_.predict(X))
    np.testing.assert_array_equal(model.predict(X.astype(np.float32)), model.tree_.predict(X.astype(np.float32)))
    np.testing.assert_array_equal(model.predict(X.tolist()), model.predict(X))
    with pytest.raises(ValueError, match="X has 4 features, but NeuralTreeRegressor is expecting 5 features"):
        model.predict(X[:, :4])
    with pytest.raises(ValueError, match="Expected 2D array"):
        model.predict(X[0])
    X[0, 0] = np.inf
    with pytest.raises(ValueError, match="contains infinity"):
        model.predict(X)
    named = NeuralTreeClassifier(random_state=0, epochs=2).fit(IRIS.data, NAMES)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        named.predict(IRIS.data.to_numpy()[:rows])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activations": ()}, "activations is empty; name at least one"),
        ({"activations": ["tahn"]}, r"activations has the unknown name \['tahn'\]; allowed: sigmoid, tanh"),
        ({"optimizer": "lbfgs"}, "optimizer='lbfgs'; allowed: sgd, momentum"),
        ({"learning_rate": 0}, "learning_rate=0 must be a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate=nan must be a number above 0"),
        ({"weight_decay": -1}, "weight_decay=-1 must be a number of 0 or more"),
        ({"epochs": 0}, "epochs=0 must be a whole number of 1 or more, or None"),
        ({"batch_size": 0}, "batch_size=0 must be a whole number of 1 or more"),
        ({"max_depth": 0}, "max_depth=0 must be a whole number of 1 or more"),
        ({"max_arity": 0}, "max_arity=0 must be a whole number of 1 or more, or None"),
        ({"max_nodes": 30.0}, r"max_nodes=30\.0 must be a whole number of 1 or more, or None"),
        ({"epochs": 2.5}, r"epochs=2\.5 must be a whole number of 1 or more, or None"),
        ({"max_depth": None}, "max_depth=None must be a whole number of 1 or more"),
        ({"learning_rate": "0.1"}, "learning_rate='0.1' must be a number above 0"),
        ({"activations": "tanh"}, "activations='tanh' is a string; give a list of names"),
        ({"search": "evolution"}, r"search='evolution' must be a search\.Evolution\(\.\.\.\), or None"),
        ({"search": NeuralTreeRegressor}, r"search=.* must be a search\.Evolution\(\.\.\.\), or None"),
        ({"max_nodes": 1}, "the smallest tree has 2 nodes"),
        ({"learning_rate": 1e300, "optimizer": "sgd"}, "training diverged with learning_rate=1e\\+300"),
    ],
)
def test_parameters_are_checked(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NeuralTreeRegressor(random_state=0, **({"epochs": 10} | changes)).fit(*FRIEDMAN)


@pytest.mark.parametrize(
    ("y", "weight", "message"),
    [
        (["a"] * 20, None, "y has one class only, 'a'; a classifier needs two classes or more"),
        (["a", "b"] * 10, [-1.0] + [1.0] * 19, "sample_weight must be finite and zero or more; it is -1 in row 0"),
        (["a", "b"] * 10, [0.0] * 20, "sample_weight is zero in every row; there is nothing to learn from"),
        (["a", "b"] * 10, [1.0] * 19, r"sample_weight has shape \(19,\); X has 20 rows"),
    ],
)
def test_rows_are_checked(y: list, weight: list | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NeuralTreeClassifier().fit(np.ones((20, 2)), y, sample_weight=weight)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: 1, 1: -2}, "class_weight must be finite and zero or more; it is -2 in row 1"),
        ({0: np.nan, 1: 1}, "class_weight must be finite and zero or more; it is nan in row 0"),
        ({0: 1, 1: np.inf}, "class_weight must be finite and zero or more; it is inf in row 1"),
        ({0: 0, 1: 0}, "class_weight is zero in every row"),
    ],
)
def test_class_weights_are_checked(class_weight: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NeuralTreeClassifier(class_weight=class_weight).fit(np.ones((20, 2)), [0, 1] * 10)


def test_class_and_sample_weights_may_leave_nothing() -> None:
    with pytest.raises(ValueError, match="sample_weight by class_weight is zero in every row"):
        NeuralTreeClassifier(class_weight={0: 0}).fit(np.ones((20, 2)), [0, 1] * 10, sample_weight=[1.0, 0.0] * 10)


@pytest.mark.parametrize("unit", [2.0**-1070, 2.0**1023], ids=["tiny", "huge"])
@pytest.mark.parametrize("rows", [120, 300], ids=["one batch", "batches"])
def test_only_ratios_of_weights_count(unit: float, rows: int) -> None:
    X, y = FRIEDMAN[0][:rows], FRIEDMAN[1][:rows]
    model = NeuralTreeRegressor(random_state=0, epochs=5)
    assert model.fit(X, y, sample_weight=np.full(rows, unit)).tree_ == model.fit(X, y, np.ones(rows)).tree_
    classifier = NeuralTreeClassifier(random_state=0, epochs=5, class_weight={0: unit, 1: unit})
    even = clone(classifier).set_params(class_weight={0: 1, 1: 1})
    assert classifier.fit(X, y > 14).tree_ == even.fit(X, y > 14).tree_


def test_classes_in_another_order_go_on_as_they_are() -> None:
    """A tree from a file, or of the reference, may have its classes in any order."""
    X, y = FRIEDMAN[0], np.where(FRIEDMAN[1] > 14, "high", "low")
    model = NeuralTreeClassifier(random_state=0, epochs=60).fit(X, y)
    # 0 is "low" now, so the same tree is wrong wherever it was right.
    turned = NeuralTreeClassifier.from_tree(replace(model.tree_, classes=("low", "high")))
    learned = turned.set_params(warm_start=True, epochs=400, random_state=0).fit(X, y)
    assert learned.tree_.classes == ("low", "high")
    assert learned.score(X, y) > 0.8
    assert roc_auc_score(y, learned.predict_proba(X)[:, learned.classes_.tolist().index("low")]) > 0.8
    learned.partial_fit(X, y, classes=["high", "low"])
    assert learned.tree_.classes == ("low", "high")
    assert learned.classes_.tolist() == ["high", "low"]


@pytest.mark.parametrize("optimizer", ["adam", "momentum"])
def test_a_diverged_training_leaves_all_as_it_was(optimizer: str) -> None:
    X, y = FRIEDMAN
    model = NeuralTreeRegressor(random_state=0, epochs=20, warm_start=True, optimizer=optimizer).fit(X, y)
    before = model.tree_
    with pytest.warns(ConvergenceWarning, match=r"diverged and the tree stays as it was; learning_rate=1e\+200 is too"):
        model.set_params(learning_rate=1e200).fit(X, y)
    assert model.tree_ == before
    model.set_params(learning_rate=0.01).fit(X, y)
    assert np.isfinite(model.loss_curve_[-20:]).all()
    assert model.tree_ != before


def test_a_last_step_too_far_is_seen() -> None:
    """The loss of an epoch is that before its last step."""
    X, y = FRIEDMAN
    model = NeuralTreeRegressor(random_state=0, epochs=1, batch_size=300, optimizer="adamw", learning_rate=1.7e308)
    with pytest.raises(ValueError, match="training diverged"):
        model.set_params(weight_decay=100).fit(X, y)


@pytest.mark.parametrize(("constant", "tried"), [(np.inf, 1), (-1.0, 3)], ids=["good", "bad"])
def test_another_tree_is_tried_where_one_is_useless(
    constant: float, tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(learning, "constant_loss", lambda *given: constant)
    monkeypatch.setattr(learning, "new_tree", lambda *given: made.append(new_tree(*given)) or made[-1])
    NeuralTreeRegressor(random_state=0, epochs=2).fit(*FRIEDMAN)
    assert len(made) == tried


def test_rows_of_weight_zero_scale_nothing() -> None:
    X, y = FRIEDMAN
    weight = np.append(np.ones(300), 0.0)
    fitted = NeuralTreeRegressor(random_state=0, epochs=2)
    fitted.fit(np.vstack([X, np.full(5, 1e6)]), np.append(y, 1e6), sample_weight=weight)
    np.testing.assert_allclose(fitted.tree_.scaler.scale, X.std(axis=0))
    np.testing.assert_allclose(fitted.tree_.target_scaler.scale, y.std())


def test_no_front_without_a_search() -> None:
    model = NeuralTreeRegressor(random_state=0, epochs=2).fit(*FRIEDMAN)
    with pytest.raises(AttributeError, match=r"fitted without a search and has no front; give it search=Evolution"):
        model.select(weights=10)


def test_progress_is_said_where_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr("neuraltree.estimators.learning.EVERY_S", 0.0)
    NeuralTreeRegressor(random_state=0, epochs=30, verbose=1).fit(*FRIEDMAN)
    assert "epoch 30  loss " in capsys.readouterr().err
    NeuralTreeRegressor(random_state=0, epochs=30).fit(*FRIEDMAN)
    assert capsys.readouterr().err == ""


def test_ctrl_c_keeps_what_was_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(epoch: int, loss: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("neuraltree.estimators.learning.telling", lambda verbose: stop)
    monkeypatch.setattr("neuraltree.engine.epochs.CALL_WORK", 1)  # an epoch a call: Ctrl-C works between calls
    with pytest.warns(ConvergenceWarning, match="interrupted after 1 of 60 epochs"):
        model = NeuralTreeRegressor(random_state=0, epochs=60).fit(*FRIEDMAN)
    assert model.n_iter_ == 1
    assert np.isfinite(model.predict(FRIEDMAN[0])).all()


def test_linnerud() -> None:
    X, Y = load_linnerud(return_X_y=True)
    assert NeuralTreeRegressor(random_state=0).fit(X, Y).score(X, Y) > 0.2


@pytest.mark.parametrize("optimizer", ["learned_sgd", "stacked_sgd", "learned_adam"])
def test_a_learned_rate_goes_on_from_call_to_call_and_needs_no_tuning(optimizer: str) -> None:
    X, y = FRIEDMAN
    model = NeuralTreeRegressor(random_state=0, optimizer=optimizer, learning_rate=1e-5)
    rates = []
    for _ in range(20):
        model.partial_fit(X, y)
        rates.append(float(model._moments[-1][0, 0]))
    assert rates[1] > 1.5 * rates[0]  # two batches a call
    assert rates[-1] > 100 * rates[0]
    assert model.partial_fit(X, y).loss_curve_[-1] < 0.9 * model.loss_curve_[0]
    again = pickle.loads(pickle.dumps(model)).partial_fit(X, y)
    assert again.tree_ == model.partial_fit(X, y).tree_


def test_a_user_who_writes_only_the_name_of_a_learned_rate_gets_a_good_tree() -> None:
    X, y = FRIEDMAN
    for optimizer in ("learned_sgd", "learned_adam"):
        assert NeuralTreeRegressor(random_state=0, optimizer=optimizer).fit(X, y).score(X, y) > 0.7


@pytest.mark.parametrize("given", [{"optimizer": "learned_adam"}, {"optimizer": "adam"}, {"learning_rate": 1e-4}])
def test_another_optimiser_or_starting_rate_begins_with_a_new_state(given: dict[str, Any]) -> None:
    X, y = FRIEDMAN
    model = NeuralTreeRegressor(random_state=0, optimizer="learned_sgd", warm_start=True, epochs=5).fit(X, y)
    fresh = copy.deepcopy(model)
    fresh._moments = []
    assert model.set_params(**given).fit(X, y).tree_ == fresh.set_params(**given).fit(X, y).tree_
