"""First trees made by pruning: legal, of every size on the way, trained in every fold, and only where they pay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.datasets import load_iris

from neuraltree.activations import NAMES
from neuraltree.compress.pruning.cut import cut_to
from neuraltree.tree.nodes import node_dtype, parents
from neuraltree.tree.space import Space, check
from search.config.config import config_of
from search.engine.evolution_step import PRUNED, RANDOM, begin
from search.engine.problem import Setup, set_up
from search.engine.pruned_trees import pruned_trees
from search.runs.progress import Phases
from search.table.data import Table
from search.variation.edge_operators import SPREADS, importance
from tests.helpers.strategies import node_arrays, steady


def iris(**sections: dict[str, object]) -> Setup:
    X, y = load_iris(return_X_y=True)
    table = Table(X, y, ("a", "b", "c", "d"), "y", ("0", "1", "2"), "multiclass", digest="")
    raw = {"data": {"source": "t"}, "search": {"population": 40}, "train": {"epochs": 5}}
    merged = {name: raw.get(name, {}) | sections.get(name, {}) for name in {*raw, *sections}}
    return set_up(config_of(merged, "the test"), table)


@steady
@given(tree=node_arrays(n_outputs=2, folds=2), size=st.integers(1, 40))
def test_pruning_leaves_a_legal_tree_with_the_most_important_edges(tree: np.ndarray, size: int) -> None:
    left = cut_to(tree, importance(tree), size)
    smallest = 4  # two outputs with a child each
    # Chains below an output go with their last child, so the smallest tree may have more nodes.
    if len(left) > size:
        counts = np.bincount(parents(left["depth"])[left["depth"] > 0], minlength=len(left))
        assert (counts[left["depth"] == 0] == 1).all()
    assert len(left) >= min(smallest, len(tree))
    check(left, Space(1000, 2, activations=NAMES, max_nodes=10_000, max_depth=50, max_arity=10_000))
    assert cut_to(tree, importance(tree), len(tree)).tobytes() == tree.tobytes()
    # Every node left is one of the tree's, in its order.
    rows = [row.tobytes() for row in tree]
    places = iter(rows)
    assert all(any(row.tobytes() == other for other in places) for row in left)


def test_the_least_important_edge_goes_first() -> None:
    flat = np.zeros(5, node_dtype())
    flat["depth"], flat["op"], flat["weight"][:, 0] = [0, 1, 1, 1, 1], [~5, 0, 1, 2, 3], [0, 0.5, -0.1, -0.9, 0.3]
    left = [cut_to(flat, importance(flat), size)["op"][1:].tolist() for size in (5, 4, 3, 2, 1)]
    assert left == [[0, 1, 2, 3], [0, 2, 3], [0, 2], [2], [2]]  # an output keeps its last child
    # A hidden node of little importance takes its inputs along, and goes with the last of them.
    deep = np.zeros(4, node_dtype())
    deep["depth"], deep["op"], deep["weight"][:, 0] = [0, 1, 2, 1], [~5, ~1, 0, 1], [0, 5, 0.01, 0.2]
    assert cut_to(deep, importance(deep), 3)["op"].tolist() == [~5, 1]


def test_importance_is_magnitude_times_spread() -> None:
    setup = iris()
    tree = setup.strategy.new_tree(np.random.default_rng(3))
    spread = np.array([1.0 if op >= 0 else SPREADS[~op] for op in tree["op"]])
    assert_array_equal(importance(tree), np.abs(tree["weight"]).mean(axis=1) * spread)


def test_they_are_of_every_size_and_better_than_random_ones() -> None:
    setup = iris()
    made = pruned_trees(setup.problem, 12)
    assert len(made) == 12
    sizes = [len(tree) for tree in made]
    assert max(sizes) > 40 > 8 >= min(sizes)
    assert sizes == pytest.approx(sorted(sizes, reverse=True), abs=4)  # the two dense trees are pruned side by side
    for tree in made:
        check(tree, setup.problem.space)
        assert tree.dtype == setup.strategy.new_tree(np.random.default_rng(0)).dtype
        assert (np.ptp(tree["weight"], axis=1) > 0).any()  # each fold has trained its own weights
    again = pruned_trees(setup.problem, 12)
    assert [tree.tobytes() for tree in again] == [tree.tobytes() for tree in made]


def test_a_part_of_the_first_population_is_made_by_pruning() -> None:
    setup = iris()
    _, info = begin(setup.problem, setup.strategy, Phases())
    assert info.origin.operators.count(PRUNED) == 10
    assert info.origin.operators.count(RANDOM) == 30
    errors = info.evaluated.columns["val_error"]
    assert np.median(errors[:10]) < np.median(errors[10:])


@pytest.mark.parametrize(
    "changes",
    [{"search": {"pruned_share": 0.0}}, {"search": {"inherit": False}}, {"space": {"generator": "reference"}}],
    ids=["none asked for", "without inheritance", "the reference's trees"],
)
def test_there_are_none_if_they_do_not_fit_the_run(changes: dict[str, dict[str, object]]) -> None:
    room = {"space": {"max_nodes": 300, "max_depth": 6} | changes.get("space", {})}
    assert iris(**changes | room).strategy.pruned == 0


def test_two_classes_and_numbers_have_none() -> None:
    X, y = load_iris(return_X_y=True)
    for kind, classes, target in (("binary", ("0", "1"), (y == 0).astype(int)), ("regression", None, X[:, 0])):
        table = Table(X, target, ("a", "b", "c", "d"), "y", classes, kind, digest="")
        assert set_up(config_of({"data": {"source": "t"}}, "the test"), table).strategy.pruned == 0


@pytest.mark.parametrize("space", [{"max_depth": 1}, {"max_arity": 2}, {"max_nodes": 6}])
def test_narrow_spaces_have_legal_ones_or_none(space: dict[str, object]) -> None:
    setup = iris(space=space)
    for tree in pruned_trees(setup.problem, 10):
        check(tree, setup.problem.space)


def test_a_dense_tree_that_is_too_large_is_not_made() -> None:
    setup = iris()
    wide = replace(setup.problem, space=replace(setup.problem.space, n_features=2000))
    assert pruned_trees(wide, 10) == []
