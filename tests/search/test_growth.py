"""Growth guided by gradients: slopes of absent edges against finite differences, and the children they lead to."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, parents
from neuraltree.tree.simplify import simplify
from search.engine.evaluate import Problem, edge_slopes
from search.engine.evolution_step import begin, step
from search.engine.problem import Setup, set_up
from search.variation.edge_operators import absent_edges
from search.variation.operators import UNCHANGED
from tests.helpers.jumps import CONTINUOUS
from tests.helpers.oracle import evaluate_recursive
from tests.search.test_engine import class_table, config, quiet, regression_table

ALL = CONTINUOUS
ROWS = 540  # many blocks to fit in each of two folds
TABLES = {
    "regression": regression_table(ROWS),
    "weighed": replace(regression_table(ROWS), weight=np.random.default_rng(1).integers(0, 3, ROWS).astype(float)),
    "multiclass": class_table(ROWS),
    "binary": class_table(ROWS, classes=2),
}


def made(name: str, **changes: dict) -> Setup:
    settings = {"space": {"activations": ALL}, "train": {"precision": "float64", "epochs": 0}}
    return set_up(config(**(settings | changes)), TABLES[name])


def grown(problem: Problem, count: int, seed: int = 0) -> list[Nodes]:
    """Trees with other weights in every fold."""
    rng = np.random.default_rng(seed)
    trees = [
        simplify(random_tree(rng, problem.space, folds=2, max_nodes=problem.space.max_nodes)) for _ in range(count)
    ]
    for tree in trees:
        tree["weight"] *= rng.uniform(0.5, 1.5, tree["weight"].shape)
        tree["bias"] += 0.3 * rng.normal(size=tree["bias"].shape) * (tree["op"] < 0)[:, None]
    return trees


def loss(problem: Problem, tree: Nodes, fold: int) -> float:
    """The mean loss over the rows that a fold fits, by plain recursion."""
    data, total = problem.data, 0.0
    rows, _ = problem.folds[fold]
    for row in rows:
        z = evaluate_recursive(tree, data.inputs[row].tolist(), fold)
        y = data.targets[row].tolist()
        if problem.task.kind == "regression":
            value = sum((a - b) ** 2 for a, b in zip(z, y, strict=True)) / 2
        elif problem.task.kind == "binary":
            value = math.log1p(math.exp(z[0])) - y[0] * z[0]
        else:
            value = math.log(sum(map(math.exp, z))) - sum(a * b for a, b in zip(z, y, strict=True))
        total += value * float(data.weight[row])
    return total / len(rows)


def with_edge(tree: Nodes, node: int, feature: int, weight: float) -> Nodes:
    leaf = np.zeros((), tree.dtype)
    leaf["depth"], leaf["op"], leaf["weight"] = tree["depth"][node] + 1, feature, weight
    return np.concatenate([tree[: node + 1], leaf[None], tree[node + 1 :]])


@pytest.mark.parametrize("name", TABLES)
def test_slopes_equal_finite_differences_of_the_loss_with_the_edge_added(name: str) -> None:
    problem, h = made(name).problem, 1e-5
    trees = grown(problem, 4)
    assert len({op for tree in trees for op in tree["op"][tree["op"] < 0].tolist()}) >= 4, "activations"
    rng = np.random.default_rng(2)
    for tree, slopes in zip(trees, edge_slopes(problem, trees), strict=True):
        places = np.argwhere(absent_edges(tree, problem.space))
        for node, feature in rng.permutation(places)[:3]:
            for fold in range(2):
                up, down = (loss(problem, with_edge(tree, node, feature, w), fold) for w in (h, -h))
                assert slopes[node, feature, fold] == pytest.approx((up - down) / (2 * h), rel=1e-5, abs=1e-7)


def test_an_edge_that_is_there_has_the_slope_of_its_weight() -> None:
    problem, h = made("multiclass").problem, 1e-5
    (tree,) = grown(problem, 1)
    (slopes,) = edge_slopes(problem, [tree])
    for leaf in np.flatnonzero(tree["op"] >= 0)[:3]:
        moved = [tree.copy() for _ in range(2)]
        moved[0]["weight"][leaf] += h
        moved[1]["weight"][leaf] -= h
        up, down = (loss(problem, each, 1) for each in moved)
        found = slopes[parents(tree["depth"])[leaf], tree["op"][leaf], 1]
        assert found == pytest.approx((up - down) / (2 * h), rel=1e-5, abs=1e-7)


def test_slopes_of_a_tree_are_the_same_in_any_company() -> None:
    problem = made("multiclass").problem
    trees = grown(problem, 70)
    together = edge_slopes(problem, trees)
    for i in (0, 30, 69):
        (alone,) = edge_slopes(problem, [trees[i]])
        np.testing.assert_array_equal(alone, together[i])


@pytest.mark.parametrize("name", ["regression", "multiclass"])
def test_children_are_their_parents_with_one_edge_that_lowers_the_loss(name: str) -> None:
    setup = made(name, variation={"grow_edge": 1.0})
    state, _ = begin(setup.problem, setup.strategy, quiet)
    by_id = dict(zip(state.members.ids.tolist(), state.members.trees, strict=True))
    _, info = step(setup.problem, setup.strategy, state, quiet)
    assert set(info.origin.operators) <= {"grow_edge", UNCHANGED}
    assert (info.origin.parents[:, 1] == -1).all()
    lower = []
    for child, operator, (parent, _) in zip(
        info.evaluated.trees, info.origin.operators, info.origin.parents.tolist(), strict=True
    ):
        assert len(child) == len(by_id[parent]) + (operator == "grow_edge")
        if operator == "grow_edge":
            lower.append(all(loss(setup.problem, child, k) < loss(setup.problem, by_id[parent], k) for k in range(2)))
    assert len(lower) > 8
    assert np.mean(lower) > 0.8


def test_a_tree_of_infinite_weights_grows_by_chance() -> None:
    setup = made("regression", variation={"grow_edge": 1.0}, train={"precision": "float32", "epochs": 0})
    state, _ = begin(setup.problem, setup.strategy, quiet)
    for tree in state.members.trees:
        tree["weight"] *= 1e38
    _, info = step(setup.problem, setup.strategy, state, quiet)
    assert info.origin.operators.count("grow_edge") > 8
    assert all(np.isfinite(tree["weight"]).all() for tree in info.evaluated.trees)
