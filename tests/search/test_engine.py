"""The evolution: folds kept apart, the same run from one seed, progress, constraints."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from msgspec.structs import asdict
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.metrics import log_loss

from neuraltree import hardware
from neuraltree.engine.training import make_course
from neuraltree.tasks.losses import constant_loss
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import join, node_dtype
from neuraltree.tree.simplify import simplify
from neuraltree.tree.space import check
from search.config.settings import (
    Config,
    DataConfig,
    HardwareConfig,
    RunConfig,
    SearchConfig,
    SpaceConfig,
    TaskConfig,
    TrainConfig,
)
from search.engine.evaluate import costs, evaluate, in_threads, refit
from search.engine.evolution_step import begin, step
from search.engine.population import Members, objectives, structure_key, violation
from search.engine.problem import set_up
from search.errors import InputError
from search.selection.survivors import ranks
from search.table.data import Table
from search.variation.operators import OPERATORS
from tests.helpers.oracle import evaluate_recursive


def quiet(name):
    return nullcontext()


def regression_table(rows=120, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(rows, 4))
    y = np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.05 * rng.normal(size=rows)
    return Table(x, y, ("a", "b", "c", "d"), "y", None, "regression", "")


def class_table(rows=120, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.arange(rows) % classes
    x = rng.normal(size=(rows, 4)) + 1.5 * np.eye(4)[codes]
    kind = "binary" if classes == 2 else "multiclass"
    return Table(x, codes, ("a", "b", "c", "d"), "y", tuple("pqr"[:classes]), kind, "")


def config(**changes):
    sections = {
        "run": RunConfig(seed=changes.pop("seed", 0)),
        "task": TaskConfig(**changes.pop("task", {})),
        "variation": changes.pop("variation", {row.name: row.default_probability for row in OPERATORS}),
        "space": SpaceConfig(**({"max_nodes": 24, "max_depth": 4} | changes.pop("space", {}))),
        "search": SearchConfig(**({"population": 16, "folds": 2, "pruned_share": 0.0} | changes.pop("search", {}))),
        "train": TrainConfig(**({"epochs": 4, "batch_size": 32} | changes.pop("train", {}))),
        "hardware": HardwareConfig(**changes.pop("hardware", {})),
    }
    return Config(data=DataConfig("made"), **sections, **changes)


def evolved(setup, generations):
    state, info = begin(setup.problem, setup.strategy, quiet)
    infos = [info]
    for _ in range(generations):
        state, info = step(setup.problem, setup.strategy, state, quiet)
        infos.append(info)
    return state, infos


@pytest.mark.parametrize("table", [regression_table(), class_table(), class_table(classes=2)], ids=lambda t: t.kind)
def test_a_search_improves_and_stays_legal(table):
    setup = set_up(config(), table)
    state, infos = evolved(setup, 8)
    assert infos[-1].hypervolume > infos[0].hypervolume
    assert infos[-1].best_error < infos[0].best_error
    assert len(state.members.trees) == 16
    for tree in state.members.trees:
        check(tree, setup.problem.space)
    assert len({structure_key(tree) for tree in state.members.trees}) == 16
    assert len(np.unique(state.members.ids)) == 16


def test_one_seed_is_one_run_and_another_seed_another():
    (a, _), (b, _), (c, _) = (evolved(set_up(config(seed=seed), regression_table()), 3) for seed in (0, 0, 1))
    assert join(a.members.trees)[0].tobytes() == join(b.members.trees)[0].tobytes()
    assert a.members.columns["val_error"].tobytes() == b.members.columns["val_error"].tobytes()
    assert join(a.members.trees)[0].tobytes() != join(c.members.trees)[0].tobytes()


def test_structures_of_a_run_on_counts_alone_are_pinned():
    """Integers choose the survivors and no operator reads a weight, so populations are the same on any machine."""
    counts = {"objectives": ("nodes", "distinct_activations"), "population": 8}
    drawn = {"crossover": 1.0, "one_leaf": 1.0, "subtree_insertion": 1.0, "change_activation": 1.0, "hoist": 0.5}
    settings = config(search=counts, variation=drawn, train={"epochs": 0})
    _, infos = evolved(set_up(settings, regression_table()), 3)
    assert [tree["op"].tolist() for tree in infos[-1].evaluated.trees] == PINNED


PINNED = [
    [-6, 2],
    [-6, 1, 0, -3, -3, 1, 0],
    [-6, -2, -1, -2, 1, 2, 3],
    [-6, -4, 1, 2, 0],
    [-6, 2],
    [-6, 2],
    [-6, -1, 2],
    [-6, 1, 3, 2],
]


def trained(problem, trees):
    return evaluate(problem, trees, 0)


def random_trees(problem, strategy, count=12):
    rng = np.random.default_rng(0)
    return [simplify(strategy.new_tree(rng)) for _ in range(count)]


def test_a_fold_trains_as_if_it_were_alone():
    setup = set_up(config(train={"precision": "float64"}), regression_table())
    trees = random_trees(setup.problem, setup.strategy)
    both = join(trained(setup.problem, trees).trees)[0]
    alone = join(trained(replace(setup.problem, folds=setup.problem.folds[:1]), trees).trees)[0]
    np.testing.assert_array_equal(both["weight"][:, 0], alone["weight"][:, 0])
    assert (both["weight"][:, 0] != both["weight"][:, 1]).any()


def test_validation_rows_choose_an_epoch_but_never_train():
    """With one epoch, a fold's weights are the untrained or the trained ones, whatever its validation targets."""
    setup = set_up(config(train={"epochs": 1, "precision": "float64"}), regression_table())
    fit_rows, validation = setup.problem.folds[0]
    trees = random_trees(setup.problem, setup.strategy)
    unseen = replace(setup.problem, folds=((fit_rows, fit_rows),))
    after = [tree["weight"][:, 0] for tree in trained(unseen, trees).trees]
    spoiled = setup.problem.data.targets.copy()
    spoiled[validation] = 1e3 * np.random.default_rng(1).normal(size=(len(validation), 1))
    other = replace(setup.problem, data=setup.problem.data._replace(targets=spoiled), folds=((fit_rows, validation),))
    moved = 0
    for tree, result, expected in zip(trees, trained(other, trees).trees, after, strict=True):
        untouched = np.array_equal(result["weight"][:, 0], tree["weight"][:, 0])
        moved += not untouched
        assert untouched or np.array_equal(result["weight"][:, 0], expected)
    assert moved > 0


def test_rows_of_weight_0_do_not_train_and_the_scale_of_weights_is_nothing():
    table = regression_table()
    weight = np.random.default_rng(1).integers(0, 3, len(table.y)).astype(float)
    weighed = replace(table, weight=weight)
    settings = config(train={"precision": "float64"})
    setup = set_up(settings, weighed)
    trees = random_trees(setup.problem, setup.strategy)

    def weights(problem):
        return join(trained(problem, trees).trees)[0]["weight"]

    expected = weights(setup.problem)
    targets = setup.problem.data.targets.copy()
    idle = np.flatnonzero(weight[setup.train_rows] == 0)
    assert len(idle) > 20
    targets[idle] = 1e3
    other = replace(setup.problem, data=setup.problem.data._replace(targets=targets))
    np.testing.assert_array_equal(weights(other), expected)
    assert (weights(set_up(settings, table).problem) != expected).any()
    scaled = set_up(settings, replace(table, weight=1e-310 * weight)).problem
    np.testing.assert_allclose(weights(scaled), expected, rtol=1e-9)
    mine = weight[setup.train_rows]
    np.testing.assert_allclose(setup.problem.data.weight * mine.mean(), mine)


def test_weights_of_rows_and_of_classes_multiply():
    table = class_table(90)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(table.y))
    table = replace(table, y=table.y // 2, classes=("p", "q"), kind="binary", weight=weight)
    setup = set_up(config(task={"class_weight": "balanced"}), table)
    codes = table.y[setup.train_rows]
    found = setup.problem.data.weight / weight[setup.train_rows]
    counts = np.bincount(codes)
    assert counts[0] > counts[1]
    np.testing.assert_allclose(found[codes == 0] * counts[0], found[codes == 1][0] * counts[1], rtol=1e-5)


def test_scores_are_those_of_the_left_out_rows_by_plain_recursion():
    table = class_table(classes=3)
    setup = set_up(config(search={"objectives": ("error", "log_loss", "class_errors")}), table)
    trees = random_trees(setup.problem, setup.strategy, 5)
    result = trained(setup.problem, trees)
    for i, tree in enumerate(result.trees):
        outputs, codes = [], []
        for k, (_, validation) in enumerate(setup.problem.folds):
            single = tree.copy()
            for name in ("weight", "bias"):
                single[name] = tree[name][:, [k, k]]
            for row in validation:
                outputs.append(evaluate_recursive(single, setup.problem.data.inputs[row].astype(float)))
                codes.append(setup.problem.truth.target[row])
        outputs, codes = np.array(outputs), np.array(codes)
        wrong = outputs.argmax(axis=1) != codes
        by_class = [wrong[codes == c].mean() for c in range(3)]
        assert result.columns["val_error"][i] == pytest.approx(wrong.mean())
        for label, error in zip("pqr", by_class, strict=True):
            assert result.columns[f"error_class_{label}"][i] == pytest.approx(error)
        assert result.columns["log_loss"][i] == pytest.approx(log_loss(codes, softmax(outputs, axis=1)), rel=1e-4)


def mean_of_folds(tree):
    single = np.zeros(len(tree), dtype=node_dtype(1))
    for name in ("depth", "op"):
        single[name] = tree[name]
    for name in ("weight", "bias"):
        single[name][:, 0] = tree[name].mean(axis=1)
    return single


def loss_on_all_rows(setup, tree):
    """Plainly, of the first set of weights."""
    rows, targets = setup.problem.data.inputs, setup.problem.data.targets[:, 0]
    return np.mean([(evaluate_recursive(tree, x)[0] - y) ** 2 for x, y in zip(rows, targets, strict=True)])


def first_of_folds(tree):
    single = mean_of_folds(tree)
    for name in ("weight", "bias"):
        single[name] = tree[name][:, :1]
    return single


def kept(setup, tree, end):
    """The starts that a refit left as they were."""
    starts = {"mean": mean_of_folds(tree), "fold 0": first_of_folds(tree)}
    return [name for name, start in starts.items() if np.allclose(end["weight"], start["weight"], rtol=1e-12)]


def best_start(setup, tree):
    """The mean of the folds' weights if it beats a constant, else those of fold 0; of two useless ones the better."""
    starts = [mean_of_folds(tree), first_of_folds(tree)]
    losses = [loss_on_all_rows(setup, start) for start in starts]
    y = setup.problem.data.targets[:, 0]
    useful = [start for start, loss in zip(starts, losses, strict=True) if loss <= np.var(y.astype(float))]
    return useful[0] if useful else starts[int(np.argmin(losses))]


def test_a_refit_trains_the_mean_of_the_folds_on_all_rows():
    setup = set_up(config(train={"precision": "float64", "epochs": 30}), regression_table())
    trees = trained(setup.problem, random_trees(setup.problem, setup.strategy, 12)).trees
    final = refit(setup.problem, trees)
    for tree, end in zip(trees, final, strict=True):
        assert not kept(setup, tree, end)
        assert loss_on_all_rows(setup, end) < loss_on_all_rows(setup, mean_of_folds(tree))
    untrained = refit(replace(setup.problem, epochs=0), trees)
    for tree, end in zip(trees, untrained, strict=True):
        assert np.allclose(end["weight"], best_start(setup, tree)["weight"], rtol=1e-12)


def test_a_mean_that_is_worse_than_a_constant_gives_way_to_fold_0():
    setup = set_up(config(train={"precision": "float64", "epochs": 0}), regression_table())
    (tree,) = trained(replace(setup.problem, epochs=60), random_trees(setup.problem, setup.strategy, 1)).trees
    tree["weight"][1:, 1] += 1e3
    assert kept(setup, tree, refit(setup.problem, [tree])[0]) == ["fold 0"]


def test_the_shuffles_of_a_refit_follow_the_seed(monkeypatch):
    seeds = []

    def noting(settings, fit_rows, validation_rows, *, seed, **how):
        seeds.append(seed)
        return make_course(settings, fit_rows, validation_rows, seed=seed, **how)

    monkeypatch.setattr("search.engine.evaluate.make_course", noting)
    for seed in (0, 1):
        setup = set_up(config(seed=seed), regression_table())
        refit(setup.problem, random_trees(setup.problem, setup.strategy, 2))
    assert len(set(seeds)) == 2


def with_rate(problem, rate):
    return replace(problem, settings=problem.settings._replace(learning_rate=rate))


@pytest.mark.parametrize("rate", [1e3, 1e30])  # to finite but useless weights, and to infinite ones
def test_a_diverging_refit_leaves_the_weights_it_began_with(rate):
    setup = set_up(config(train={"epochs": 30}), regression_table())
    trees = trained(setup.problem, random_trees(setup.problem, setup.strategy)).trees
    for tree, end in zip(trees, refit(with_rate(setup.problem, rate), trees), strict=True):
        start = best_start(setup, tree)
        for name in ("weight", "bias"):
            np.testing.assert_allclose(end[name], start[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass", "squared"])
def test_the_loss_of_the_best_constant(kind):
    rng = np.random.default_rng(0)
    classes = {"regression": 0, "binary": 2, "multiclass": 3, "squared": 3}[kind]
    y = rng.standard_normal(60) if not classes else rng.integers(classes, size=60)
    names = tuple(map(str, range(classes))) or None
    known = "regression" if not classes else "binary" if classes == 2 else "multiclass"
    weight = rng.uniform(0.5, 2, 60)
    table = Table(rng.standard_normal((60, 2)), y, ("a", "b"), "y", names, known, digest="", weight=weight)
    loss = {"task": {"loss": "squared"}} if kind == "squared" else {}
    problem = set_up(config(**loss), table, all_rows=True).problem
    rows = np.arange(0, 60, 2)
    targets, share = problem.data.targets[rows], weight[rows] / weight[rows].sum()

    def loss_of(z):
        if kind == "binary":
            p = 1 / (1 + np.exp(-z))
            return -(targets * np.log(p) + (1 - targets) * np.log(1 - p)).sum(axis=1) @ share
        if kind == "multiclass":
            return -(targets * np.log(softmax(z))).sum(axis=1) @ share
        return 0.5 * ((z - targets) ** 2).sum(axis=1) @ share

    best = minimize(loss_of, np.zeros(targets.shape[1]))
    assert constant_loss(problem.task.loss, targets, weight[rows]) == pytest.approx(best.fun, rel=1e-5)


def test_a_diverging_tree_is_behind_all_others_and_never_nan():
    setup = set_up(config(), regression_table())
    trees = random_trees(setup.problem, setup.strategy, 4)
    trees[1]["weight"] *= 1e38
    result = trained(setup.problem, trees)
    assert result.ok.tolist() == [True, False, True, True]
    assert all(np.isfinite(values).all() for values in result.columns.values())
    members = Members(result.trees, np.arange(4), result.columns | costs(setup.problem, result.trees), result.ok)
    excess = violation(members, {})
    points = objectives(members, setup.strategy.objectives, setup.strategy.reference)
    assert ranks(points, excess).argmax() == 1
    np.testing.assert_array_equal(points[1], setup.strategy.reference)


def test_budgets_come_first():
    budget = {"constraints": {"weights": 9.0}, "search": {"population": 24, "folds": 2}}
    setup = set_up(config(**budget), regression_table())
    state, infos = evolved(setup, 8)
    assert (state.members.columns["weights"] <= 9).mean() > 0.8
    assert all(state.members.columns["weights"][info] <= 9 for info in infos[-1].front)


@pytest.mark.parametrize("method", ["nsga2", "nsga3"])
def test_the_other_selections_run_and_improve(method):
    setup = set_up(config(search={"selection": method, "population": 16, "folds": 2}), regression_table())
    _, infos = evolved(setup, 6)
    assert infos[-1].hypervolume > infos[0].hypervolume


def test_options_of_inheritance():
    table = regression_table()
    (_, with_weights), (_, without), (_, retrained) = (
        evolved(set_up(config(search={"population": 16, "folds": 2, **more}), table), 6)
        for more in ({}, {"inherit": False}, {"retrain_survivors": True})
    )
    assert with_weights[-1].best_error < without[-1].best_error
    assert len(retrained[1].evaluated.trees) == 32
    assert retrained[1].origin.operators.count("retrained") == 16
    assert set(with_weights[1].origin.operators) - {row.name for row in OPERATORS} <= {"copy"}


def test_a_device_gives_costs_and_default_reference_points():
    names = ("error", "latency_s", "flash_bytes", "energy_j")
    setup = set_up(
        config(hardware={"device": "cortex-m4f"}, search={"objectives": names, "population": 12}), regression_table()
    )
    state, infos = evolved(setup, 2)
    assert (state.members.columns["latency_s"] > 0).all()
    points = objectives(state.members, names, setup.strategy.reference)
    assert (points[:, 1:] < setup.strategy.reference[1:]).all()
    assert infos[-1].hypervolume > 0


# One device of each cost model and kind of figures; boards have their cores'.
ENTRIES = sorted(
    {
        (name, precision, style)
        for name in ("cortex-m0plus", "cortex-m4f", "cortex-m7", "desktop", "rpi-4", "h100")
        for precision, style, _ in (*hardware.load_device(name).rows, ("auto", "auto", ""))
    }
)


@cache
def trees_of_any_size(space, count=2000):
    rng = np.random.default_rng(0)
    return [random_tree(rng, space, max_nodes=space.max_nodes) for _ in range(count)]


@pytest.mark.parametrize("table", [regression_table(), class_table()], ids=lambda t: t.kind)
@pytest.mark.parametrize(("device", "precision", "style"), ENTRIES, ids=map("-".join, ENTRIES))
def test_default_reference_points_are_beyond_the_costs_of_every_tree(device, precision, style, table):
    settings = config(
        space=asdict(SpaceConfig()),
        hardware={"device": device, "precision": precision, "style": style},
        search={"objectives": hardware.COSTS, "selection": "nsga2"},
    )
    setup = set_up(settings, table)
    found = costs(setup.problem, trees_of_any_size(setup.problem.space))
    for name, reference in zip(hardware.COSTS, setup.strategy.reference, strict=True):
        assert 0 < found[name].max() < reference, name
        assert reference < 10 * found[name].max(), f"{name}: a reference so far off would make volumes all alike"


def test_the_reference_s_generator_needs_room():
    with pytest.raises(InputError, match="max_nodes = 24"):
        set_up(config(space={"generator": "reference"}), regression_table())
    roomy = {"generator": "reference", "max_nodes": 300, "max_depth": 6}
    setup = set_up(config(space=roomy), regression_table())
    trees = random_trees(setup.problem, setup.strategy, 20)
    assert np.mean([len(tree) for tree in trees]) > 50
    for tree in trees:
        check(tree, setup.problem.space)
        assert set((~tree["op"][(tree["op"] < 0) & (tree["depth"] > 0)]).tolist()) <= {0}


@pytest.mark.parametrize(("device", "precision", "style"), ENTRIES, ids=map("-".join, ENTRIES))
def test_default_reference_points_hold_chains_and_fans(device, precision, style):
    """The extremes that random trees do not reach: nearly all function nodes, nearly all leaves."""
    wanted = {"objectives": hardware.COSTS, "selection": "nsga2"}
    on_device = {"device": device, "precision": precision, "style": style}
    setup = set_up(config(space=asdict(SpaceConfig()), hardware=on_device, search=wanted), regression_table())
    trees = []
    for code in (0, 1, 2, 3):
        chain, fan = np.zeros(58, node_dtype()), np.zeros(60, node_dtype())
        # Eleven chains of four hidden nodes and a leaf below one output, and 59 leaves below another.
        chain["depth"] = [0, *[1, 2, 3, 4, 5] * 11, 1, 1]
        chain["op"] = [~5, *[~code, ~code, ~code, ~code, 0] * 11, 1, 2]
        fan["depth"], fan["op"] = [0] + [1] * 59, [~5] + [0] * 59
        chain["weight"] = fan["weight"] = 1.0  # an edge of weight 0 costs nothing in int8
        trees += [chain, fan]
    found = costs(setup.problem, trees)
    for name, reference in zip(hardware.COSTS, setup.strategy.reference, strict=True):
        assert found[name].max() < reference, name


@pytest.mark.parametrize(("rows", "decay"), [(120, 0.3), (1000, 0.15), (10_000, 0.015)])
def test_weights_decay_the_more_the_fewer_rows_there_are(rows, decay):
    """Four fifths of the rows are training rows; 120 divided by their number, at most 0.3."""
    setup = set_up(config(), regression_table(rows))
    assert setup.problem.settings.optimizer == "adamw"
    assert setup.problem.settings.weight_decay == pytest.approx(decay)
    given = set_up(config(train={"weight_decay": 0.0}), regression_table(rows))
    assert given.problem.settings.weight_decay == 0.0


def test_a_unit_that_fails_stops_the_others():
    begun, seen = threading.Event(), []

    def unit(name, stop):
        if name == "fails":
            assert begun.wait(60)
            raise ValueError("no")
        begun.set()
        while not stop[0]:
            pass
        seen.append(name)

    with pytest.raises(ValueError, match="no"):
        in_threads(2, unit, ["fails", "waits"])
    assert "waits" in seen
    assert in_threads(2, lambda unit, stop: (unit, int(stop[0])), [1, 2, 3]) == [(1, 0), (2, 0), (3, 0)]


FORKED = """
import os, warnings
from search.engine.evaluate import in_threads
warnings.simplefilter("ignore")  # newer Pythons warn of forks beside threads
assert in_threads(2, lambda unit, stop: unit, [1, 2]) == [1, 2]
child = os.fork()
if not child:
    os._exit(in_threads(2, lambda unit, stop: unit, [3, 4]) != [3, 4])
raise SystemExit(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_has_threads_of_its_own():
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=60, check=False).returncode == 0
