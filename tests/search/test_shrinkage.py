"""Training that makes weights zero: edges lost inside a search, rates as a gene, and runs that are resumed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.tree.nodes import join, node_dtype
from search.engine.cut_finalists import with_cuts
from search.engine.evaluate import costs, evaluate, refit
from search.engine.problem import set_up
from search.folder.snapshot import members_from_arrays, state_from_parts, state_to_parts
from search.judge.honest import judge
from search.run import main
from search.variation.genes import SHRINKING, Gene, child_genes, first_genes, rates_of
from search.variation.operators import PARENTS
from search.variation.shrinkage import EVOLVED, HIGHEST, LOWEST, rate_gene
from tests.helpers.oracle import evaluate_recursive
from tests.search.test_engine import config, evolved, random_trees, regression_table

FAST = {"optimizer": "sgd", "learning_rate": 0.3, "epochs": 15}


def run_of(rate: float | str, name: str = "l1", **train: Any) -> Any:
    return set_up(config(train=FAST | train | {name: rate}), regression_table())


def genes(l1: float | str, group_l1: float | str = 0.0) -> list[Gene]:
    wanted = {"l1": l1, "group_l1": group_l1}
    return [rate_gene(name, rate) for name, rate in wanted.items() if rate]


def linear_tree(folds: int = 2) -> np.ndarray:
    """All four inputs into the output, and a tanh of two of them."""
    tree = np.zeros(8, dtype=node_dtype(folds))
    tree["depth"], tree["op"] = [0, 1, 1, 1, 1, 1, 2, 2], [-6, 0, 1, 2, 3, -2, 0, 1]
    tree["weight"] = np.random.default_rng(0).normal(size=(8, folds)) * 0.1 * (tree["depth"] > 0)[:, None]
    return tree


def test_edges_of_weight_zero_in_all_folds_are_lost_with_what_hangs_on_them() -> None:
    problem = run_of(0.0).problem
    trees = [linear_tree()] * 3
    found = evaluate(problem, trees, 0, {"l1": np.array([0.0, 0.1, 0.2])})
    weights = costs(problem, found.trees)["weights"]
    assert weights[0] > weights[1] > weights[2]
    for tree in found.trees:
        assert tree["weight"][tree["depth"] > 0].any(axis=1).all()
        assert set(tree["op"].tolist()) <= set(trees[0]["op"].tolist())


def test_the_scores_are_those_of_what_is_left() -> None:
    problem = run_of(0.0).problem
    found = evaluate(problem, [linear_tree()], 0, {"l1": np.array([0.1])})
    (tree,) = found.trees
    X, y = problem.data.inputs, problem.data.targets[:, 0]
    squares = [
        (evaluate_recursive(tree, X[row].tolist(), k)[0] - y[row]) ** 2
        for k, (_, held) in enumerate(problem.folds)
        for row in held
    ]
    expected = np.mean(squares) / y[problem.validation_rows].var()
    assert found.columns["val_error"][0] == pytest.approx(expected, rel=1e-4)


def test_a_zero_in_one_fold_alone_keeps_its_edge() -> None:
    problem = run_of(0.0, epochs=0).problem
    tree = linear_tree()
    tree["weight"][1] = [0.0, 0.25]
    tree["weight"][2] = 0.0
    found = evaluate(problem, [tree], 0, {"l1": np.array([1.0])}).trees[0]
    assert len(found) == len(tree) - 1
    assert found["weight"][1].tolist() == [0.0, 0.25]


def test_the_refit_shrinks_too_and_a_judgement_keeps_the_structure() -> None:
    setup = run_of(0.0)
    trees = [linear_tree()] * 2
    rates = {"l1": np.array([0.0, 0.2])}
    plain, sparse = refit(setup.problem, trees, genes=rates)
    assert len(sparse) < len(plain) == len(trees[0])
    judged = judge(setup, regression_table(), trees, lambda text: None, genes=rates)
    alone = judge(setup, regression_table(), trees, lambda text: None)
    assert judged.error[0] == alone.error[0] == alone.error[1] != judged.error[1]
    assert judged.held_out is not None
    assert [len(tree) for tree in judged.held_out[1]] == [8, 8]


# --- as a gene


def test_first_rates_are_log_uniform() -> None:
    drawn = first_genes(genes(EVOLVED), 0, 4000)
    assert drawn.keys() == {"l1"}
    found = drawn["l1"]
    other = first_genes(genes(EVOLVED, EVOLVED), 0, 4000)
    np.testing.assert_array_equal(other["l1"], found)
    assert abs(np.corrcoef(np.log(other["group_l1"]), np.log(found))[0, 1]) < 0.1
    assert LOWEST <= found.min() < 1.1 * LOWEST
    assert 0.9 * HIGHEST < found.max() <= HIGHEST
    shares, _ = np.histogram(np.log10(found), bins=[-4, -3, -2, -1])
    np.testing.assert_allclose(shares / 4000, 1 / 3, atol=0.03)
    assert first_genes(genes(0.0), 0, 3) == {}
    np.testing.assert_array_equal(first_genes(genes(0.25), 0, 3)["l1"], [0.25] * 3)


@given(st.lists(st.floats(LOWEST, HIGHEST), min_size=2, max_size=6), st.integers(0, 99))
def test_children_have_rates_near_those_of_their_parents(rates: list[float], seed: int) -> None:
    given_rates = np.array(rates)
    parents = np.random.default_rng(seed).integers(len(rates), size=(50, 2))
    found = child_genes(genes(EVOLVED), seed, 1, {"l1": given_rates}, parents)["l1"]
    assert (found >= LOWEST * 0.999999).all()
    assert (found <= HIGHEST * 1.000001).all()
    wanted = np.sqrt(given_rates[parents[:, 0]] * given_rates[parents[:, 1]])
    assert np.abs(np.log(found / wanted)).max() < 2.5  # five standard deviations
    kept = child_genes(genes(0.1), seed, 1, {"l1": given_rates}, parents)["l1"]
    np.testing.assert_array_equal(kept, given_rates[parents[:, 0]])
    assert child_genes(genes(0.0), seed, 1, {}, parents) == {}


@pytest.mark.parametrize("name", SHRINKING)
def test_rates_are_inherited_from_the_parents_that_the_history_names(name: str) -> None:
    state, infos = evolved(run_of(EVOLVED, name), 4)
    by_id: dict[int, float] = {}
    for info in infos:
        made = info.evaluated
        by_id |= dict(zip(made.ids.tolist(), made.columns[name].tolist(), strict=True))
    steps = []
    for info in infos[1:]:
        for child, operator, parents in zip(
            info.evaluated.ids, info.origin.operators, info.origin.parents, strict=True
        ):
            known = [by_id[i] for i in parents.tolist() if i >= 0]
            assert len(known) == PARENTS.get(operator, 1)
            steps.append(np.log(by_id[int(child)]) - np.log(known).mean())
    assert 0.3 < np.std(steps) < 0.7  # fewer than 0.5 at the limits
    assert abs(np.mean(steps)) < 0.25
    assert len(set(state.members.columns[name].tolist())) > 8


@pytest.mark.parametrize("name", SHRINKING)
def test_survivors_that_are_trained_further_keep_their_rates(name: str) -> None:
    setup = set_up(config(search={"retrain_survivors": True}, train=FAST | {name: EVOLVED}), regression_table())
    _, infos = evolved(setup, 2)
    for before, after in pairwise(infos):
        again = np.array(after.origin.operators) == "retrained"
        rates = dict(zip(before.evaluated.ids.tolist(), before.evaluated.columns[name].tolist(), strict=True))
        parents = after.origin.parents[again, 0].tolist()
        assert [rates[i] for i in parents] == after.evaluated.columns[name][again].tolist()


def test_without_rates_a_search_has_the_bits_that_it_had() -> None:
    plain = evolved(run_of(0.0), 2)[0]
    assert not rates_of(plain.members.columns)
    problem, strategy = (part for part in (run_of(0.0).problem, run_of(0.0).strategy))
    trees = random_trees(problem, strategy)
    without, nothing = evaluate(problem, trees, 0), evaluate(problem, trees, 0, {"l1": np.zeros(len(trees))})
    assert join(without.trees)[0].tobytes() == join(nothing.trees)[0].tobytes()


@pytest.mark.parametrize("name", SHRINKING)
def test_a_checkpoint_keeps_the_rates(name: str) -> None:
    state, _ = evolved(run_of(EVOLVED, name), 1)
    again = state_from_parts(*state_to_parts(state))
    np.testing.assert_array_equal(again.members.columns[name], state.members.columns[name])
    assert members_from_arrays(state_to_parts(state)[0]).columns.keys() == state.members.columns.keys()


CONFIG = """
[data]
source = "iris"
[space]
max_nodes = 15
[search]
population = 8
folds = 2
generations = GENERATIONS
[train]
epochs = 3
l1 = "evolved"
group_l1 = "evolved"
[baselines]
models = []
"""


def test_a_run_that_goes_on_ends_as_one_that_was_not_interrupted(tmp_path: Path) -> None:
    fronts = []
    for name, first in (("whole", 4), ("parts", 2)):
        path = tmp_path / f"{name}.toml"
        path.write_text(CONFIG.replace("GENERATIONS", str(first)))
        assert main([str(path), "--out", str(tmp_path / name), "--quiet"]) == 0
        if first == 2:
            assert main([str(tmp_path / name), "--resume", "--generations", "4", "--quiet"]) == 0
        with np.load(tmp_path / name / "evolution.npz") as stored:
            rates = np.stack([stored["column l1"], stored["column group_l1"]])
        fronts.append(((tmp_path / name / "front.csv").read_bytes(), rates.tobytes()))
    assert fronts[0] == fronts[1]


def test_a_rate_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(CONFIG.replace("GENERATIONS", "1"))
    for value in ("-0.1", "'auto'", "inf"):
        assert main([str(path), "--set", f"train.l1={value}", "--out", str(tmp_path / "out"), "--quiet"]) == 2
        assert "train.l1" in capsys.readouterr().err


def test_nodes_without_weights_leave_the_trees() -> None:
    """A group rate takes the tanh, whose weights are small, and leaves the inputs of the output."""
    problem = run_of(0.0).problem
    tree = linear_tree()
    tree["weight"][6:] *= 0.01
    (found,) = evaluate(problem, [tree], 0, {"group_l1": np.array([0.08])}).trees
    assert found["op"].tolist() == [-6, 0, 1, 2, 3]


@pytest.mark.parametrize("name", SHRINKING)
def test_the_rate_of_a_config_reaches_the_first_trees(name: str) -> None:
    plain, sparse = (evolved(run_of(rate, name), 0)[1][0].evaluated for rate in (0.0, 0.4))
    assert (sparse.columns["weights"] <= plain.columns["weights"]).all()
    assert sparse.columns["weights"].sum() < 0.9 * plain.columns["weights"].sum()


@pytest.mark.parametrize("name", SHRINKING)
def test_finalists_that_are_cut_keep_their_rates(name: str) -> None:
    setup = run_of(EVOLVED, name)
    state, _ = evolved(setup, 2)
    front = state.members
    cut = with_cuts(setup.problem, setup.strategy, front, front, "ablation", state.evaluations)
    new = cut.ids >= state.evaluations
    assert set(cut.columns[name].tolist()) <= set(front.columns[name].tolist())
    assert new.any()
