"""Trees as scikit-learn estimators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.exceptions import NotFittedError

from neuraltree.estimators.classifier import NeuralTreeClassifier
from neuraltree.estimators.regressor import NeuralTreeRegressor
from neuraltree.tree.model_files import save
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree

NODES = np.array([(0, ~5, 0, 0.5), (1, ~1, -1.5, 0.25), (2, 1, 3.0, 0), (1, 0, 0.1, 0)], dtype=node_dtype())
SCALER = Scaler(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
X = np.random.default_rng(2).normal(size=(20, 2)) * 4


def regression(features: tuple[str, ...] = ("x0", "x1")) -> Tree:
    return Tree(NODES, "regression", features, None, SCALER, Scaler(np.array([10.0]), np.array([2.0])))


def binary(classes: tuple = ("b", "a")) -> Tree:
    return Tree(NODES, "binary", ("x0", "x1"), classes, SCALER)


def multiclass() -> Tree:
    return Tree(np.concatenate([NODES, NODES, NODES]), "multiclass", ("x0", "x1"), (7, 5, 6), SCALER)


def test_regressor_predicts_as_its_tree() -> None:
    estimator = regression().estimator()
    assert isinstance(estimator, NeuralTreeRegressor)
    assert is_regressor(estimator)
    assert estimator.n_features_in_ == 2
    assert not hasattr(estimator, "feature_names_in_")
    y = regression().predict(X)
    np.testing.assert_array_equal(estimator.predict(X), y)
    assert estimator.score(X, y) == 1.0
    assert estimator.score(X, y + 5) == pytest.approx(1 - 25 / y.var())


@pytest.mark.parametrize("classes", [("b", "a"), (3, -1), (2.0, -1.0)])
def test_classifier_predicts_labels(classes: tuple) -> None:
    estimator = binary(classes).estimator()
    assert isinstance(estimator, NeuralTreeClassifier)
    assert is_classifier(estimator)
    assert estimator.classes_.tolist() == sorted(classes)  # as scikit-learn has them, whatever the tree's order
    labels, logits = estimator.predict(X), binary().outputs(X)[:, 0]
    assert labels.tolist() == [classes[int(logit > 0)] for logit in logits]
    assert 0 < np.mean(logits > 0) < 1
    assert labels.dtype == estimator.classes_.dtype
    np.testing.assert_allclose(estimator.predict_proba(X)[:, 0], 1 / (1 + np.exp(-logits)), rtol=1e-12)
    wrong = labels.copy()
    wrong[:5] = np.where(labels[:5] == classes[0], classes[1], classes[0])
    assert estimator.score(X, wrong) == 0.75


def test_more_classes_have_a_column_each_and_the_first_wins_a_tie() -> None:
    estimator = NeuralTreeClassifier.from_tree(multiclass())
    np.testing.assert_allclose(estimator.predict_proba(X), 1 / 3)
    assert set(estimator.predict(X)) == {7}


def test_from_file(tmp_path: Path) -> None:
    save(regression(), tmp_path / "tree.json")
    estimator = NeuralTreeRegressor.from_file(tmp_path / "tree.json")
    assert estimator.tree_ == regression()


def test_the_kinds_do_not_mix(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NeuralTreeRegressor needs a regression tree, got a binary tree"):
        NeuralTreeRegressor.from_tree(binary())
    save(regression(), tmp_path / "tree.json")
    with pytest.raises(ValueError, match="needs a binary or multiclass tree, got a regression tree"):
        NeuralTreeClassifier.from_file(tmp_path / "tree.json")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_one"])
def test_without_a_tree_nothing_is_predicted(method: str) -> None:
    for estimator in (NeuralTreeClassifier(), clone(binary().estimator())):
        with pytest.raises(NotFittedError, match="NeuralTreeClassifier instance is not fitted yet"):
            getattr(estimator, method)(X)
    with pytest.raises(NotFittedError, match="NeuralTreeRegressor instance is not fitted yet"):
        NeuralTreeRegressor().predict(X)


BAD_INPUTS = [
    (X[:, :1], "X has 1 features, but NeuralTreeRegressor is expecting 2"),
    (X[0], "Expected 2D array"),
    (np.array([[1.0, np.nan]]), "contains NaN"),
    (np.array([["a", "b"]]), "could not convert"),
    (X[:0], "0 sample"),
]


@pytest.mark.parametrize(("rows", "message"), BAD_INPUTS, ids=[message for _, message in BAD_INPUTS])
def test_inputs_are_checked(rows: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        regression().estimator().predict(rows)


def test_columns_with_names_are_compared_by_name() -> None:
    pandas = pytest.importorskip("pandas")
    estimator = regression(("width", "height")).estimator()
    assert estimator.feature_names_in_.tolist() == ["width", "height"]
    frame = pandas.DataFrame(X, columns=["width", "height"])
    np.testing.assert_array_equal(estimator.predict(frame), regression().predict(X))
    with pytest.raises(ValueError, match="feature names"):
        estimator.predict(frame[["height", "width"]])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        estimator.predict(X)
