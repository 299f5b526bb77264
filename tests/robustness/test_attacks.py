"""Attacks: derivatives by inputs against finite differences, boxes kept, and the optimum of a linear tree."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.compress.pruning.edge_slopes import passed
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.robustness import certified_radius, fgsm, noisy, pgd, without_inputs
from neuraltree.robustness.input_gradient import input_gradient
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers import plain_tree
from tests.helpers.random_models import GAUSSIAN, IDENTITY, SIGMOID, SINE, TANH, record

ROWS = np.random.default_rng(0).normal(size=(15, 3))
SCALER = Scaler(np.array([1.0, -2.0, 50.0]), np.array([0.5, 3.0, 20.0]))
INNER = [
    *((1, TANH, 1.5, 0.2), (2, 0, 0.7, 0.0), (2, SINE, 0.8, -0.3), (3, 1, 1.1, 0.0), (3, 0, -0.4, 0.0)),
    *((1, GAUSSIAN, -1.2, 0.1), (2, 2, 0.9, 0.0), (2, SIGMOID, 1.0, 0.0), (3, 0, -1.3, 0.0), (1, 1, 0.3, 0.0)),
]
# By name, the loss of outputs and targets (outputs, rows), for each row.
LOSSES = {
    "squared": lambda z, y: 0.5 * ((z - y) ** 2).sum(axis=0),
    "logistic": lambda z, y: (np.log1p(np.exp(z)) - y * z).sum(axis=0),
    "softmax": lambda z, y: np.log(np.exp(z).sum(axis=0)) - (y * z).sum(axis=0),
}
LINEAR = [(0, IDENTITY, 0.0, 0.3), (1, 0, 2.0, 0.0), (1, 1, -0.5, 0.0)]


def tree(kind: str, outputs: int = 1, inner: list[tuple[int, int, float, float]] = INNER) -> Tree:
    """A tree of a kind, whose outputs differ in their weights."""
    rows = [
        row
        for k in range(outputs)
        for row in ((0, IDENTITY, 0.0, 0.1 * k), *((d, op, w * (1 - 0.6 * k), b) for d, op, w, b in inner))
    ]
    classes = None if kind == "regression" else ("a", "b", "c")[: max(outputs, 2)]
    return Tree(record(rows), kind, ("x", "y", "z"), classes, SCALER)


@pytest.mark.parametrize(
    ("kind", "outputs", "loss"), [("regression", 1, "squared"), ("binary", 1, "logistic"), ("multiclass", 3, "softmax")]
)
def test_derivatives_by_inputs_are_those_of_finite_differences(kind: str, outputs: int, loss: str) -> None:
    model, rng = tree(kind, outputs), np.random.default_rng(1)
    y = rng.normal(size=15) if model.classes is None else rng.choice(model.classes, 15)
    lesson = lesson_of(model, SCALER.inverse(ROWS), y)
    found = input_gradient(passed(model.nodes, lesson))

    def at(rows: np.ndarray) -> np.ndarray:
        return LOSSES[loss](plain_tree.evaluate(model.nodes, rows), lesson.targets.T)

    for feature in range(3):
        step = 1e-6 * (np.arange(3) == feature)
        np.testing.assert_allclose(found[:, feature], (at(ROWS + step) - at(ROWS - step)) / 2e-6, atol=1e-8)


def test_one_step_moves_every_input_that_is_read_by_the_radius() -> None:
    model, X = tree("multiclass", 3), SCALER.inverse(ROWS)
    moved = SCALER.transform(fgsm(model, X, model.predict(X), 0.2)) - ROWS
    np.testing.assert_allclose(np.abs(moved), 0.2, atol=1e-12)
    unread = Tree(record(LINEAR), "binary", ("x", "y", "z"), ("a", "b"), SCALER)
    moved = SCALER.transform(fgsm(unread, X, unread.predict(X), 0.2)) - ROWS
    first = unread.predict(X) == "a"  # the logit of the other class rises with x and falls with y
    np.testing.assert_allclose(moved, np.where(first[:, None], [0.2, -0.2, 0.0], [-0.2, 0.2, 0.0]), atol=1e-12)


@pytest.mark.parametrize(("kind", "outputs"), [("regression", 1), ("binary", 1), ("multiclass", 3)])
def test_steps_stay_within_the_box_and_do_no_less_harm_than_none(kind: str, outputs: int) -> None:
    model, X = tree(kind, outputs), SCALER.inverse(ROWS)
    y = model.predict(X) + 0.1 if kind == "regression" else model.predict(X)
    for rng in (None, np.random.default_rng(2)):
        attacked = pgd(model, X, y, 0.5, rng=rng)
        assert np.abs(SCALER.transform(attacked) - ROWS).max() <= 0.5 + 1e-12
        if kind == "regression":
            assert (np.abs(model.predict(attacked) - y) >= 0.1 - 1e-9).all()
            assert (np.abs(model.predict(attacked) - y) > 0.2).mean() > 0.8
        else:
            assert 0 < np.mean(model.predict(attacked) != y) < 1


def test_steps_find_the_nearest_change_of_a_linear_tree_and_none_nearer() -> None:
    model, X = tree("binary", inner=LINEAR[1:]), SCALER.inverse(ROWS)
    y, radius = model.predict(X), certified_radius(model, X)
    assert (model.predict(pgd(model, X, y, 1.001 * radius)) != y).all()
    assert (model.predict(pgd(model, X, y, 0.999 * radius)) == y).all()


def test_noise_and_lost_cells_have_the_size_asked_for() -> None:
    model, X = tree("binary"), SCALER.inverse(np.random.default_rng(3).normal(size=(4000, 3)))
    added = SCALER.transform(noisy(model, X, 0.3, np.random.default_rng(4))) - SCALER.transform(X)
    np.testing.assert_allclose(added.std(axis=0), 0.3, rtol=0.05)
    lost = without_inputs(model, X, 0.2, np.random.default_rng(5)) == SCALER.mean
    np.testing.assert_allclose(lost.mean(axis=0), 0.2, atol=0.02)


def test_sizes_that_are_none_are_errors() -> None:
    model, y, rng = tree("binary"), ["a"] * len(ROWS), np.random.default_rng(0)
    for size in (-0.1, np.nan, [0.1, 0.2], None):
        for attack in (fgsm, pgd):
            with pytest.raises(ValueError, match=r"radius is .* each of the 15 rows"):
                attack(model, ROWS, y, size)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"sd is .* each of the 15 rows"):
            noisy(model, ROWS, size, rng)  # type: ignore[arg-type]
    for share in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="from 0 to 1"):
            without_inputs(model, ROWS, share, rng)
    with pytest.raises(ValueError, match="steps is 0"):
        pgd(model, ROWS, y, 0.1, steps=0)
