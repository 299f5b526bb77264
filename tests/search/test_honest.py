"""The honest error: fresh weights on fresh splits, its standard error, and what a stop leaves of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import search.judge.honest
from neuraltree.engine.training import make_course
from neuraltree.tasks.metrics import METRICS, Truth, metric_named
from neuraltree.tasks.task import make_task
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import node_dtype
from search.config.config import config_of
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.judge.honest import (
    FASTER,
    FOLDS,
    LONGER,
    REPEATS,
    judge,
    judging_folds,
    parts_of_error,
    refit_course,
    standard_error,
)
from search.table.data import Table
from tests.helpers.judgements import Memory

EPOCHS = 2


def table_of(name: str, rows: int = 150) -> Table:
    read = {"regression": load_diabetes, "binary": load_breast_cancer, "multiclass": load_iris}[name]
    X, y = read(return_X_y=True)
    chosen = np.random.default_rng(0).permutation(len(X))[:rows]
    classes = None if name == "regression" else tuple(map(str, range(int(y.max()) + 1)))
    return Table(X[chosen], y[chosen], tuple(f"x{i}" for i in range(X.shape[1])), "y", classes, name, digest="")


def prepared(kind: str, **sections: dict[str, object]) -> tuple[Setup, Table, list[np.ndarray]]:
    table = table_of(kind)
    raw = {"data": {"source": kind}, "train": {"epochs": EPOCHS}} | sections
    setup = set_up(config_of(raw, "the test"), table)
    rng = np.random.default_rng(1)
    return setup, table, [random_tree(rng, setup.problem.space, folds=4) for _ in range(6)]


def quiet(text: str) -> None:
    del text


def test_parts_of_a_mean_over_rows_are_the_errors_of_the_folds() -> None:
    rng = np.random.default_rng(0)
    truth = Truth(make_task("regression"), rng.standard_normal(60))
    folds = [(np.arange(0), np.arange(12 * k, 12 * (k + 1))) for k in range(5)]
    outputs = rng.standard_normal((3, 1, 60))
    parts = parts_of_error("rmse", truth, folds, outputs)
    assert_allclose(parts.mean(axis=1), METRICS["rmse"](truth, outputs))
    squares = (outputs[:, 0] - truth.target) ** 2
    # Of the mean squared error the parts are the folds' own; those of its root vary as these do.
    assert np.corrcoef(parts[0], squares[0].reshape(5, 12).mean(axis=1))[0, 1] > 0.99
    codes = rng.integers(3, size=60)
    wrong = parts_of_error("error_rate", Truth(make_task("multiclass", 3), codes), folds, rng.normal(size=(2, 3, 60)))
    assert_allclose(wrong * 12, np.round(wrong * 12), atol=1e-9)


@pytest.mark.parametrize("metric", ["one_minus_average_precision", "one_minus_roc_auc", "one_minus_f1", "pinball_0.9"])
def test_parts_are_finite_if_a_fold_holds_all_rows_of_a_class(metric: str) -> None:
    folds = [(np.arange(0), np.arange(12 * k, 12 * (k + 1))) for k in range(5)]
    task = make_task("regression" if metric == "pinball_0.9" else "binary", 2)
    truth = Truth(task, (np.arange(60) < 12).astype(int))
    outputs = np.random.default_rng(0).normal(size=(3, 1, 60))
    parts = parts_of_error(metric, truth, folds, outputs)
    assert np.isfinite(parts).all()
    assert_allclose(parts.mean(axis=1), metric_named(metric)(truth, outputs))


def test_parts_follow_the_order_of_the_folds_rows() -> None:
    rng = np.random.default_rng(0)
    target, order = rng.standard_normal(60), rng.permutation(60)
    folds = [(np.arange(0), order[12 * k : 12 * (k + 1)]) for k in range(5)]
    outputs = target[order][None, None].copy()
    outputs[0, 0, 12:24] += 1.0  # the second fold is wrong by 1
    parts = parts_of_error("one_minus_r2", Truth(make_task("regression"), target), folds, outputs)[0]
    assert parts.argmax() == 1
    assert parts.mean() == pytest.approx(0.2 / np.var(target))


def test_the_standard_error_is_that_of_nadeau_and_bengio() -> None:
    parts = np.array([[1.0, 2.0, 3.0, 4.0]])
    # Two repeats of 2 folds: the variance 5/3, times 1/4 + 1.
    folds = [(np.arange(6), np.arange(6, 12)), (np.arange(6, 12), np.arange(6))] * 2
    assert standard_error(parts, folds)[0] == pytest.approx(np.sqrt(5 / 3 * 1.25))


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_every_row_is_held_out_once_in_splits_that_the_search_has_not(kind: str) -> None:
    setup, table, _ = prepared(kind)
    every = [judging_folds(setup, table, repeat) for repeat in range(REPEATS)]
    splits = {tuple(np.concatenate([held for _, held in folds]).tolist()) for folds in (*every, setup.problem.folds)}
    assert len(splits) == REPEATS + 1
    for folds in every:
        assert len(folds) == FOLDS
        assert_array_equal(np.sort(np.concatenate([held for _, held in folds])), np.arange(len(setup.train_rows)))
        assert all(len(np.intersect1d(fit, held)) == 0 for fit, held in folds)


def test_a_rare_class_makes_fewer_folds() -> None:
    table = table_of("binary")
    rare = np.flatnonzero(table.y == 0)[2:]
    table = replace(table, X=np.delete(table.X, rare[1:], 0), y=np.delete(table.y, rare[1:]))
    setup = set_up(config_of({"data": {"source": "t"}, "search": {"folds": 2}}, "the test"), table, all_rows=True)
    assert np.bincount(table.y).min() == 3
    folds = judging_folds(setup, table, 0)
    assert len(folds) == 3
    assert all(0 < (table.y[held] == 0).sum() < 2 for _, held in folds)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_inherited_weights_do_not_count_and_held_out_rows_do_not_train(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup, table, trees = prepared(kind)
    first = judge(setup, table, trees, quiet)
    for tree in trees:
        tree["weight"] *= 100
    again = judge(setup, table, trees, quiet)
    assert_array_equal(first.error, again.error)
    assert_array_equal(first.error_se, again.error_se)

    asked = []

    def noting(settings: object, fit: np.ndarray, held: np.ndarray, **how: int) -> object:
        asked.append((len(fit), len(held), how["epochs"], settings.learning_rate))  # type: ignore[attr-defined]
        return make_course(settings, fit, held, **how)  # type: ignore[arg-type]

    monkeypatch.setattr("search.engine.evaluate.make_course", noting)
    judge(setup, table, trees[:1], quiet)
    assert len(asked) == REPEATS * FOLDS
    rows = len(setup.train_rows)
    assert all(abs(fit - 0.8 * rows) < 3 and held == 0 for fit, held, _, _ in asked)  # no rows choose an epoch
    assert {how[2:] for how in asked} == {(LONGER * EPOCHS, FASTER * setup.problem.settings.learning_rate)}


@pytest.mark.parametrize(
    ("evaluations", "epochs"),
    # The search trained 4 folds of 90 of 120 rows for 2 epochs, the judgement 6 trees x 3 repeats in 5 folds of 96.
    [(0, 10), (500, 10), (3000, 62), (100_000, 100)],
)
def test_after_many_short_generations_the_judgement_is_longer(
    evaluations: int, epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup, table, trees = prepared("regression")
    assert [len(fit) for fit, _ in setup.problem.folds] == [90] * 4
    asked = set()

    def noting(settings: object, fit: np.ndarray, held: np.ndarray, **how: int) -> object:
        asked.add(how["epochs"])
        return make_course(settings, fit, held, **how | {"epochs": 1})  # type: ignore[arg-type]

    monkeypatch.setattr("search.engine.evaluate.make_course", noting)
    judge(setup, table, trees, quiet, evaluations=evaluations)
    assert asked == {epochs}


def test_the_error_is_that_of_the_held_out_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search.judge.honest, "REPEATS", 1)
    setup, table, trees = prepared("regression")
    judged = judge(setup, table, trees, quiet)
    assert judged.held_out is not None
    problem, fitted = judged.held_out
    y = problem.truth.target
    for i, tree in enumerate(fitted):
        assert tree.dtype == node_dtype(FOLDS)
        wrong = 0.0
        for k, (_, held) in enumerate(problem.folds):
            one = tree.copy()
            for name in ("weight", "bias"):
                one[name] = tree[name][:, [k] * FOLDS]
            alone = search.judge.honest.validation_outputs(replace(problem, folds=((held, held),) * FOLDS), [one])
            wrong += ((alone[0, 0, : len(held)] - y[held]) ** 2).sum()
        assert judged.error[i] == pytest.approx(wrong / len(y) / np.var(y), rel=1e-5)


def test_a_stop_loses_at_most_a_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    setup, table, trees = prepared("binary")
    whole, kept, trained = judge(setup, table, trees, quiet), Memory(), []
    once = search.judge.honest.trained

    def counting(*arguments: object, **how: object) -> object:
        trained.append(1)
        return once(*arguments, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(search.judge.honest, "trained", counting)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            judge(setup, table, trees, quiet, lambda: True, kept)
    again = judge(setup, table, trees, quiet, kept=kept)
    assert len(trained) == REPEATS
    assert_array_equal(again.error, whole.error)
    assert_array_equal(again.error_se, whole.error_se)
    assert again.held_out is not None
    assert whole.held_out is not None
    for mine, its in zip(again.held_out[1], whole.held_out[1], strict=True):
        assert_array_equal(mine, its)
    # Another front, or other settings, is judged from the beginning.
    judge(setup, table, trees[1:], quiet, kept=kept)
    assert len(trained) == 2 * REPEATS


@pytest.mark.parametrize("rate", [1e3, 1e30])  # to finite but useless outputs, and to infinite ones
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_tree_that_diverges_is_judged_as_a_useless_one(rate: float, precision: str) -> None:
    setup, table, trees = prepared("regression", train={"epochs": 20, "optimizer": "sgd", "precision": precision})
    wild = replace(setup, problem=replace(setup.problem, settings=setup.problem.settings._replace(learning_rate=rate)))
    judged = judge(wild, table, trees, quiet)
    assert (judged.error > 0.9).all()  # no better than a constant
    assert (judged.error < 1e4).all()
    assert np.isfinite(judged.error_se).all()


def test_a_rate_that_is_right_in_the_search_and_too_high_here_is_taken_as_it_is() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3))
    table = Table(X, X @ [1.0, -1.0, 0.5], ("a", "b", "c"), "y", None, "regression", digest="")
    given = {"epochs": 30, "optimizer": "sgd", "learning_rate": 0.9}
    setup = set_up(config_of({"data": {"source": "t"}, "train": given}, "the test"), table)
    linear = np.zeros(4, node_dtype(4))
    linear["depth"], linear["op"] = [0, 1, 1, 1], [~5, 0, 1, 2]
    assert judge(setup, table, [linear], quiet).error[0] < 0.2


def test_the_place_in_a_front_does_not_count() -> None:
    setup, table, trees = prepared("multiclass")
    forwards, backwards = judge(setup, table, trees, quiet), judge(setup, table, trees[::-1], quiet)
    assert_array_equal(forwards.error, backwards.error[::-1])
    assert_array_equal(forwards.error_se, backwards.error_se[::-1])


def test_every_fold_has_rows_that_weigh_something() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2))
    for seed in range(10):
        weight = np.zeros(40)
        weight[rng.permutation(40)[:3]] = 1.0
        table = Table(X, X[:, 0], ("a", "b"), "y", None, "regression", digest="", weight=weight)
        raw = {"data": {"source": "t"}, "search": {"folds": 1}, "run": {"seed": seed}}
        try:
            setup = set_up(config_of(raw, "the test"), table, all_rows=True)
        except InputError:
            continue  # in the folds of the search already
        for repeat in range(REPEATS):
            folds = judging_folds(setup, table, repeat)
            assert all(weight[fit].any() for fit, _ in folds)


def test_a_stop_without_a_place_to_resume_keeps_what_is_known() -> None:
    setup, table, trees = prepared("binary")
    judged = judge(setup, table, trees, quiet, lambda: True)
    assert np.isfinite(judged.error_se).all()
    assert judged.held_out is not None


@pytest.mark.parametrize(("evaluations", "course"), [(0, (10, 3.0)), (24, (10, 3.0)), (30, (2, 1.0)), (600, (2, 1.0))])
def test_a_brief_search_is_refitted_as_it_is_judged(evaluations: int, course: tuple[int, float]) -> None:
    table = table_of("regression")
    raw = {"data": {"source": "r"}, "search": {"population": 6, "folds": 2}, "train": {"epochs": 2}}
    assert refit_course(set_up(config_of(raw, "test"), table), evaluations) == course
