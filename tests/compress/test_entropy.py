"""Entropy-guided pruning: golden numbers, planted nodes, and states counted by a plain recursion."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given

from neuraltree.activations import ACTIVATIONS, NAMES, code_of
from neuraltree.compress.entropy.fixed_nodes import without_fixed_nodes
from neuraltree.compress.entropy.layer_amounts import (
    Layers,
    deck_amounts,
    guided_cut,
    layers_of_tree,
    program_amounts,
)
from neuraltree.compress.entropy.node_states import entropy_bits, is_on, node_states
from neuraltree.tree.tree import Tree
from tests.helpers import plain_tree
from tests.helpers.random_models import IDENTITY, RELU, SIGMOID, TANH, regression, scaler
from tests.helpers.strategies import node_arrays, steady

GOLDEN = Layers(np.array([0.8, 0.5, 0.9]), np.array([0.5, 0.2, 0.1]), np.array([100, 200, 50]))
ROWS = np.random.default_rng(3).normal(size=(80, 4))


def test_the_deck_s_amounts() -> None:
    np.testing.assert_allclose(deck_amounts(GOLDEN), [0.41, 68.07, 32.78], atol=0.005)
    idle = Layers(np.array([0.0, 0.5]), np.array([1.0, 1.0]), np.array([10, 10]))
    np.testing.assert_allclose(deck_amounts(idle), [10 / (1 + math.e), 10 * math.e / (1 + math.e)])


def test_the_program_s_amounts() -> None:
    assert program_amounts(GOLDEN).tolist() == [2, 122, 50]
    roomy = GOLDEN._replace(weights=np.array([100, 200, 120]))
    assert program_amounts(roomy, 175 / 420).tolist() == [0, 59, 114]
    assert program_amounts(GOLDEN, 1.0).tolist() == [100, 200, 50]
    assert program_amounts(GOLDEN, 0.0).tolist() == [0, 0, 0]
    idle = Layers(np.array([0.0, 0.5]), np.array([1.0, 1.0]), np.array([10, 10]))
    assert program_amounts(idle).tolist() == [0, 5]
    assert program_amounts(Layers(*np.zeros((2, 0)), np.zeros(0, dtype=int))).tolist() == []
    with pytest.raises(ValueError, match="share is 2"):
        program_amounts(GOLDEN, 2)


def test_entropy() -> None:
    np.testing.assert_allclose(entropy_bits([0, 0.25, 0.5, 0.75, 1]), [0, 0.811278, 1, 0.811278, 0], atol=5e-7)
    assert np.isnan(entropy_bits(np.nan))


SECOND = {
    "sigmoid": (lambda s, h: h * (1 - h) * (1 - 2 * h), 1 / (6 * math.sqrt(3))),
    "tanh": (lambda s, h: -2 * h * (1 - h * h), 4 / (3 * math.sqrt(3))),
    "gaussian": (lambda s, h: (4 * s * s - 2) * h, 2.0),
    "sine": (lambda s, h: -h, 1.0),
}


@pytest.mark.parametrize("name", SECOND)
def test_a_curved_node_is_on_where_its_second_derivative_is_large(name: str) -> None:
    row, sums = ACTIVATIONS[code_of(name)], np.linspace(-7, 7, 5000)
    second, largest = SECOND[name]
    found = np.abs(second(sums, row.value(sums)))
    clear = np.abs(found / largest - 0.1) > 1e-3
    np.testing.assert_array_equal(is_on(row, sums)[clear], found[clear] > 0.1 * largest)


def test_a_piecewise_linear_node_is_on_where_it_has_a_slope() -> None:
    sums = np.array([-2.0, -0.5, 0.0, 0.5, 2.0])
    on = {name: is_on(ACTIVATIONS[code_of(name)], sums).tolist() for name in ("relu", "hard_tanh", "identity")}
    assert on["relu"] == [False, False, False, True, True]
    assert on["hard_tanh"] == [False, True, True, True, False]
    assert on["identity"] == [True] * 5


@steady
@given(node_arrays(max_arity=3))
def test_states_of_relus_are_those_of_a_plain_recursion(nodes) -> None:
    nodes["op"][(nodes["op"] < 0) & (nodes["depth"] > 0)] = RELU
    tree = Tree(nodes, "regression", ("a", "b", "c", "d"))
    states = node_states(tree, ROWS)
    for i in np.flatnonzero(nodes["op"] == RELU).tolist():
        later = nodes["depth"][i + 1 :] <= nodes["depth"][i]
        below = nodes[i : i + 1 + int(later.argmax()) if later.any() else None].copy()
        below["depth"] -= nodes["depth"][i]
        below["op"][0] = IDENTITY
        assert states.share_on[i] == (plain_tree.evaluate(below, ROWS) > 0).mean()
    assert np.isnan(states.entropy[nodes["op"] >= 0]).all()


PLANTED = [
    (0, IDENTITY, 0.0, 0.5),
    (1, RELU, 2.0, -50.0),  # dead on the rows
    (2, 0, 3.0, 0.0),
    (1, RELU, -0.5, 50.0),  # always on
    (2, TANH, 1.0, 0.0),
    (3, 0, 1.0, 0.0),
    (2, 1, 1.0, 0.0),
    (1, RELU, 1.0, 0.0),  # on in some rows
    (2, 1, 1.0, 0.0),
    (2, SIGMOID, 1.0, 0.0),  # nearly straight on the rows
    (3, 2, 0.01, 0.0),
]


def test_planted_nodes_of_entropy_0_go_and_no_output_of_the_rows_changes() -> None:
    tree = regression(PLANTED, scaler=scaler([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), band=0.5, int8_loss=0.1)
    X = ROWS[:, :3] * 2
    assert node_states(tree, X).entropy[[1, 3]].tolist() == [0, 0]
    assert node_states(tree, X).share_on[[1, 3]].tolist() == [0, 1]
    after = without_fixed_nodes(tree, X)
    assert [NAMES[~op] for op in after.nodes["op"] if op < 0] == ["identity", "tanh", "relu", "sigmoid"]
    np.testing.assert_allclose(after.outputs(X), tree.outputs(X), rtol=1e-12, atol=1e-12)
    assert after.band is None
    assert after.int8_loss is None
    straight = without_fixed_nodes(tree, X, 1e-4)
    assert [NAMES[~op] for op in straight.nodes["op"] if op < 0] == ["identity", "tanh", "relu"]
    change = np.abs(straight.outputs(X) - tree.outputs(X)).max()
    assert 0 < change <= 1e-4
    assert without_fixed_nodes(tree, X, 0.9 * change) == after
    assert without_fixed_nodes(tree, X, 1.1 * change) == straight
    assert without_fixed_nodes(after, X) is after
    with pytest.raises(ValueError, match="tolerance is -1"):
        without_fixed_nodes(tree, X, -1)


@steady
@given(node_arrays(n_outputs=2, max_arity=3))
def test_the_step_keeps_all_outputs_of_the_rows(nodes) -> None:
    tree = Tree(nodes, "regression", ("a", "b", "c", "d"))
    with np.errstate(over="ignore"):
        wanted = plain_tree.evaluate(nodes, ROWS)
    for tolerance, allowed in ((0.0, 1e-11), (0.003, 0.003 + 1e-11)):
        after = without_fixed_nodes(tree, ROWS, tolerance)
        assert np.abs(plain_tree.evaluate(after.nodes, ROWS) - wanted).max() <= allowed
        assert after.num_nodes <= tree.num_nodes
    left = without_fixed_nodes(tree, ROWS)
    piecewise = np.isin(left.nodes["op"], [RELU, IDENTITY]) & (left.nodes["depth"] > 0)
    assert (node_states(left, ROWS).entropy[piecewise] > 0).all()


def test_the_levels_of_a_tree_as_layers() -> None:
    tree = regression(PLANTED)
    X = ROWS[:, :3]
    entropy = node_states(tree, X).entropy
    layers = layers_of_tree(tree, X)
    np.testing.assert_allclose(layers.entropy, [entropy[[1, 3, 7]].mean(), entropy[[4, 9]].mean()])
    np.testing.assert_allclose(layers.mean_weight, [(3 + 1 + 1 + 1 + 1) / 5, (1 + 0.01) / 2])
    assert layers.weights.tolist() == [5, 2]
    assert layers_of_tree(tree, X, changing_only=True).entropy[0] == pytest.approx(entropy[7])
    amounts = program_amounts(layers_of_tree(tree, X, changing_only=True), 0.5)
    cut = guided_cut(tree, X, 0.5)
    assert [int(cut[tree.nodes["depth"] == depth].sum()) for depth in (2, 3)] == amounts.tolist()
    assert amounts.sum() in (2, 3)
    assert not cut[tree.nodes["depth"] < 2].any()
    sizes, second = np.abs(tree.nodes["weight"][:, 0]), tree.nodes["depth"] == 2
    assert sizes[second & cut].max() <= sizes[second & ~cut].min()
