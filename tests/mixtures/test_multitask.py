"""Multitask trees: a trunk of identities is no trunk, gradients flow through it, and it counts once."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.mixtures.joint_training import Plan, fit_together
from neuraltree.mixtures.multitask import Multitask, trunk_names
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from tests.helpers.oracle import evaluate_recursive

WIDTH, NAMES = 3, ("a", "b", "c")


def identities() -> Tree:
    """Each output is an input in its own units."""
    nodes = np.zeros(2 * WIDTH, node_dtype())
    nodes["depth"], nodes["op"] = [0, 1] * WIDTH, [part for i in range(WIDTH) for part in (~5, i)]
    nodes["weight"][1::2] = 1
    return Tree(nodes, "regression", NAMES)


def head(seed: int, outputs: int = 1, first: int = 0) -> Tree:
    """A tree that reads ``WIDTH`` features from ``first`` on, of the inputs and the outputs of a trunk."""
    nodes = random_tree(np.random.default_rng(seed), Space(WIDTH, outputs), max_nodes=20 * outputs)
    nodes["op"] += np.where(nodes["op"] >= 0, first, 0).astype(nodes["op"].dtype)
    kind, classes = ("regression", None) if outputs == 1 else ("multiclass", tuple(range(outputs)))
    return Tree(nodes, kind, (*NAMES, *trunk_names(WIDTH)), classes)


def some_rows(seed: int = 0, rows: int = 40):
    X = np.random.default_rng(seed).standard_normal((rows, WIDTH)) * 2 + 1
    return X, {"number": X[:, 0] * X[:, 1], "class": np.digitize(X[:, 2], [0.5, 1.5])}


def test_a_trunk_of_identities_is_the_raw_inputs() -> None:
    X, _ = some_rows()
    through = Multitask(identities(), {"number": head(1, first=WIDTH), "class": head(2, 3, first=WIDTH)})
    beside = Multitask(identities(), {"number": head(1), "class": head(2, 3)})
    for name, expected in beside.predict(X).items():
        np.testing.assert_array_equal(through.predict(X)[name], expected)
    nodes = head(1).nodes
    np.testing.assert_allclose(through.predict(X)["number"], [evaluate_recursive(nodes, x)[0] for x in X], atol=1e-12)


def test_the_trunk_counts_once() -> None:
    model = Multitask(identities(), {"number": head(1), "class": head(2, 3)})
    assert model.num_weights == 2 * WIDTH + head(1).num_weights + head(2, 3).num_weights
    assert model.macs > 0


def test_a_step_is_that_of_finite_differences() -> None:
    """The first step of Adam goes by the sign of each derivative: that of all trees' weights, the trunk's too."""
    X, targets = some_rows(rows=16)
    scaler = Scaler(np.full(2 * WIDTH, 0.3), np.full(2 * WIDTH, 1.5))
    heads = {"number": head(1, first=1), "class": head(4, 3, first=2)}
    heads = {name: Tree(each.nodes, each.kind, each.features, each.classes, scaler) for name, each in heads.items()}
    model = Multitask(identities(), heads)
    rate = 1e-3
    learned = fit_together(model, X, targets, Plan(1, 16, rate), seed=0).model

    def loss(trunk_nodes: np.ndarray) -> float:
        z = np.array([evaluate_recursive(trunk_nodes, x) for x in X])
        seen = (np.hstack([X, z]) - 0.3) / 1.5
        numbers = np.array([evaluate_recursive(heads["number"].nodes, x)[0] for x in seen])
        logits = np.array([evaluate_recursive(heads["class"].nodes, x) for x in seen])
        right = logits[np.arange(len(X)), targets["class"]]
        return float(np.mean((numbers - targets["number"]) ** 2 / 2) + np.mean(np.log(np.exp(logits).sum(1)) - right))

    checked = 0
    for field, places in (("weight", range(1, 2 * WIDTH, 2)), ("bias", range(0, 2 * WIDTH, 2))):
        for i in places:
            ends = []
            for shift in (1e-5, -1e-5):
                nodes = model.trunk.nodes.copy()
                nodes[field][i, 0] += shift
                ends.append(loss(nodes))
            slope = (ends[0] - ends[1]) / 2e-5
            moved = float(learned.trunk.nodes[field][i, 0] - model.trunk.nodes[field][i, 0])
            if abs(slope) > 1e-3:
                checked += 1
                assert moved == pytest.approx(-rate * np.sign(slope), rel=1e-2)
    assert checked >= WIDTH


def test_training_lowers_the_loss_of_all_tasks() -> None:
    X, targets = some_rows(rows=60)
    model = Multitask(identities(), {"number": head(1, first=WIDTH), "class": head(4, 3, first=WIDTH)})
    found = fit_together(model, X, targets, Plan(40, 20, 0.02), seed=0)
    assert found.losses[-1] < 0.8 * found.losses[0]
    assert not np.array_equal(found.model.trunk.nodes, model.trunk.nodes)
    again = fit_together(model, X, targets, Plan(40, 20, 0.02), seed=0)
    assert again.model.trunk == found.model.trunk


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="has 3 features"):
        Multitask(identities(), {"number": identities().target(0)})
    model = Multitask(identities(), {"number": head(1)})
    with pytest.raises(ValueError, match="targets of"):
        fit_together(model, some_rows()[0], {}, Plan(), 0)
    X, targets = some_rows()
    targets = {"number": targets["number"]}
    for option in ({"epochs": 0}, {"batch": 0}, {"learning_rate": -1.0}):
        ((name, value),) = option.items()
        with pytest.raises(ValueError, match=f"{name}={value}; it must be a"):
            fit_together(model, X, targets, Plan(**option), 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the training diverged with"):
        fit_together(model, X, targets, Plan(3, 20, 1e30), 0)


def test_columns_by_name_are_the_same_in_any_order() -> None:
    X, targets = some_rows()
    model = Multitask(identities(), {"number": head(1, first=WIDTH)})
    columns = dict(reversed([*zip(model.trunk.features, X.T, strict=True)]))
    np.testing.assert_array_equal(model.predict(columns)["number"], model.predict(X)["number"])
    given = {"number": targets["number"]}
    learned = [fit_together(model, each, given, Plan(1, 20), 0).model.trunk for each in (X, columns)]
    assert learned[0] == learned[1]
