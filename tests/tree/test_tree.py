"""The node record: what ``check`` refuses, and that ``simplify`` keeps the function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import lists

from neuraltree.activations import NAMES
from neuraltree.tree.nodes import Nodes, count_weights, node_dtype, parents
from neuraltree.tree.simplify import simplify, simplify_all
from neuraltree.tree.space import Space, TreeError, check
from tests.helpers.oracle import evaluate_recursive
from tests.helpers.strategies import node_arrays, sparse, steady

SPACE = Space(n_features=3, activations=("sigmoid", "tanh"), max_nodes=6, max_depth=2, max_arity=3, min_arity=2)
TANH, RELU, IDENTITY = ~1, ~3, ~5


def make(depth: list[int], op: list[int]) -> Nodes:
    nodes = np.zeros(len(depth), dtype=node_dtype())
    nodes["depth"], nodes["op"] = depth, op
    return nodes


def legal() -> Nodes:
    """identity(tanh(x0, x1), x2)"""
    return make([0, 1, 2, 2, 1], [IDENTITY, TANH, 0, 1, 2])


def with_value(field: str, at: int, value: float) -> Nodes:
    nodes = legal()
    nodes[field][at] = value
    return nodes


BROKEN = [
    (make([], []), "has no nodes"),
    (make([0, 1, 1, 1, 1, 1, 1], [IDENTITY, 0, 0, 0, 0, 0, 0]), "has 7 nodes; at most 6"),
    (with_value("depth", 0, 1), "node 0 has depth 1; prefix order starts at 0"),
    (with_value("depth", 2, 3), "node 2 has depth 3; prefix order"),
    (with_value("depth", 4, -1), "node 4 has depth -1; prefix order"),
    (make([0, 1, 1, 0, 1, 1], [IDENTITY, 0, 1, IDENTITY, 0, 1]), "has 2 output nodes; the task needs 1"),
    (make([0, 1, 2, 3, 3, 1], [IDENTITY, TANH, TANH, 0, 1, 2]), "node 3 (x0 at depth 3) is deeper than max_depth = 2"),
    (with_value("op", 4, 3), "node 4 (x3 at depth 1) reads a feature beyond the 3"),
    (with_value("op", 0, 1), "node 0 (x1 at depth 0) is an output but reads a feature"),
    (with_value("op", 0, TANH), "node 0 (tanh at depth 0) is an output; its activation must be identity"),
    (with_value("op", 1, RELU), "node 1 (relu at depth 1) has an activation outside the space: sigmoid, tanh"),
    (with_value("op", 1, ~77), "node 1 (activation 77 at depth 1) has an activation outside"),
    (with_value("op", 1, 2), "node 1 (x2 at depth 1) is a leaf with children"),
    (
        make([0, 1, 1, 1, 1], [IDENTITY, 0, 1, 2, 0]),
        "node 0 (identity at depth 0) has more children than max_arity = 3",
    ),
    (make([0, 1, 2, 1], [IDENTITY, TANH, 0, 2]), "node 1 (tanh at depth 1) has fewer than 2 children"),
    (make([0], [IDENTITY]), "node 0 (identity at depth 0) has fewer than 2 children"),
    (with_value("weight", 3, np.nan), "node 3 (x1 at depth 2) has a weight or bias that is not finite"),
    (with_value("bias", 1, np.inf), "node 1 (tanh at depth 1) has a weight or bias that is not finite"),
]


def test_a_legal_tree_passes() -> None:
    check(legal(), SPACE)


@pytest.mark.parametrize(("nodes", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_every_rule_names_the_node(nodes: Nodes, message: str) -> None:
    with pytest.raises(TreeError) as error:
        check(nodes, SPACE)
    assert message in str(error.value)


RELAXED = [
    (make([0, 1, 2, 2, 1, 1], [IDENTITY, TANH, 0, 1, 2, 2]), {"max_nodes": 5}),
    (legal(), {"max_depth": 1}),
    (legal(), {"n_features": 2}),
    (legal(), {"activations": ("sigmoid",)}),
    (legal(), {"output_activation": "tanh"}),
    (legal(), {"max_arity": 1}),
    (legal(), {"min_arity": 3}),
    (legal(), {"n_outputs": 2}),
]


@pytest.mark.parametrize(("nodes", "limit"), RELAXED, ids=[str(limit) for _, limit in RELAXED])
def test_each_limit_of_the_space_matters(nodes: Nodes, limit: dict) -> None:
    check(nodes, SPACE)
    with pytest.raises(TreeError):
        check(nodes, replace(SPACE, **limit))


ROWS = np.random.default_rng(5).normal(size=(4, 3))
messy = node_arrays(n_features=3, n_outputs=2, folds=2, values=sparse, min_arity=0)


@steady
@given(messy)
def test_simplify_keeps_the_function_in_every_fold(nodes: Nodes) -> None:
    before = nodes.copy()
    after = simplify(nodes)
    assert nodes.tobytes() == before.tobytes()
    for fold in (0, 1):
        for x in ROWS:
            np.testing.assert_allclose(
                evaluate_recursive(after, x, fold), evaluate_recursive(before, x, fold), rtol=1e-12, atol=1e-12
            )


@steady
@given(messy)
def test_simplify_leaves_nothing_to_simplify(nodes: Nodes) -> None:
    after = simplify(nodes)
    check(after, Space(3, 2, NAMES, max_nodes=len(nodes) + 2))
    inputs = [(p, op) for p, op in zip(parents(after["depth"]), after["op"], strict=True) if op >= 0]
    assert len(set(inputs)) == len(inputs)
    only_child = np.bincount(parents(after["depth"])[after["depth"] > 0])[parents(after["depth"])] == 1
    kept = (after["depth"] > 1) | ((after["depth"] == 1) & ~only_child)
    assert after["weight"][kept].any(axis=1).all()
    assert not after["bias"][after["op"] >= 0].any()
    assert simplify(after).tobytes() == after.tobytes()


CASES: list[tuple[str, Callable[[], Nodes], list[int], list[int]]] = [
    ("a tree that is simple already", legal, [0, 1, 2, 2, 1], [IDENTITY, TANH, 0, 1, 2]),
    ("repeats under one parent", lambda: make([0, 1, 1, 1], [IDENTITY, 2, 0, 2]), [0, 1, 1], [IDENTITY, 2, 0]),
    (
        "the same input under another parent stays",
        lambda: make([0, 1, 2, 1], [IDENTITY, TANH, 2, 2]),
        [0, 1, 2, 1],
        [IDENTITY, TANH, 2, 2],
    ),
    ("a constant", lambda: make([0, 1, 1], [IDENTITY, TANH, 0]), [0, 1], [IDENTITY, 0]),
    ("an output's last child", lambda: make([0, 1], [IDENTITY, TANH]), [0, 1], [IDENTITY, 0]),
]


@pytest.mark.parametrize(("tree", "depth", "op"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_simplify_by_hand(tree: Callable[[], Nodes], depth: list[int], op: list[int]) -> None:
    nodes = tree()
    nodes["weight"][nodes["depth"] > 0] = 0.25
    after = simplify(nodes)
    assert (after["depth"].tolist(), after["op"].tolist()) == (depth, op)
    assert count_weights(after) == len(after) - 1 + sum(code < 0 for code in op)


def test_an_edge_of_weight_zero_in_one_fold_only_stays() -> None:
    nodes = np.zeros(3, dtype=node_dtype(2))
    nodes["depth"], nodes["op"] = [0, 1, 1], [IDENTITY, 0, 1]
    nodes["weight"] = [[0, 0], [0, 0.5], [0, 0]]
    assert simplify(nodes)["op"].tolist() == [IDENTITY, 0]


@steady
@given(trees=lists(messy, min_size=1, max_size=6))
def test_simplifying_together_is_simplifying_one_by_one(trees: list[Nodes]) -> None:
    for together, before in zip(simplify_all(trees), trees, strict=True):
        assert together.tobytes() == simplify(before).tobytes()
