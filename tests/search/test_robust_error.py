"""The objective ``robust_error`` and the column ``robust_score``: against all corners of boxes, by fold."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from neuraltree import NeuralTreeClassifier
from neuraltree.robustness import certified
from neuraltree.robustness.row_intervals import input_ends, output_ends
from neuraltree.robustness.worst_case import robust_errors
from neuraltree.tasks.metrics import Truth
from neuraltree.tasks.task import make_task
from neuraltree.tree.nodes import Nodes, one_set
from search import Evolution
from search.engine.evaluate import Problem, evaluate
from search.engine.problem import natural_truth
from search.judge import test_scores as scoring
from search.judge.finish import HEADER, to_tree
from search.objectives import ROBUST, ROBUST_SCORE
from tests.helpers import plain_tree
from tests.helpers.random_models import IDENTITY, SIGMOID, TANH, record
from tests.search.test_honest import table_of
from tests.search.test_objectives import prepared

KINDS = ("regression", "binary", "multiclass")
RADIUS = 0.2


def wide(outputs: int) -> list[Nodes]:
    """A tree whose outputs read each input once, by rising nodes, and one that reads an input twice; for two folds."""
    once = [(1, TANH, 1.5, 0.2), (2, 0, 0.8, 0.0), (1, SIGMOID, -2.0, 0.1), (2, 1, 1.1, 0.0)]
    twice = [*once, (1, 0, -1.0, 0.0)]
    found = []
    for inner in (once, twice):
        rows = [
            row
            for k in range(outputs)
            for row in ((0, IDENTITY, 0.0, 0.1 * k), *((d, op, w * (1 - 0.7 * k), b) for d, op, w, b in inner))
        ]
        nodes = record(rows)
        both = np.zeros(len(nodes), dtype=[*nodes.dtype.descr[:2], ("weight", float, 2), ("bias", float, 2)])
        for name in ("depth", "op"):
            both[name] = nodes[name]
        for name in ("weight", "bias"):
            both[name] = nodes[name] * [1.0, 1.3]
        found.append(both)
    return found


def worst_of_corners(problem: Problem, nodes: Nodes) -> float:
    """The error if each row has the corner of its box, of those of the first two inputs, that is worst for it."""
    wrong, seen = [], []
    for k, (_, held) in enumerate(problem.folds):
        X, target = problem.data.inputs[held].astype(np.float64), problem.truth.target[held]
        found = []
        for way in product([-RADIUS, 0.0, RADIUS], repeat=2):
            moved = X + np.pad(way, (0, X.shape[1] - 2))
            outputs = plain_tree.evaluate(nodes, moved, nodes["weight"][:, k], nodes["bias"][:, k])
            if problem.task.kind == "regression":
                found.append((outputs[0] - target) ** 2)
            else:
                found.append((outputs[0] > 0 if len(outputs) == 1 else outputs.argmax(axis=0)) != target)
        wrong.append(np.max(found, axis=0))
        seen.append(target)
    spread = np.var(np.concatenate(seen)) if problem.task.kind == "regression" else 1.0
    return float(np.mean(np.concatenate(wrong)) / spread)


def untrained(kind: str) -> tuple[Problem, list[Nodes]]:
    setup, _ = prepared(kind, "error", ROBUST, search=search())
    problem = setup.problem
    problem = replace(problem, epochs=0)
    return problem, wide(problem.task.n_outputs)


def search(**more: object) -> dict[str, object]:
    return {"objectives": ["error", ROBUST], "robust_radius": RADIUS, "population": 6, "folds": 2, **more}


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_the_error_is_that_of_the_worst_corners_if_every_input_is_read_once(kind: str) -> None:
    problem, trees = untrained(kind)
    columns = evaluate(problem, trees, 0).columns
    exact = [worst_of_corners(problem, tree) for tree in trees]
    assert columns[ROBUST][0] == pytest.approx(exact[0], rel=1e-5)
    assert columns[ROBUST][1] >= exact[1] - 1e-6
    assert (columns[ROBUST] > columns["val_error"]).all()


def test_of_several_classes_no_row_counts_as_right_whose_class_a_corner_changes() -> None:
    problem, trees = untrained("multiclass")
    columns = evaluate(problem, trees, 0).columns
    for tree, bound, error in zip(trees, columns[ROBUST], columns["val_error"], strict=True):
        assert error <= worst_of_corners(problem, tree) <= bound


@pytest.mark.parametrize("kind", KINDS)
def test_a_radius_of_nearly_nothing_leaves_the_error_itself(kind: str) -> None:
    setup, _ = prepared(kind, search=search(robust_radius=1e-9))
    rng = np.random.default_rng(0)
    columns = evaluate(setup.problem, [setup.strategy.new_tree(rng) for _ in range(4)], 0).columns
    np.testing.assert_allclose(columns[ROBUST], columns["val_error"], rtol=1e-5)


def test_the_bound_is_that_of_the_trained_weights_of_each_fold() -> None:
    setup, _ = prepared("binary", search=search())
    found = evaluate(setup.problem, wide(1), 0)
    again = evaluate(replace(setup.problem, epochs=0), found.trees, 0)
    np.testing.assert_allclose(again.columns[ROBUST], found.columns[ROBUST], atol=1e-12)
    assert (found.trees[0]["weight"] != wide(1)[0]["weight"]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_score_of_test_rows_counts_those_that_are_right_and_proved(kind: str) -> None:
    setup, table = prepared(kind, search=search())
    nodes, problem = setup.strategy.new_tree(np.random.default_rng(1)), setup.problem
    tree = to_tree(setup, table, one_set(nodes, nodes["weight"][:, 0], nodes["bias"][:, 0]))
    (found,) = scoring.test_scores(setup, table, natural_truth(setup, table, problem.task), [scoring.Tested(tree, "")])
    X, y = table.X[setup.test_rows], table.labels[setup.test_rows]
    if table.classes is None:
        ends = output_ends(tree.nodes, input_ends(setup.scaler.transform(X), RADIUS))
        low, high = (end[0] * setup.target_scaler.scale + setup.target_scaler.mean for end in ends)  # type: ignore[union-attr]
        expected = 1 - np.mean(np.maximum((y - low) ** 2, (high - y) ** 2)) / np.var(y)
    else:
        expected = np.mean((tree.predict(X) == y) & certified(tree, X, RADIUS))
    assert found[ROBUST_SCORE] == pytest.approx(expected)
    assert found[ROBUST_SCORE] <= found["test_score"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_tree_that_diverged_has_the_worst_bound_and_it_is_a_number(kind: str) -> None:
    problem, trees = untrained(kind)
    for wild in (np.nan, np.inf, 1e300):
        nodes = trees[1].copy()
        nodes["weight"][:, 0] = wild
        found = evaluate(problem, [trees[0], nodes], 0).columns[ROBUST]
        assert np.isfinite(found).all()
        assert found[1] > found[0]


def test_outputs_of_classes_that_are_huge_are_still_compared() -> None:
    leaves = [row for bias in (2e30, 3e30) for row in ((0, IDENTITY, 0.0, bias), (1, 0, 0.0, 0.0))]
    truth = Truth(make_task("multiclass", n_classes=2), np.array([0, 1]))
    assert robust_errors([record(leaves)], truth, np.zeros((2, 1)), RADIUS).tolist() == [0.5]


def test_nobody_asks_for_it_by_default() -> None:
    setup, _ = prepared("binary", "error", "weights")
    assert ROBUST not in evaluate(setup.problem, wide(1), 0).columns
    assert ROBUST_SCORE not in HEADER


def test_a_search_of_an_estimator_has_the_bounds_of_its_members_and_selects_by_them() -> None:
    table = table_of("binary")
    search = Evolution(8, 2, objectives=("error", ROBUST, "weights"), robust_radius=0.3, folds=2, baselines=())
    model = NeuralTreeClassifier(search, random_state=0).fit(table.X, table.labels)
    robust = [member.values[ROBUST] for member in model.front_]
    assert len(set(robust)) > 1
    assert all(member.values["val_error"] <= member.values[ROBUST] for member in model.front_)
    assert model.select(robust_error=min(robust)).tree_ == model.front_[int(np.argmin(robust))].tree()
