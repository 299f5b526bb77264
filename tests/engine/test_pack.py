"""Packing: the structure of a population in flat arrays, against a plain walk over its trees; parts and cuts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.activations import NAMES
from neuraltree.engine.forest import NODE_COST, Forest, cut, load_params, pack, store_params
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.space import Space
from tests.helpers.forests import population
from tests.helpers.strategies import node_arrays, steady

FEATURES, OUTPUTS, FOLDS = 4, 2, 2
few = settings(steady, max_examples=30)
populations = st.lists(node_arrays(FEATURES, OUTPUTS, FOLDS, min_arity=0), min_size=1, max_size=5)


def walk(tree: Nodes) -> list[tuple[int, int, list[int]]]:
    """Of every function node in prefix order: its size in function nodes, its activation, and the inputs it reads."""
    found = []
    for at, (depth, op) in enumerate(zip(tree["depth"].tolist(), tree["op"].tolist(), strict=True)):
        if op >= 0:
            continue
        end = at + 1
        while end < len(tree) and tree["depth"][end] > depth:
            end += 1
        below = tree[at:end]
        leaves = below["op"][(below["depth"] == depth + 1) & (below["op"] >= 0)].tolist()
        found.append((int((below["op"] < 0).sum()), ~op, leaves))
    return found


def same(a: Forest, b: Forest) -> None:
    for mine, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(mine, other)


@few
@given(populations)
def test_the_arrays_are_those_of_a_walk(trees):
    forest = pack(*join(trees), FEATURES).forest
    walked = [walk(tree) for tree in trees]
    assert np.diff(forest.first_node).tolist() == [len(nodes) for nodes in walked]
    flat = [node for nodes in walked for node in nodes]
    assert forest.size.tolist() == [size for size, _, _ in flat]
    assert forest.kind.tolist() == [kind for _, kind, _ in flat]
    assert np.split(forest.source, forest.first_param[1:-1])[0].tolist() == [-1, -1, *flat[0][2]]
    sources = [part.tolist() for part in np.split(forest.source, forest.first_param[1:-1])]
    assert sources == [[-1, -1, *leaves] for _, _, leaves in flat]
    assert (forest.trees, forest.nodes, forest.params) == (len(trees), len(flat), len(forest.source))
    assert (forest.features, forest.outputs) == (FEATURES, OUTPUTS)
    assert {array.dtype for array in forest[2:]} == {np.dtype(np.int32)}
    assert all(array.flags.c_contiguous for array in forest[2:])


@few
@given(populations)
def test_parameters_stand_bias_edge_leaves(trees):
    nodes, starts = join(trees)
    packed = pack(nodes, starts, FEATURES)
    params = load_params(packed, nodes, "float64")
    assert params.shape == (FOLDS, packed.forest.params)
    for fold in range(FOLDS):
        expected = []
        for tree in trees:
            depth, weight, bias = tree["depth"], tree["weight"][:, fold], tree["bias"][:, fold]
            for at in np.flatnonzero(tree["op"] < 0).tolist():
                expected += [bias[at], weight[at] if depth[at] else 0.0]
                for below in range(at + 1, len(tree)):
                    if depth[below] <= depth[at]:
                        break
                    if depth[below] == depth[at] + 1 and tree["op"][below] >= 0:
                        expected.append(weight[below])
        assert params[fold].tolist() == expected


@few
@given(populations)
def test_parameters_come_back_as_they_went_in(trees):
    nodes, starts = join(trees)
    packed = pack(nodes, starts, FEATURES)
    params = load_params(packed, nodes, "float64")
    np.testing.assert_array_equal(store_params(packed, nodes, params), nodes)
    wiped = store_params(packed, nodes, 0 * params)
    assert not wiped["weight"].any()
    assert not wiped["bias"].any()
    np.testing.assert_array_equal(wiped[["depth", "op"]], nodes[["depth", "op"]])
    np.testing.assert_array_equal(store_params(packed, wiped, params), nodes)


@few
@given(populations, st.data())
def test_a_part_is_the_forest_of_its_trees(trees, data):
    first = data.draw(st.integers(0, len(trees) - 1))
    last = data.draw(st.integers(first + 1, len(trees)))
    whole = pack(*join(trees), FEATURES).forest
    same(whole.part(first, last), pack(*join(trees[first:last]), FEATURES).forest)
    same(whole.part(0, len(trees)), whole)


@few
@given(populations, st.integers(0, 8), st.integers(0, 3))
def test_cuts_hold_every_tree_once_in_order(trees, parts, most):
    runs = cut(pack(*join(trees), FEATURES).forest, parts, most)
    assert [tree for first, last in runs for tree in range(first, last)] == list(range(len(trees)))
    assert all(first < last for first, last in runs)
    if most:
        assert max(last - first for first, last in runs) <= most
    else:
        assert len(runs) <= max(parts, 1)


@pytest.mark.parametrize("parts", [1, 2, 3, 16])
def test_cuts_cost_about_the_same(parts):
    trees = population(200, space=Space(4, 1, NAMES, max_nodes=60))
    forest = pack(*join(trees), FEATURES).forest
    cost = np.diff(forest.first_tree_param) + NODE_COST * np.diff(forest.first_node)
    runs = cut(forest, parts)
    assert len(runs) == parts
    for first, last in runs:
        assert abs(cost[first:last].sum() - cost.sum() / parts) <= 2 * cost.max()


def test_the_precision_is_the_one_asked_for():
    nodes, starts = join(population(3))
    packed = pack(nodes, starts, FEATURES)
    assert load_params(packed, nodes, "float32").dtype == np.float32
