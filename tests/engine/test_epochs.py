"""Epochs of one tree against a NumPy descent with derivatives by differences; resuming, stopping."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.engine import epochs
from neuraltree.engine.epochs import train_epochs
from neuraltree.engine.training import Settings
from neuraltree.estimators.covering import covering_tree
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.space import Space
from tests.helpers.oracle import evaluate_recursive

SPACE = Space(3, 2, max_nodes=14, activations=("tanh", "gaussian"))
PLAIN = Settings("squared", "sgd", batch_size=200, precision="float64")


def tree_of(seed: int = 0, space: Space = SPACE) -> Nodes:
    return covering_tree(np.random.default_rng(seed), space, size=8)


def rows(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 3)), rng.normal(size=(count, 2))


def run(tree, x, y, rates, *, weight=None, settings=PLAIN, seed=0, moments=()):
    rng = np.random.default_rng(seed)
    data = {"inputs": x, "targets": y, "weight": weight}
    return train_epochs(tree, settings, **data, rates=rates, rng=rng, moments=moments)


def loss_of(tree: Nodes, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    values = np.array([evaluate_recursive(tree, row) for row in x])
    errors = 0.5 * np.square(values - y).sum(axis=1)
    return float((errors * weight).sum() / weight.sum())


def descend(tree: Nodes, x: np.ndarray, y: np.ndarray, weight: np.ndarray, rate: float) -> Nodes:
    """One step of gradient descent, every derivative by central differences."""
    moved, step = tree.copy(), 1e-6
    for name, free in (("weight", tree["depth"] > 0), ("bias", tree["op"] < 0)):
        for i in np.flatnonzero(free):
            values = []
            for sign in (1, -1):
                near = tree.copy()
                near[name][i, 0] += sign * step
                values.append(loss_of(near, x, y, weight))
            moved[name][i, 0] -= rate * (values[0] - values[1]) / (2 * step)
    return moved


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [False, True])
def test_epochs_of_one_batch_are_steps_down_the_gradient(seed: int, weighted: bool) -> None:
    tree, (x, y) = tree_of(seed), rows(30)
    weight = np.random.default_rng(seed).uniform(0, 3, size=30) if weighted else np.ones(30)
    trained = run(tree, x, y, [0.1, 0.05], weight=weight if weighted else None)
    first = descend(tree, x, y, weight, 0.1)
    second = descend(first, x, y, weight, 0.05)
    np.testing.assert_allclose(trained.losses, [loss_of(t, x, y, weight) for t in (tree, first)], rtol=1e-9)
    for name in ("weight", "bias"):
        np.testing.assert_allclose(trained.nodes[name], second[name], atol=1e-8)
    assert trained.nodes["op"].tolist() == tree["op"].tolist()


def test_every_row_is_seen_once_an_epoch_whatever_the_batch() -> None:
    """With steps of length zero an epoch's mean loss is the loss over all rows, if batches are of equal size."""
    tree, (x, y) = tree_of(), rows(96)
    settings = PLAIN._replace(batch_size=32)
    trained = run(tree, x, y, [0.0] * 3, settings=settings)
    np.testing.assert_allclose(trained.losses, loss_of(tree, x, y, np.ones(96)), rtol=1e-12)


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "rmsprop", "learned_sgd"])
def test_going_on_is_as_if_it_had_never_stopped(optimizer: str) -> None:
    tree, (x, y) = tree_of(), rows(40)
    settings = PLAIN._replace(optimizer=optimizer)
    whole = run(tree, x, y, [0.01] * 6, settings=settings)
    half = run(tree, x, y, [0.01] * 2, settings=settings)
    rest = run(half.nodes, x, y, [0.01] * 4, settings=settings, moments=half.moments)
    np.testing.assert_array_equal(rest.nodes["weight"], whole.nodes["weight"])
    np.testing.assert_array_equal([*half.losses, *rest.losses], whole.losses)
    forgetful = run(half.nodes, x, y, [0.01] * 4, settings=settings)
    assert np.abs(forgetful.nodes["weight"] - whole.nodes["weight"]).max() > 1e-4


EPOCHS_A_CALL = 7


@pytest.fixture
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of ``EPOCHS_A_CALL`` epochs of the 20 rows that the tests below train on."""
    monkeypatch.setattr(epochs, "MOST_DRAWN", 20 * EPOCHS_A_CALL)


@pytest.mark.usefixtures("short_calls")
def test_more_epochs_than_a_call_holds() -> None:
    tree, (x, y) = tree_of(), rows(20)
    count = 2 * EPOCHS_A_CALL + 3
    trained = run(tree, x, y, [0.02] * count)
    assert trained.losses.shape == (count,)
    assert trained.losses[-1] < trained.losses[0]
    again = tree
    for _ in range(count):
        again = run(again, x, y, [0.02]).nodes
    np.testing.assert_allclose(again["weight"], trained.nodes["weight"], rtol=1e-9)


@pytest.mark.usefixtures("short_calls")
def test_ctrl_c_keeps_what_was_trained() -> None:
    tree, (x, y) = tree_of(), rows(20)

    def stop(epoch: int, loss: float) -> None:
        if epoch == 2 * EPOCHS_A_CALL:
            raise KeyboardInterrupt

    rates = [0.02] * (4 * EPOCHS_A_CALL)
    given = {"inputs": x, "targets": y, "weight": None}
    stopped = train_epochs(tree, PLAIN, **given, rates=rates, rng=np.random.default_rng(0), after=stop)
    assert len(stopped.losses) == 2 * EPOCHS_A_CALL
    short = run(tree, x, y, rates[: 2 * EPOCHS_A_CALL])
    np.testing.assert_array_equal(stopped.nodes["weight"], short.nodes["weight"])
