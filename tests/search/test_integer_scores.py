"""A search for int8 models scores and judges the integers: each number is that of one quantised tree at a time."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.compress import quantize_tree
from neuraltree.compress.int8.clipping import fit_ranges
from neuraltree.compress.int8.finetune import integer_outputs as deployed
from neuraltree.tasks.metrics import METRICS
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.tree import Tree
from search.config.config import config_of
from search.engine.evaluate import Problem, evaluate
from search.engine.integer_scores import Ranges, fitted_ranges, integer_outputs
from search.engine.problem import Setup, set_up
from search.judge.honest import judge
from tests.search.test_honest import table_of

KINDS = ("regression", "binary", "multiclass")


def prepared(kind: str, precision: str = "int8") -> tuple[Setup, list[Nodes]]:
    raw = {"data": {"source": kind}, "train": {"epochs": 2}, "hardware": {"precision": precision}}
    setup = set_up(config_of(raw, "the test"), table_of(kind))
    rng = np.random.default_rng(1)
    return setup, [random_tree(rng, setup.problem.space, folds=4) for _ in range(6)]


def as_tree(problem: Problem, nodes: Nodes, fold: int) -> Tree:
    """The tree with the weights of a fold, for standardised inputs and targets."""
    single = np.zeros(len(nodes), dtype=node_dtype(1))
    single["depth"], single["op"] = nodes["depth"], nodes["op"]
    single["weight"], single["bias"] = nodes["weight"][:, [fold]], nodes["bias"][:, [fold]]
    classes = {"regression": None, "binary": ("no", "yes"), "multiclass": ("a", "b", "c")}[problem.task.kind]
    features = tuple(f"x{i}" for i in range(problem.space.n_features))
    return Tree(single, problem.task.kind, features, classes, input_range=problem.input_range)


def near(problem: Problem, found: np.ndarray, trees: list[Tree], rows: np.ndarray) -> None:
    """The outputs (trees, outputs, rows) are those of the deployed integers, up to the rounding of scores."""
    for outputs, tree in zip(found, trees, strict=True):
        exact = deployed(tree, problem.data.inputs[rows]).T
        step = float(quantize_tree(tree).outputs.gain)
        single = len(exact) == 1  # the scores of several classes are rescaled by 12 bits
        np.testing.assert_allclose(outputs, exact, rtol=1e-6 if single else 2**-11, atol=1e-6 if single else step)


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_are_those_of_quantised_trees(kind: str) -> None:
    setup, trees = prepared(kind)
    problem, start = setup.problem, 0
    found = integer_outputs(problem, trees)
    for k, (_, held) in enumerate(problem.folds):
        part = found[:, :, start : start + len(held)]
        near(problem, part, [as_tree(problem, nodes, k) for nodes in trees], held)
        start += len(held)


@pytest.mark.parametrize("kind", KINDS)
def test_the_errors_of_a_generation_are_those_of_the_integers(kind: str) -> None:
    setup, trees = prepared(kind)
    problem = setup.problem
    after = evaluate(problem, trees, 0)
    rows = np.concatenate([held for _, held in problem.folds])
    truth = problem.truth._replace(target=problem.truth.target[rows])
    expected = METRICS[problem.metrics["val_error"]](truth, integer_outputs(problem, after.trees))
    np.testing.assert_array_equal(after.columns["val_error"], expected)
    floats, _ = prepared(kind, "float32")
    exact = evaluate(floats.problem, trees, 0)
    for one, other in zip(after.trees, exact.trees, strict=True):  # training is the same
        np.testing.assert_array_equal(one["weight"], other["weight"])
    if kind == "regression":
        assert (after.columns["val_error"] != exact.columns["val_error"]).all()


def test_a_tree_that_diverged_is_marked() -> None:
    setup, trees = prepared("regression")
    trees[2]["weight"][-1] = np.nan
    after = evaluate(setup.problem, trees, 0)
    assert after.ok.tolist() == [i != 2 for i in range(len(trees))]
    assert np.isfinite(after.columns["val_error"]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_ranges_of_a_judgement_are_fitted_to_each_tree(kind: str) -> None:
    setup, trees = prepared(kind)
    problem = setup.problem
    fit = problem.folds[0][0]
    ranges = fitted_ranges(problem, trees)
    own = [
        fit_ranges(as_tree(problem, nodes, 0), problem.data.inputs[fit], problem.data.weight[fit]) for nodes in trees
    ]
    held = problem.folds[0][1]
    found = integer_outputs(problem, trees, ranges)[:, :, : len(held)]
    near(problem, found, own, held)


def test_the_honest_error_is_that_of_the_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Integers that cannot tell one input from another predict a constant, and the judgement says so."""
    setup, trees = prepared("regression")
    floats, _ = prepared("regression", "float32")
    table = table_of("regression")
    exact = judge(floats, table, trees, lambda text: None)
    near_by = judge(setup, table, trees, lambda text: None)
    np.testing.assert_allclose(near_by.error, exact.error, rtol=0.05)
    assert (near_by.error != exact.error).all()
    coarse = Ranges(np.full(setup.problem.space.n_features, 1e4), np.zeros(setup.problem.space.n_features))
    monkeypatch.setattr("search.judge.honest.fitted_ranges", lambda problem, trees: [coarse] * len(trees))
    assert exact.error.min() < 0.9
    assert judge(setup, table, trees, lambda text: None).error.min() > 0.99
