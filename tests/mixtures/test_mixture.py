"""Mixtures of experts: routing, responsibilities, costs, balance, and regimes that a mixture finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator, check_estimators_unfitted, check_fit_idempotent
from sklearn.utils.estimator_checks import check_sample_weight_equivalence_on_dense_data as check_sample_weights

from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.hardware import Code, load_device
from neuraltree.hardware.model.cost import costs, laid_out
from neuraltree.mixtures.expectation import Plan, fit_mixture, linear_gate, responsibilities
from neuraltree.mixtures.mixture import Mixture
from neuraltree.mixtures.mixture_estimators import MixtureClassifier, MixtureRegressor
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import node_dtype
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from tests.helpers.oracle import evaluate_recursive
from tests.helpers.strategies import steady

NAMES = ("a", "b")


def expert(seed: int, nodes: int = 12) -> Tree:
    return Tree(random_tree(np.random.default_rng(seed), Space(2), max_nodes=nodes), "regression", NAMES)


def gate_by_sign() -> Tree:
    """Expert 0 where a is below 0, else expert 1."""
    nodes = np.zeros(2, node_dtype())
    nodes["depth"], nodes["op"] = [0, 1], [~5, 0]
    nodes["weight"][1] = 1
    return Tree(nodes, "binary", NAMES, (0, 1))


def regimes(rows: int = 300, seed: int = 0):
    """Two lines with one corner in between, and noise."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (rows, 2))
    return X, np.where(X[:, 0] < 0, 3 * X[:, 1], -3 * X[:, 1]) + 0.01 * rng.standard_normal(rows)


def test_each_row_has_the_answer_of_its_expert() -> None:
    X = np.random.default_rng(0).standard_normal((20, 2))
    mixture = Mixture(gate_by_sign(), (expert(1), expert(2)))
    expected = [evaluate_recursive(mixture.experts[int(x[0] > 0)].nodes, x)[0] for x in X]
    np.testing.assert_allclose(mixture.predict(X), expected, atol=1e-12)
    assert mixture.shares(X).tolist() == [float((X[:, 0] <= 0).mean()), float((X[:, 0] > 0).mean())]


def test_costs_are_those_of_the_gate_and_one_expert() -> None:
    X = np.column_stack([[-1.0, 1, 1, 1], np.zeros(4)])
    trees = gate_by_sign(), expert(1, 6), expert(2, 40)
    mixture = Mixture(trees[0], trees[1:])
    device, code = load_device("cortex-m4f"), Code("float32", "straight", "clang")
    each = []
    for tree in trees:
        nodes, starts, about = laid_out([tree])
        each.append({name: float(value[0]) for name, value in costs(nodes, starts, device, *code, **about).items()})
    found = mixture.costs(X, device, code)
    gate, one, two = (part["latency_s"] for part in each)
    assert found["latency_s"] == pytest.approx(gate + one / 4 + two * 3 / 4)
    assert found["worst_expert_latency_s"] == pytest.approx(gate + max(one, two))
    assert found["flash_bytes"] == sum(part["flash_bytes"] for part in each)
    assert found["ram_bytes"] == max(part["ram_bytes"] for part in each)
    edges = [int((tree.nodes["depth"] > 0).sum()) for tree in trees]
    assert mixture.macs(X) == (edges[0] + edges[1] / 4 + edges[2] * 3 / 4, edges[0] + max(edges[1:]))


@steady
@given(st.integers(0, 10**6), st.integers(2, 4), st.sampled_from([0.0, 0.5, 1.0]))
def test_responsibilities_are_bayes_rule_and_balance_moves_them_to_rare_experts(
    seed: int, experts: int, balance: float
) -> None:
    rng = np.random.default_rng(seed)
    gate, losses = rng.standard_normal((9, experts)), rng.exponential(2.0, (9, experts))
    prior = np.exp(gate) / np.exp(gate).sum(axis=1, keepdims=True)
    plain = prior * np.exp(-losses)
    plain /= plain.sum(axis=1, keepdims=True)
    expected = plain / np.maximum(plain.mean(axis=0), 0.01) ** balance
    found = responsibilities(gate, losses, balance)
    np.testing.assert_allclose(found, expected / expected.sum(axis=1, keepdims=True), rtol=1e-9)
    assert found[:, plain.mean(axis=0).argmin()].mean() >= plain.mean(axis=0).min() - 1e-12


def test_two_regimes_get_an_expert_each() -> None:
    """Each expert is a line, which alone explains nothing: the mean of both is 0."""
    X, y = regimes()
    line = np.zeros(3, node_dtype())
    line["depth"], line["op"] = [0, 1, 1], [~5, 0, 1]
    tree = Tree(line, "regression", NAMES)
    learned = fit_mixture([tree, tree], X, y, plan=Plan(30, 5, 0.05))
    new, wanted = regimes(seed=1)
    error = np.mean((learned.mixture.predict(new) - wanted) ** 2) / wanted.var()
    assert error < 0.1
    assert learned.losses[-1] < 0.3 * learned.losses[0]
    assert learned.mixture.shares(new).min() > 0.4


def test_the_estimators_fit_predict_and_clone() -> None:
    X, y = regimes(120)
    base = NeuralTreeRegressor(epochs=30, random_state=0)
    model = MixtureRegressor(base, rounds=3, epochs=2, random_state=0)
    assert clone(model).fit(X, y).score(X, y) == model.fit(X, y).score(X, y)
    assert len(model.loss_curve_) == 3
    labels = np.where(y > 0, "up", "down")
    classes = MixtureClassifier(rounds=2, epochs=1, experts=3, random_state=0).fit(X, labels)
    share = classes.predict_proba(X)
    assert share.shape == (120, 2)
    assert (classes.classes_[share.argmax(axis=1)] == classes.predict(X)).all()
    assert len(classes.mixture_.experts) == 3


def test_the_classifier_is_one_of_scikit_learn() -> None:
    found = check_estimator(
        MixtureClassifier(NeuralTreeClassifier(epochs=150), rounds=3, epochs=3), on_fail=None, on_skip=None
    )
    assert [each["check_name"] for each in found if each["status"] == "failed"] == []


@pytest.mark.parametrize("check", [check_estimators_unfitted, check_fit_idempotent, check_sample_weights])
def test_the_regressor_passes_checks_of_its_own(check: Callable[[str, MixtureRegressor], None]) -> None:
    check("MixtureRegressor", MixtureRegressor(NeuralTreeRegressor(epochs=20), rounds=2, epochs=1))


def test_what_is_no_mixture_is_refused() -> None:
    with pytest.raises(ValueError, match="there are 1 experts"):
        Mixture(gate_by_sign(), (expert(1),))
    with pytest.raises(ValueError, match="experts=1"):
        MixtureRegressor(experts=1).fit(*regimes(20))
    for option in ({"rounds": 0}, {"epochs": 1.5}, {"learning_rate": np.nan}, {"balance": -1.0}):
        ((name, value),) = option.items()
        with pytest.raises(ValueError, match=f"{name}={value}; it must be a"):
            MixtureRegressor(**option).fit(*regimes(20))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="21 experts for 20 different rows"):
        MixtureRegressor(experts=21).fit(*regimes(20))
    with pytest.raises(ValueError, match="the training of all 4 starts diverged"):
        fit_mixture([expert(1), expert(1)], *regimes(20), plan=Plan(5, 2, 1e200))
    with pytest.raises(ValueError, match="X has no rows"):
        Mixture(gate_by_sign(), (expert(1), expert(2))).shares(np.zeros((0, 2)))
    with pytest.raises(ValueError, match="must be a NeuralTreeRegressor"):
        MixtureRegressor(MixtureRegressor()).fit(*regimes(20))
    gate = linear_gate(expert(1), 3, 0)
    assert gate.predict(np.zeros((2, 2))).tolist() == [0, 0]


def test_columns_by_name_are_the_same_in_any_order() -> None:
    X, y = regimes(30)
    swapped = {"b": X[:, 1], "a": X[:, 0]}
    mixture = Mixture(gate_by_sign(), (expert(1), expert(2)))
    np.testing.assert_array_equal(mixture.predict(swapped), mixture.predict(X))
    assert mixture.macs(swapped) == mixture.macs(X)
    learned = [fit_mixture([expert(1), expert(1)], each, y, plan=Plan(1, 1, starts=1)).mixture for each in (X, swapped)]
    assert learned[0].gate == learned[1].gate


def test_experts_learn_the_loss_of_their_estimator() -> None:
    X, y = regimes(200)
    y = y + np.random.default_rng(1).standard_normal(200)
    upper = MixtureRegressor(NeuralTreeRegressor(loss="pinball_0.9", epochs=20), rounds=10, random_state=0).fit(X, y)
    assert 0.8 < (upper.predict(X) > y).mean() < 0.97
