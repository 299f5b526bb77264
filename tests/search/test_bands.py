"""Bands of 90 % intervals and sets: the quantile by hand, its coverage in experiments, and the way to the models."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuraltree import NeuralTreeClassifier, NeuralTreeRegressor
from neuraltree.tasks.metrics import Truth
from neuraltree.tasks.task import make_task
from neuraltree.tree.generate import random_tree
from search import Evolution, load_front
from search.config.config import config_of
from search.engine.evaluate import validation_outputs
from search.engine.problem import set_up
from search.judge import honest
from search.judge.bands import bands, upper_quantiles
from search.judge.honest import judge
from search.run import main
from tests.helpers.judgements import Memory
from tests.helpers.small_tables import small_table

NINE_TENTHS = Fraction(9, 10)


def by_hand(scores: list[float], weights: list[int]) -> float:
    """The quantile in exact arithmetic, score by score."""
    total, squares = sum(weights), sum(w * w for w in weights)
    needed = NINE_TENTHS * (total + Fraction(squares, total))
    reached = 0
    for score, weight in sorted(zip(scores, weights, strict=True)):
        reached += weight
        if weight and reached >= needed:
            return score
    return math.nan


def test_of_equal_rows_it_is_a_score_by_its_number() -> None:
    rng = np.random.default_rng(0)
    for n in range(1, 200):
        scores = rng.normal(size=(2, n))
        place = math.ceil(NINE_TENTHS * (n + 1))
        wanted = np.sort(scores, axis=1)[:, place - 1] if place <= n else [math.nan] * 2
        for weight in (np.ones(n), np.full(n, 0.3), np.full(n, 1e-30)):
            np.testing.assert_array_equal(upper_quantiles(scores, weight), wanted)
        assert (n < 9) == np.isnan(upper_quantiles(scores, np.ones(n))).all()


@pytest.mark.parametrize("seed", range(20))
def test_weights_and_ties_are_counted_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 60))
    scores = np.round(rng.normal(size=(3, n)), 1)  # with ties
    weights = rng.integers(0, 4, size=n)
    weights[0] = 1
    wanted = [by_hand(row, weights.tolist()) for row in scores.tolist()]
    np.testing.assert_array_equal(upper_quantiles(scores, weights.astype(float)), wanted)
    singles = (weights / 7).astype(np.float32).astype(np.float64)
    np.testing.assert_array_equal(upper_quantiles(scores, singles), wanted)


def test_rows_without_weight_do_not_count() -> None:
    scores = np.random.default_rng(0).normal(size=(2, 40))
    weight = np.arange(40) % 2.0
    np.testing.assert_array_equal(upper_quantiles(scores, weight), upper_quantiles(scores[:, 1::2], np.ones(20)))
    assert np.isnan(upper_quantiles(scores, np.zeros(40))).all()
    heavy = np.where(np.arange(40) == 0, 1e6, 1.0)
    assert np.isnan(upper_quantiles(scores, heavy)).all()  # one row is too few


@pytest.mark.parametrize("n", [9, 19, 50])
def test_nine_in_ten_new_scores_are_no_larger(n: int) -> None:
    """The share is between 0.9 and 0.9 + 1 / (n + 1) for scores without ties (Vovk et al. 2005)."""
    trials = 20_000
    scores = np.random.default_rng(n).exponential(size=(trials, n + 1))
    share = np.mean(scores[:, -1] <= upper_quantiles(scores[:, :-1], np.ones(n)))
    noise = 4 * math.sqrt(0.09 / trials)
    assert 0.9 - noise < share < 0.9 + 1 / (n + 1) + noise


def test_weights_stand_for_the_rows_to_come() -> None:
    """Scores grow with x; rows with a large x are rare in training, weigh more, and are more frequent later."""
    rng, trials, n = np.random.default_rng(0), 4000, 200
    x = rng.beta(1, 2, size=(trials, n))
    later = rng.beta(2, 1, size=trials)
    share = {}
    for weighted in (True, False):
        found = [
            upper_quantiles(rng.exponential(row)[None], row / (1 - row) if weighted else np.ones(n))[0] for row in x
        ]
        share[weighted] = np.mean(rng.exponential(later) <= np.nan_to_num(found, nan=np.inf))
    assert 0.88 < share[True] < 0.93
    assert share[False] < 0.86


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass", "sigmoid"])
def test_the_scores_are_distances_and_probabilities_of_the_true_class(kind: str) -> None:
    rng, n = np.random.default_rng(1), 70
    task = {
        "regression": make_task("regression"),
        "binary": make_task("binary", 2),
        "multiclass": make_task("multiclass", 3),
        "sigmoid": make_task("multiclass", 3, "squared"),
    }[kind]
    outputs = rng.normal(size=(4, task.n_outputs, n))
    place = math.ceil(NINE_TENTHS * (n + 1))
    if kind == "regression":
        target = rng.normal(size=n)
        wanted = [sorted(7.0 * abs(row[0] - target))[place - 1] for row in outputs]
        found = bands(Truth(task, target, scale=np.array([7.0])), outputs, np.ones(n))
    else:
        target = rng.integers(3 if task.n_outputs > 1 else 2, size=n)
        if kind == "sigmoid":
            outputs = 1 / (1 + np.exp(-outputs))
            p = outputs / outputs.sum(axis=1, keepdims=True)
        else:
            logits = outputs if kind == "multiclass" else np.concatenate([0 * outputs, outputs], axis=1)
            p = softmax(logits.transpose(0, 2, 1)).transpose(0, 2, 1)
        wanted = [sorted((row[target[i], i] for i in range(n)), reverse=True)[place - 1] for row in p]
        found = bands(Truth(task, target), outputs, np.ones(n))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_several_targets_have_none_and_neither_has_an_overflow() -> None:
    truth = Truth(make_task("regression", n_targets=2), np.zeros((30, 2)))
    assert np.isnan(bands(truth, np.zeros((3, 2, 30)), np.ones(30))).all()
    truth = Truth(make_task("regression"), np.zeros(30), scale=np.array([1e308]))
    with np.errstate(over="ignore"):
        assert np.isnan(bands(truth, np.full((1, 1, 30), 10.0), np.ones(30))).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["regression", "multiclass"])
def test_a_judgement_scores_rows_by_trees_that_were_not_fitted_to_them(
    kind: str, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = small_table(kind, 120, 4)
    weight = np.random.default_rng(2).integers(0, 3, size=len(table.y)).astype(float)
    if weighted:
        table = replace(table, weight=weight)
    raw = {"data": {"source": kind}, "train": {"epochs": 2}}
    setup = set_up(config_of(raw, "the test"), table, all_rows=True, workers=1)
    rng = np.random.default_rng(1)
    trees = [random_tree(rng, setup.problem.space, folds=4) for _ in range(3)]
    judged = judge(setup, table, trees, lambda text: None, stopping=lambda: True)  # one repeat
    assert judged.held_out is not None
    problem, _ = judged.held_out
    outputs, rows = validation_outputs(*judged.held_out), problem.validation_rows
    assert sorted(rows.tolist()) == list(range(len(table.y)))
    counted = [int(w) for w in (weight if weighted else np.ones(len(rows)))[rows]]
    for i in range(3):
        if kind == "regression":
            scores = np.abs(outputs[i, 0] * table.y.std() + table.y.mean() - table.y[rows])
            wanted = by_hand(scores.tolist(), counted)
        else:
            p = softmax(outputs[i].T)[np.arange(len(rows)), table.y[rows]]
            wanted = -by_hand((-p).tolist(), counted)
        assert judged.bands[i] == pytest.approx(wanted, rel=1e-5)
    assert judged.take([2, 0]).bands.tolist() == judged.bands[[2, 0]].tolist()
    kept, found = Memory(), list[Any]()
    monkeypatch.setattr(honest, "bands", lambda *given: found.append(bands(*given)) or found[-1])
    whole = judge(setup, table, trees, lambda text: None, kept=kept)
    repeats = np.array(found)
    np.testing.assert_array_equal(repeats[0], judged.bands)
    np.testing.assert_array_equal(whole.bands, np.sort(repeats, axis=0)[1])
    again = judge(setup, table, trees, lambda text: None, kept=kept)  # nothing is left to do
    np.testing.assert_array_equal(again.bands, whole.bands)
    assert len(kept.units) == 3


SMALL = {"population": 20, "generations": 2, "baselines": ()}


def test_the_intervals_of_an_estimator_hold_nine_in_ten_new_targets() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2600, 4))
    y = 1000 + 50 * (X[:, 0] + np.sin(2 * X[:, 1]) + 0.5 * rng.standard_t(4, size=len(X)))
    model = NeuralTreeRegressor(Evolution(**SMALL), random_state=0, epochs=5).fit(X[:600], y[:600])
    for member in model.front_:
        assert member.tree().band == member.values["band"] > 0
    low, high = model.predict_interval(X[600:]).T
    np.testing.assert_allclose((low + high) / 2, model.predict(X[600:]))
    share = np.mean((low <= y[600:]) & (y[600:] <= high))
    # The noise of 600 scores and of 2000 new rows, four standard deviations.
    assert abs(share - 0.9) < 4 * math.sqrt(0.09 * (1 / 600 + 1 / 2000))
    assert high[0] - low[0] < 1.645 * 2 * y.std()


def test_the_sets_of_an_estimator_hold_nine_in_ten_new_classes() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=2600)
    X = rng.normal(size=(2600, 3)) + 1.3 * np.eye(3)[y]
    names = np.array(["up", "down", "left"])[y]
    model = NeuralTreeClassifier(Evolution(**SMALL), random_state=0, epochs=5).fit(X[:600], names[:600])
    sets = model.predict_set(X[600:])
    held = sets[np.arange(2000), np.searchsorted(model.classes_, names[600:])]
    assert abs(held.mean() - 0.9) < 4 * math.sqrt(0.09 * (1 / 600 + 1 / 2000))
    assert model.score(X[600:], names[600:]) < 0.8
    assert 1.1 < sets.sum(axis=1).mean() < 2.2
    binary = NeuralTreeClassifier(Evolution(**SMALL, positive="left"), random_state=0, epochs=5)
    two = names != "down"
    binary.fit(X[:600][two[:600]], names[:600][two[:600]])
    assert binary.tree_.classes == ("up", "left")
    found, p = binary.predict_set(X[600:]), binary.predict_proba(X[600:])
    np.testing.assert_array_equal(found, (p >= binary.tree_.band) | (p > 0.5))


def test_several_targets_and_few_rows_have_no_band() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    model = NeuralTreeRegressor(Evolution(**SMALL), random_state=0, epochs=1).fit(X, X)
    assert model.tree_.band is None
    assert "band" not in model.front_[0].values
    with pytest.raises(ValueError, match="has no band"):
        model.predict_interval(X)
    few = NeuralTreeRegressor(Evolution(**SMALL), random_state=0, epochs=1).fit(X[:8], X[:8, 0])
    assert few.tree_.band is None


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_models_and_the_front_of_a_run_have_it(tmp_path: Path, precision: str) -> None:
    table = small_table("regression", 150, 3)
    np.savez(tmp_path / "t.npz", X=table.X, y=table.y)
    (tmp_path / "c.toml").write_text(
        f'[data]\nsource = "{tmp_path}/t.npz"\n[search]\npopulation = 8\ngenerations = 1\n[train]\nepochs = 2\n'
        f'[hardware]\nprecision = "{precision}"\n[baselines]\nmodels = []\n'
    )
    out = tmp_path / "out"
    assert main([str(tmp_path / "c.toml"), "--out", str(out), "--quiet"]) == 0
    with (out / "front.csv").open(newline="") as file:
        written = [float(row["band"]) for row in csv.DictReader(file)]
    assert written == [member.tree().band for member in load_front(out)]
    assert min(written) > 0
    with (out / "live.csv").open(newline="") as file:
        assert {row["band"] for row in csv.DictReader(file)} == {""}
