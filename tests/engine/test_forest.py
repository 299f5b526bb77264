"""The engine against second implementations: plain recursion, automatic differentiation, finite differences."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.engine.forest import backward, forward, load_params, outputs, store_params
from neuraltree.engine.packing import fit_shape, layout, pack, plan, split
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.space import Space
from tests.helpers.oracle import evaluate_differentiable, evaluate_recursive

ALL = NAMES
SPACES = {
    "one output": Space(5, 1, ALL, max_nodes=40),
    "three outputs": Space(5, 3, ALL, max_nodes=60, max_depth=4),
    "sigmoid outputs": Space(3, 2, ("sigmoid",), "sigmoid", max_nodes=30),
    "one activation": Space(7, 1, ("gaussian",), max_nodes=30, max_arity=3),
    "flat": Space(4, 2, ("tanh", "relu"), max_nodes=12, max_depth=1),
    "deep and thin": Space(4, 1, ALL, max_nodes=40, max_depth=12, max_arity=2),
}


@pytest.fixture(params=SPACES, autouse=True)
def space(request):
    with jax.enable_x64(True):
        yield SPACES[request.param]


@partial(jax.jit, static_argnums=0)
def engine_outputs(shape, forest, params, x):
    return outputs(forest, forward(shape, forest, params, x))


@partial(jax.jit, static_argnums=0)
def engine_gradient(shape, forest, params, x, target, real):
    states = forward(shape, forest, params, x)
    error = (outputs(forest, states) - target) * real[:, None, None]
    return backward(shape, forest, params, x, states, error)


@partial(jax.jit, static_argnums=0)
def loss_of(shape, forest, params, x, target, real):
    return 0.5 * jnp.sum(((outputs(forest, forward(shape, forest, params, x)) - target) * real[:, None, None]) ** 2)


differentiated = jax.jit(jax.grad(loss_of, argnums=2), static_argnums=0)


def population(space, count=40, seed=0, folds=2):
    rng = np.random.default_rng(seed)
    trees = [random_tree(rng, space, folds=folds) for _ in range(count)]
    for tree in trees:  # folds differ, so that a mix-up shows
        tree["weight"] = rng.normal(size=tree["weight"].shape) * (tree["depth"] > 0)[:, None]
        tree["bias"] = rng.normal(size=tree["bias"].shape) * (tree["op"] < 0)[:, None]
    return trees


def packed_population(space, trees, shape=None):
    nodes, starts = join(trees)
    found = layout(nodes, starts)
    shape = fit_shape(shape or plan(found, space), found, space)
    return shape, nodes, pack(nodes, starts, shape, found)


def with_ones(x):
    return np.column_stack([x, np.ones(len(x))])


def all_outputs(space, trees, x, fold, shape=None):
    """(trees, outputs, rows) by the engine."""
    shape, nodes, bins = packed_population(space, trees, shape)
    parts = []
    for packed in bins:
        values = engine_outputs(shape, packed.forest, load_params(packed, nodes, fold, "float64"), with_ones(x))
        parts.append(values[: packed.last_tree - packed.first_tree])
    return np.concatenate(parts)


@pytest.mark.parametrize("fold", [0, 1])
def test_outputs_equal_plain_recursion(space, fold):
    trees, x = population(space), np.random.default_rng(1).normal(size=(7, space.n_features))
    values = all_outputs(space, trees, x, fold)
    for tree, mine in zip(trees, values, strict=True):
        single = tree.copy()
        single["weight"], single["bias"] = tree["weight"][:, [fold, fold]], tree["bias"][:, [fold, fold]]
        expected = [evaluate_recursive(single, row) for row in x]
        np.testing.assert_allclose(mine.T, expected, rtol=1e-12, atol=1e-12)


def test_a_tree_alone_in_a_population_and_in_another_bin_gives_the_same(space):
    trees, x = population(space, 90), np.random.default_rng(2).normal(size=(5, space.n_features))
    together = all_outputs(space, trees, x, 0)
    moved = np.concatenate([np.arange(50, 90), np.arange(50)])
    np.testing.assert_allclose(all_outputs(space, [trees[i] for i in moved], x, 0), together[moved], rtol=1e-13)
    shape, *_ = packed_population(space, trees)
    alone = np.concatenate([all_outputs(space, [tree], x, 0, shape) for tree in trees[:5]])
    np.testing.assert_allclose(alone, together[:5], rtol=1e-13)


def problems(space, trees, seed=3):
    """For each bin: the arguments of loss and gradient, and which entries there are."""
    rng = np.random.default_rng(seed)
    shape, nodes, bins = packed_population(space, trees)
    for packed in bins:
        params = jax.tree.map(jnp.asarray, load_params(packed, nodes, 0, "float64"))
        x = with_ones(rng.normal(size=(6, space.n_features)))
        target = rng.normal(size=(space.n_outputs, 6))
        real = 1.0 * (np.arange(shape.trees) < packed.last_tree - packed.first_tree)
        yield shape, packed.forest, params, x, target, real


def engine_gradients(space, trees, x, target, fold):
    """For each tree, records with the derivative by every weight and bias in place of its value."""
    shape, nodes, (packed,) = packed_population(space, trees)
    gradient = nodes.copy()
    gradient["weight"], gradient["bias"] = 0.0, 0.0
    padded = np.zeros((shape.trees, *target.shape))
    real = 1.0 * (np.arange(shape.trees) < len(trees))
    params = load_params(packed, nodes, fold, "float64")
    found = engine_gradient(shape, packed.forest, params, with_ones(x), padded + target, real)
    store_params(packed, gradient, fold, found)
    return np.split(gradient, np.cumsum([len(tree) for tree in trees])[:-1])


@pytest.mark.parametrize("fold", [0, 1])
def test_gradients_equal_those_of_plain_recursion(space, fold):
    rng = np.random.default_rng(5)
    trees, x = population(space, 4, 6), rng.normal(size=(3, space.n_features))
    target = rng.normal(size=(space.n_outputs, 3))
    assert space.max_depth == 1 or any((tree["depth"] > 1).any() for tree in trees), "edges between function nodes"
    for tree, mine in zip(trees, engine_gradients(space, trees, x, target, fold), strict=True):
        depth, op = tree["depth"].tolist(), tree["op"].tolist()

        def loss(weight, bias, depth=depth, op=op):
            return 0.5 * jnp.sum((evaluate_differentiable(depth, op, weight, bias, jnp.asarray(x.T)) - target) ** 2)

        scalars = tree["weight"][:, fold].tolist(), tree["bias"][:, fold].tolist()
        by_weight, by_bias = jax.grad(loss, argnums=(0, 1))(*scalars)
        np.testing.assert_allclose(mine["weight"][:, fold], by_weight, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(mine["bias"][:, fold], by_bias, rtol=1e-9, atol=1e-12)


def test_gradients_equal_automatic_differentiation_of_the_engine_s_values(space):
    for problem in problems(space, population(space)):
        mine, expected, forest = engine_gradient(*problem), differentiated(*problem), problem[1]
        np.testing.assert_allclose(mine.leaf, expected.leaf * forest.leaf_mask, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(mine.edge, expected.edge * forest.edge_mask, rtol=1e-9, atol=1e-12)


def test_gradients_equal_finite_differences(space):
    rng = np.random.default_rng(4)
    for shape, forest, params, x, target, real in problems(space, population(space, 6)):
        mine = engine_gradient(shape, forest, params, x, target, real)
        for name, mask in (("leaf", forest.leaf_mask), ("edge", forest.edge_mask)):
            old, found = getattr(params, name), getattr(mine, name)
            for place in map(tuple, rng.permutation(np.argwhere(mask))[:8]):
                moved = [params._replace(**{name: old.at[place].add(h)}) for h in (1e-6, -1e-6)]
                up, down = (loss_of(shape, forest, each, x, target, real) for each in moved)
                np.testing.assert_allclose(found[place], (up - down) / 2e-6, rtol=1e-5, atol=1e-6)


def test_weights_come_back_as_they_went_in(space):
    trees = population(space)
    _, nodes, bins = packed_population(space, trees)
    wiped = nodes.copy()
    wiped["weight"], wiped["bias"] = 0.0, 0.0
    for packed in bins:
        for fold in (0, 1):
            store_params(packed, wiped, fold, load_params(packed, nodes, fold, "float64"))
    np.testing.assert_array_equal(wiped, nodes)


def test_bins_hold_every_tree_once_and_keep_padding_rows(space):
    trees = population(space, 200)
    shape, nodes, bins = packed_population(space, trees)
    assert [(b.first_tree, b.last_tree) for b in bins] == split(shape, layout(nodes, join(trees)[1]))
    assert bins[0].first_tree == 0
    assert bins[-1].last_tree == 200
    assert all(a.last_tree == b.first_tree for a, b in pairwise(bins))
    last_rows = np.cumsum(shape.levels) - 1
    for packed in bins:
        assert (packed.forest.tree[last_rows] == shape.trees).all()
        assert not packed.forest.leaf_mask[last_rows].any()
        for rows, child in zip(shape.levels[1:], packed.forest.child, strict=False):
            used = child[child != rows - 1]
            assert len(set(used.tolist())) == len(used)  # every node has one parent
