"""One meaning of outputs: what metrics and searches make of them is what a finished tree says."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from neuraltree.tasks.links import LINKS, class_codes, class_outputs, largest, probabilities
from neuraltree.tasks.metrics import METRICS, Truth, predicted_classes
from neuraltree.tasks.metrics import probabilities as of_metrics
from neuraltree.tasks.task import Task, make_task
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.tree import Tree
from tests.helpers.strategies import IDENTITY, SIGMOID

TASKS = {
    "binary": make_task("binary", 2),
    "multiclass": make_task("multiclass", 3),
    "sigmoid": make_task("multiclass", 3, "squared"),
}
# Sums of output nodes (rows, outputs): usual, tiny and all zero as sigmoids, equal, large, infinite, and not a number.
SUMS = np.array(
    [
        [0.3, -0.2, 0.9],
        [-33.0, -34.0, -35.0],
        [-700.0, -710.0, -705.0],
        [-800.0, -900.0, -1000.0],
        [1.5, 1.5, 1.5],
        [40.0, -40.0, 0.0],
        [-40.0, 40.0, 0.0],
        [math.inf, 0.0, -math.inf],
        [math.nan, 1.0, 2.0],
        [1.0, math.nan, math.nan],
    ]
)


def tree_of(task: Task) -> Tree:
    """A tree whose output nodes have the features as their sums."""
    code = SIGMOID if task.output_activation == "sigmoid" else IDENTITY
    nodes = [row for i in range(task.n_outputs) for row in ((0, ~code, 0, 0), (1, i, 1, 0))]
    classes = ("a", "b", "c")[: max(2, task.n_outputs)]
    return Tree(np.array(nodes, dtype=node_dtype()), task.kind, ("x", "y", "z")[: task.n_outputs], classes)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_metrics_see_the_probabilities_and_classes_of_the_finished_tree(task: Task) -> None:
    tree, X = tree_of(task), SUMS[:, : task.n_outputs]
    outputs = tree.outputs(X).T[None]  # (trees, outputs, rows)
    np.testing.assert_array_equal(of_metrics(task, outputs)[0].T, tree.predict_proba(X))
    codes = predicted_classes(task, outputs)[0]
    assert np.array(tree.classes)[codes].tolist() == tree.predict(X).tolist()
    for x, code in zip(X, codes, strict=True):
        assert tree.predict_one(x.tolist()) == tree.classes[code]


@pytest.mark.parametrize(
    "shares", [[3e-15, 1e-15, 4e-15], [1e-12, 1e-13, 0.0], [5e-324, 5e-324, 1e-323], [0.7, 0.2, 0.9]]
)
def test_sigmoid_outputs_are_shared_out_however_small(shares: list[float]) -> None:
    exact = [float(Fraction(share) / sum(map(Fraction, shares))) for share in shares]
    np.testing.assert_allclose(
        of_metrics(TASKS["sigmoid"], np.array(shares)[None, :, None])[0, :, 0], exact, rtol=1e-12
    )
    np.testing.assert_allclose(LINKS["sigmoid"].row(shares), exact, rtol=1e-12)


def test_outputs_that_are_all_zero_have_even_shares() -> None:
    assert of_metrics(TASKS["sigmoid"], np.zeros((1, 4, 1))).ravel().tolist() == [0.25] * 4


@pytest.mark.parametrize("logit", [-40.0, -20.0, 0.0, 0.5, 30.0, 40.0, 700.0])
def test_a_single_logit_has_both_probabilities_to_the_last_digits(logit: float) -> None:
    """1 - p would lose the smaller one: it is 0 from 37 on."""
    small = math.exp(-abs(logit)) / (1 + math.exp(-abs(logit)))
    expected = sorted([small, 1 / (1 + math.exp(-abs(logit)))], reverse=logit < 0)
    np.testing.assert_allclose(of_metrics(TASKS["binary"], np.full((1, 1, 1), logit)).ravel(), expected, rtol=1e-14)


def test_the_log_loss_of_tiny_sigmoids() -> None:
    outputs = np.array([[[1e-14, 4e-14], [3e-14, 1e-14]]])  # (trees, classes, rows)
    truth = Truth(make_task("binary", 2, "squared"), np.array([1, 0]))
    np.testing.assert_allclose(METRICS["log_loss"](truth, outputs), -(math.log(0.75) + math.log(0.8)) / 2, rtol=1e-12)


def test_rows_alone_and_stacked_trees_are_linked_alike() -> None:
    for activation in LINKS:
        rows = np.random.default_rng(0).uniform(size=(6, 3))
        stacked = probabilities(activation, rows.T[None])
        np.testing.assert_array_equal(stacked[0].T, probabilities(activation, rows))
    assert class_outputs(np.ones((2, 1, 3))).shape == (2, 2, 3)


@pytest.mark.parametrize("row", SUMS.tolist())
def test_the_class_of_a_row_is_the_position_of_its_largest(row: list[float]) -> None:
    assert class_codes(np.array([row]))[0] == largest(row) == np.argmax(row)
    assert class_codes(np.array([row[:1]]))[0] == largest([0.0, row[0]])
