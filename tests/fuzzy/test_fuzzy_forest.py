"""Forests of fuzzy trees: their outputs, their gradients, and parameters that travel with the nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.fuzzy.fuzzy_forest import (
    FuzzyModel,
    forest_of,
    loaded,
    loss_and_gradient,
    outputs,
    record_width,
    stored,
)
from neuraltree.fuzzy.fuzzy_training import FuzzyTraining, losses, trained
from neuraltree.fuzzy.fuzzy_tree import count_params
from neuraltree.fuzzy.rule_params import parts
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.space import Space
from search.variation.operators import crossover
from tests.helpers.plain_fuzzy import plain_tree
from tests.helpers.plain_losses import children

FEATURES = 4


def random_trees(rng: np.random.Generator, count: int, outputs: int, fuzzy_type: int) -> list[Nodes]:
    space = Space(FEATURES, outputs, ("identity",), max_nodes=14, max_depth=3, max_arity=3, min_arity=2)
    width = record_width(3, fuzzy_type)
    return [random_tree(rng, space, folds=width, max_nodes=14) for _ in range(count)]


def nested(nodes: Nodes, i: int, fuzzy_type: int) -> Any:
    """The tree below node ``i`` as ``plain_fuzzy`` takes it."""
    if nodes["op"][i] >= 0:
        return int(nodes["op"][i])
    below = children(nodes, i)
    size = (4 + 2 * (fuzzy_type == 2)) * len(below) + fuzzy_type * 2 ** len(below) * (len(below) + 1)
    block = parts(np.ascontiguousarray(nodes["bias"][i : i + 1, :size]), len(below), fuzzy_type)
    node = {name: part[0].tolist() for name, part in block._asdict().items() if part is not None}
    return node, [nested(nodes, child, fuzzy_type) for child in below]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), fuzzy_type=st.sampled_from([1, 2]), roots=st.integers(1, 2))
def test_a_forest_computes_what_each_tree_means(seed: int, fuzzy_type: int, roots: int) -> None:
    rng = np.random.default_rng(seed)
    trees, model = random_trees(rng, 3, roots, fuzzy_type), FuzzyModel("gaussian", fuzzy_type)
    forest = forest_of(trees, FEATURES, model)
    kept = stored(forest, trees, loaded(forest, trees, rng))
    X = rng.uniform(-0.2, 1.2, (FEATURES, 2))
    found = outputs(forest, loaded(forest, kept, rng), X)
    for tree, own in zip(kept, found, strict=True):
        tops = np.flatnonzero(tree["depth"] == 0).tolist()
        for row in range(X.shape[1]):
            wanted = [plain_tree(nested(tree, top, fuzzy_type), "gaussian", X[:, row].tolist()) for top in tops]
            assert own[:, row].tolist() == pytest.approx(wanted, abs=1e-10)


@pytest.mark.parametrize("fuzzy_type", [1, 2])
def test_a_tree_alone_is_a_tree_among_others(fuzzy_type: int) -> None:
    rng = np.random.default_rng(1)
    trees, model = random_trees(rng, 5, 1, fuzzy_type), FuzzyModel("bell", fuzzy_type)
    forest = forest_of(trees, FEATURES, model)
    kept = stored(forest, trees, loaded(forest, trees, rng))
    X = rng.random((FEATURES, 9))
    together = outputs(forest, loaded(forest, kept, rng), X)
    for i, tree in enumerate(kept):
        alone = forest_of([tree], FEATURES, model)
        np.testing.assert_allclose(outputs(alone, loaded(alone, [tree], rng), X)[0], together[i], atol=1e-12)


def test_the_gradient_of_a_tree_equals_differences() -> None:
    rng = np.random.default_rng(2)
    trees = random_trees(rng, 3, 2, 2)
    forest = forest_of(trees, FEATURES, FuzzyModel("gaussian", 2))
    params = loaded(forest, trees, rng)
    X, target = rng.random((FEATURES, 11)), rng.random((2, 11))
    loss, gradient = loss_and_gradient(forest, params, X, target)
    np.testing.assert_allclose(loss, losses(forest, params, X, target))
    for i in rng.choice(forest.params, 40, replace=False).tolist():
        ahead, behind = params.copy(), params.copy()
        ahead[i] += 1e-6
        behind[i] -= 1e-6
        change = (losses(forest, ahead, X, target) - losses(forest, behind, X, target)) / 2e-6
        assert gradient[i] == pytest.approx(change[forest.tree_of_param[i]], abs=1e-7)
        assert np.delete(change, forest.tree_of_param[i]).tolist() == [0, 0]


def test_trained_parameters_stay_with_their_nodes_and_new_nodes_are_drawn() -> None:
    rng = np.random.default_rng(3)
    trees = random_trees(rng, 2, 1, 1)
    forest = forest_of(trees, FEATURES, FuzzyModel())
    first = loaded(forest, trees, rng)
    assert len(np.unique(first)) == forest.params
    kept = stored(forest, trees, first)
    assert np.array_equal(loaded(forest, kept, rng), first)
    kept[0]["bias"][0] = 0.3
    again = loaded(forest, kept, rng)
    root = 20 if len(children(kept[0], 0)) == 2 else 44
    assert np.count_nonzero(again != first) == root
    assert forest.params == sum(count_params(tree, 1) for tree in trees)


def test_crossover_moves_nodes_with_their_parameters() -> None:
    rng = np.random.default_rng(5)
    space = Space(FEATURES, 1, ("identity",), max_nodes=14, max_depth=3, max_arity=3, min_arity=2)
    trees = random_trees(rng, 2, 1, 2)
    forest = forest_of(trees, FEATURES, FuzzyModel("gaussian", 2))
    first, second = stored(forest, trees, loaded(forest, trees, rng))
    known = {row.tobytes() for row in np.concatenate([first, second])["bias"]}
    mixed = 0
    for _ in range(20):
        child = crossover(rng, first, second, space)
        assert {row.tobytes() for row in child["bias"][child["op"] < 0]} <= known
        mixed += len(child) != len(first)
    assert mixed


@pytest.mark.parametrize("fuzzy_type", [1, 2])
def test_training_lowers_the_loss_and_keeps_the_limits(fuzzy_type: int) -> None:
    rng = np.random.default_rng(4)
    trees = random_trees(rng, 4, 1, fuzzy_type)
    forest = forest_of(trees, FEATURES, FuzzyModel("gaussian", fuzzy_type))
    params, X = loaded(forest, trees, rng), rng.random((FEATURES, 100))
    target = (X[:1] * X[1:2] + X[2:3]) / 2
    found = trained(forest, params, X, target, FuzzyTraining(steps=80), rng)
    low, high = forest.limits()
    assert ((low <= found) & (found <= high)).all()
    assert (losses(forest, found, X, target) < losses(forest, params, X, target)).all()
