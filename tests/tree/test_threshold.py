"""The decision threshold of binary trees: which class it predicts, and where it stays as it is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.compress import quantize_tree
from neuraltree.estimators.classifier import NeuralTreeClassifier
from neuraltree.export.c.training.device_step import training_step, with_parameters
from neuraltree.tasks.links import logit_threshold
from neuraltree.tree.model_files import dumps
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, TANH, record, scaler
from tests.helpers.strategies import probabilities, steady, trees, unit
from tests.helpers.tree_changes import Change, changes

ROWS = np.random.default_rng(3).normal(size=(40, 5)) * 2
X = ROWS[:, :2]
Y = np.where(X[:, 0] > 0.3, "yes", "no")


def small(threshold: float) -> Tree:
    rows = [(0, IDENTITY, 0.0, 0.5), (1, TANH, -1.5, 0.25), (2, 1, 3.0, 0.0), (1, 0, 0.1, 0.0)]
    return Tree(
        record(rows), "binary", ("x0", "x1"), ("no", "yes"), scaler([1.0, 2.0], [3.0, 4.0]), threshold=threshold
    )


@steady
@given(trees(values=unit, kinds=("binary",)), probabilities | st.floats(0.05, 0.95))
def test_the_second_class_is_predicted_where_its_probability_is_above_the_threshold(
    tree: Tree, threshold: float
) -> None:
    """For many rows and for few, for one row, and in integers; away from the rounding of the logit."""
    assert tree.classes is not None
    names = tuple(f"x{i}" for i in range(len(tree.features)))
    tree, rows = replace(tree, features=names, threshold=threshold), ROWS[:, : len(names)]
    order = [sorted(tree.classes).index(label) for label in tree.classes]  # an estimator's classes are sorted
    for predict, proba in (
        (tree.predict, tree.predict_proba),
        (lambda X: [tree.predict_one(x) for x in X.tolist()], tree.predict_proba),
        (lambda X: tree.predict(X[:3]), lambda X: tree.predict_proba(X[:3])),
        (tree.estimator().predict, lambda X: tree.estimator().predict_proba(X)[:, order]),
        (quantize_tree(tree).predict, quantize_tree(tree).predict_proba),
    ):
        p = proba(rows)[:, 1]
        clear = np.abs(p - threshold) > 1e-4 * min(threshold, 1 - threshold) + 1e-15
        wanted = [tree.classes[int(value > threshold)] for value in p]
        assert [a for a, c in zip(predict(rows), clear, strict=True) if c] == [
            a for a, c in zip(wanted, clear, strict=True) if c
        ]


@pytest.mark.parametrize("threshold", [0.5, 0.1, 0.9])
@pytest.mark.parametrize("rows", [1, 100])  # number by number, and as arrays
def test_a_probability_of_exactly_the_threshold_is_the_first_class(threshold: float, rows: int) -> None:
    level = float(np.float32(math.log(threshold / (1 - threshold))))
    tree = Tree(record([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)]), "binary", ("z",), (0, 1), threshold=threshold)
    cases = [(level, 0), (math.nextafter(level, 9), 1), (math.nextafter(level, -9), 0), (math.nan, 1), (-math.inf, 0)]
    for z, code in cases:
        assert tree.predict([[z]] * rows).tolist() == [code] * rows
        assert tree.predict_one([z]) == code


def test_the_logit_is_a_single_float_and_0_only_for_one_half() -> None:
    assert logit_threshold(0.5) == 0
    assert logit_threshold(0.2) == float(np.float32(math.log(0.25)))
    for near in (math.nextafter(0.5, 0), math.nextafter(0.5, 1)):
        assert logit_threshold(near) != 0
    assert all(map(math.isfinite, map(logit_threshold, (5e-324, math.nextafter(1, 0)))))


def trained(tree: Tree, epochs: int) -> Tree:
    model = tree.estimator().set_params(warm_start=True, epochs=epochs, random_state=0)
    return model.fit(X, Y).tree_


# What makes a tree from a tree.
KEEPING: dict[str, Change] = {
    **changes(X, Y == "yes"),
    "training on a device": lambda tree: training_step(tree, X[0], 1, 0.1)[1],
    "parameters of a device": lambda tree: with_parameters(tree, np.zeros(tree.num_weights)),
    "warm start": lambda tree: trained(tree, 2),
    "partial_fit": lambda tree: tree.estimator().partial_fit(X, Y).tree_,
}


@pytest.mark.parametrize("how", KEEPING)
def test_it_stays_as_it_is(how: str) -> None:
    assert KEEPING[how](small(0.2)).threshold == 0.2
    assert KEEPING[how](small(0.5)).threshold == 0.5


def test_a_new_fit_starts_from_one_half() -> None:
    model = small(0.2).estimator().set_params(epochs=2, random_state=0)
    assert model.fit(X, Y).tree_.threshold == 0.5
    assert isinstance(model, NeuralTreeClassifier)


def test_trees_that_differ_in_it_differ() -> None:
    assert small(0.2) != small(0.5)
    assert hash(small(0.2)) != hash(small(0.5))
    assert small(0.2) == small(np.float64(0.2))
    assert type(small(np.float32(0.25)).threshold) is float


def test_a_file_holds_it_only_if_it_is_not_one_half() -> None:
    assert "threshold" not in dumps(small(0.5))
    assert dumps(small(0.2)).replace('"threshold": 0.2,\n', "") == dumps(small(0.5))
