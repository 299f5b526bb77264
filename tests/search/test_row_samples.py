"""Samples of rows that grow: their sizes, that each holds the one before, and what always uses all rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from search.config.config import config_of
from search.engine import row_samples
from search.engine.evaluate import Problem
from search.engine.evolution_step import generations
from search.engine.problem import Setup, set_up
from search.engine.row_samples import first_rows, first_with_all, rows_at, rows_trained, sampled, told_rows
from search.judge.notices import at_start
from search.runs.progress import Phases
from search.table.data import Table

ROWS = 400


def prepared(first: int = 50, **search: object) -> tuple[Setup, Table]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(ROWS, 3))
    table = Table(X, X @ [1.0, 2.0, -1.0], ("a", "b", "c"), "y", None, "regression", digest="")
    raw = {"data": {"source": "t"}, "search": {"folds": 2, "population": 6} | search, "train": {"epochs": 2}}
    setup = set_up(config_of(raw, "test"), table, all_rows=True)
    return replace(setup, problem=replace(setup.problem, first_rows=first)), table


def sizes(problem: Problem) -> list[int]:
    return [len(fit) for fit, _ in problem.folds]


def test_the_sample_doubles_in_so_many_generations() -> None:
    found = [rows_at(2000, g) for g in range(33)]
    assert found[:9] == [2000, 2250, 2500, 2750, 3000, 3250, 3500, 3750, 4000]
    assert found[8::8] == [4000, 8000, 16000, 32000]
    assert rows_at(2000, 10**9) > 10**12


def test_each_sample_holds_the_one_before_and_validation_rows_stay() -> None:
    problem = prepared()[0].problem
    seen = [sampled(problem, g) for g in range(20)]
    assert sizes(seen[0]) == [50, 50]
    for before, after in pairwise(seen):
        for (fit, held), (more, still), (whole, all_held) in zip(before.folds, after.folds, problem.folds, strict=True):
            assert set(fit) <= set(more) <= set(whole)
            assert held is still is all_held
    assert sizes(seen[15]) == [187, 187]
    assert seen[16] is problem  # 200 rows a fold
    assert first_with_all(problem) == 16
    for (one, _), (other, _) in zip(seen[3].folds, sampled(problem, 3).folds, strict=True):
        np.testing.assert_array_equal(one, other)
    others = sampled(replace(problem, seed=1), 0).folds
    assert set(others[0][0]) != set(seen[0].folds[0][0])


def test_the_rows_trained_are_the_sums_of_the_samples() -> None:
    problem = prepared()[0].problem
    for count in (0, 1, 5, 30):
        assert rows_trained(problem, count) == sum(sum(sizes(sampled(problem, g))) for g in range(count))
    assert rows_trained(replace(problem, first_rows=0), 3) == 3 * ROWS


@pytest.mark.parametrize(
    ("rare", "expected"), [(5000, 2000), (1000, 2000), (100, 10_000), (1, 1_000_000)], ids=lambda n: str(n)
)
def test_a_rare_class_has_rows_in_the_first_sample(rare: int, expected: int) -> None:
    codes = (np.arange(10_000) < rare).astype(int)
    assert first_rows(codes, 2) == expected
    assert first_rows(codes.astype(float), 0) == 2000


def test_small_tables_and_the_key_leave_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    setup, table = prepared(first=0)
    assert sampled(setup.problem, 0) is setup.problem
    assert first_with_all(setup.problem) == 0
    assert at_start(table, setup) == []
    monkeypatch.setattr(row_samples, "FIRST_ROWS", 150)
    raw = {"data": {"source": "t"}, "search": {"folds": 2}}
    auto = set_up(config_of(raw, "test"), table, all_rows=True)
    assert auto.problem.first_rows == 150
    assert at_start(table, auto) == told_rows(auto.problem)
    assert told_rows(auto.problem) == [
        "the first trees train on 150 of 200 rows of a fold, those of generation 3 on all"
    ]
    raw["search"]["rows"] = "all"
    assert set_up(config_of(raw, "test"), table, all_rows=True).problem.first_rows == 0


@pytest.mark.parametrize("first", [50, 0])
def test_a_search_trains_on_its_samples(first: int) -> None:
    """Rows of a fold beyond its first sample cannot change the weights of that fold in the first generation."""
    setup, _ = prepared(first)
    (fit, _), *_ = prepared()[0].problem.folds
    beyond = np.setdiff1d(fit, sampled(prepared()[0].problem, 0).folds[0][0])
    targets = setup.problem.data.targets.copy()
    targets[beyond] += 100
    spoiled = replace(setup.problem, data=setup.problem.data._replace(targets=targets))
    made = [next(generations(problem, setup.strategy, Phases()))[1] for problem in (setup.problem, spoiled)]
    weights = [np.concatenate([tree["weight"][:, 0] for tree in info.evaluated.trees]) for info in made]
    assert np.array_equal(*weights) == (first == 50)


def test_rows_of_weight_zero_are_not_drawn() -> None:
    problem = prepared()[0].problem
    weight = (np.arange(ROWS) % 10 == 0).astype(problem.data.weight.dtype)
    problem = replace(problem, data=problem.data._replace(weight=weight))
    for fit, _ in sampled(problem, 0).folds:
        assert len(fit) > 10
        assert weight[fit].all()
