"""The band of a tree: its intervals and sets of classes, and where the band stays or is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.export.c.training.device_step import training_step, with_parameters
from neuraltree.tree.model_files import dumps
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, TANH, record, scaler
from tests.helpers.strategies import steady, trees, unit
from tests.helpers.tree_changes import Change, changes

ROWS = np.random.default_rng(3).normal(size=(40, 5)) * 2
X = ROWS[:, :2]
NAMES = ("x0", "x1")


def number(band: float | None) -> Tree:
    rows = [(0, IDENTITY, 0.0, 0.5), (1, TANH, -1.5, 0.25), (2, 1, 3.0, 0.0), (1, 0, 0.1, 0.0)]
    return Tree(record(rows), "regression", NAMES, None, scaler([1.0, 2.0], [3.0, 4.0]), scaler(7.0, 5.0), band=band)


def shares(band: float | None, classes: tuple[str, ...] = ("a", "b", "c")) -> Tree:
    """Three logits: those of x0, of x1, and 0."""
    rows = [(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0), (0, IDENTITY, 0.0, 0.0), (1, 1, 1.0, 0.0)]
    rows += [(0, IDENTITY, 0.0, 0.0), (1, 0, 0.0, 0.0)]
    return Tree(record(rows), "multiclass", NAMES, classes, band=band)


def test_an_interval_is_the_prediction_and_the_band_on_both_sides() -> None:
    tree = number(2.5)
    for rows in (X, X[:3]):
        found = tree.predict_interval(rows)
        assert found.shape == (len(rows), 2)
        np.testing.assert_array_equal(found, np.stack([tree.predict(rows) - 2.5, tree.predict(rows) + 2.5], axis=1))
    np.testing.assert_array_equal(tree.estimator().predict_interval(X), tree.predict_interval(X))
    frame = {name: X[:, i] for i, name in enumerate(NAMES)}
    np.testing.assert_array_equal(tree.predict_interval(frame), tree.predict_interval(X))


def test_a_set_has_the_classes_from_the_band_on_and_the_most_probable_one() -> None:
    inputs = np.log(np.array([[6.0, 3.0], [1.0, 1.0], [0.5, 8.5], [1.0, 2.0]]))  # the third class has the share 1
    p = np.array([[0.6, 0.3, 0.1], [1 / 3, 1 / 3, 1 / 3], [0.05, 0.85, 0.1], [0.25, 0.5, 0.25]])
    wanted = {
        0.2: [[1, 1, 0], [1, 1, 1], [0, 1, 0], [1, 1, 1]],
        0.4: [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]],  # of equal classes the first is in
        1.0: [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]],
        0.0: [[1, 1, 1]] * 4,
    }
    for band, rows in wanted.items():
        tree = shares(band)
        np.testing.assert_allclose(tree.predict_proba(inputs), p)
        assert tree.predict_set(inputs).astype(int).tolist() == rows
        assert tree.predict_set(inputs).dtype == bool
    second = float(shares(None).predict_proba(inputs)[0, 1])
    assert shares(second).predict_set(inputs)[0].tolist() == [True, True, False]


@steady
@given(trees(values=unit, kinds=("binary", "multiclass")), st.floats(0, 1))
def test_no_set_is_empty_and_an_estimator_has_the_order_of_its_classes(tree: Tree, band: float) -> None:
    assert tree.classes is not None
    tree = replace(tree, features=tuple(f"x{i}" for i in range(len(tree.features))), band=band)
    rows = ROWS[:, : len(tree.features)]
    found, p = tree.predict_set(rows), tree.predict_proba(rows)
    assert found.any(axis=1).all()
    assert found[np.arange(len(rows)), p.argmax(axis=1)].all()
    np.testing.assert_array_equal(found.sum(axis=1), np.maximum((p >= band).sum(axis=1), 1))
    model = tree.estimator()
    for i, label in enumerate(model.classes_.tolist()):
        np.testing.assert_array_equal(model.predict_set(rows)[:, i], found[:, tree.classes.index(label)])


def test_a_row_that_is_no_number_has_a_set_too() -> None:
    assert shares(0.9).predict_set([[np.nan, 0.0]]).sum() == 1


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: number(None).predict_interval(X), "has no band, so its 90 % intervals or sets are unknown; a search"),
        (lambda: shares(None).predict_set(X), "has no band"),
        (lambda: number(1.0).predict_set(X), "a regression tree has no sets of classes; use predict_interval"),
        (lambda: shares(0.5).predict_interval(X), "a multiclass tree has classes and no intervals; use predict_set"),
        (lambda: number(1.0).predict_interval(ROWS), r"X has shape \(40, 5\)"),
        (lambda: NeuralTreeRegressor(random_state=0, epochs=1).fit(X, X[:, 0]).predict_interval(X), "has no band"),
        (lambda: NeuralTreeClassifier(random_state=0, epochs=1).fit(X, X[:, 0] > 0).predict_set(X), "has no band"),
    ],
)
def test_what_is_unknown_is_said(ask: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ask()


def further(tree: Tree, **options: object) -> Tree:
    return tree.estimator().set_params(random_state=0, **options).fit(X, X[:, 0]).tree_


KEEPING: dict[str, Change] = {"target": lambda tree: tree.target(0), **changes(X, X[:, 0])}
LOSING: dict[str, Change] = {  # the weights learn other rows, and nobody knows how well
    "training on a device": lambda tree: training_step(tree, X[0], 1.0, 0.1)[1],
    "parameters of a device": lambda tree: with_parameters(tree, np.zeros(tree.num_weights)),
    "warm start": lambda tree: further(tree, warm_start=True, epochs=2),
    "partial_fit": lambda tree: tree.estimator().partial_fit(X, X[:, 0]).tree_,
    "a new fit": lambda tree: further(tree, epochs=2),
}


@pytest.mark.parametrize("how", KEEPING)
def test_it_stays_as_it_is(how: str) -> None:
    assert KEEPING[how](number(0.75)).band == 0.75
    assert KEEPING[how](number(None)).band is None


@pytest.mark.parametrize("how", LOSING)
def test_training_loses_it(how: str) -> None:
    assert LOSING[how](number(0.75)).band is None


def test_trees_that_differ_in_it_differ() -> None:
    assert number(0.5) != number(None)
    assert number(0.5) != number(0.75)
    assert hash(number(0.5)) != hash(number(None))
    assert number(0.5) == number(np.float64(0.5))
    assert type(number(np.float32(0.25)).band) is float
    assert number(0).band == 0.0


def test_a_file_holds_it_if_it_is_known() -> None:
    assert "band" not in dumps(number(None))
    assert dumps(number(0.75)).replace('"band": 0.75,\n', "").replace('"version": 2', '"version": 1') == dumps(
        number(None)
    )
