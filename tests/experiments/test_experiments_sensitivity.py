"""The study of sensitivity: its trajectories, its searches, effects against plain differences, and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.studies.sensitivity import page
from experiments.studies.sensitivity.inputs import CHANCE, INPUTS, LEVELS, point, trajectory
from experiments.studies.sensitivity.run import COLUMNS, EXPERIMENT, OUTPUTS, SEED_STEP, TABLES
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.study_pages import rendered


def test_a_trajectory_moves_each_input_once_by_two_levels() -> None:
    places = trajectory(3)
    moves = np.diff(places, axis=0)
    assert places.shape == (len(INPUTS) + 1, len(INPUTS))
    assert sorted(np.flatnonzero(move)[0] for move in moves) == list(range(len(INPUTS)))
    np.testing.assert_allclose(np.abs(moves).max(axis=1), 2 / 3)
    np.testing.assert_allclose(places * (LEVELS - 1), np.rint(places * (LEVELS - 1)), atol=1e-12)
    assert not np.array_equal(places, trajectory(4))


def test_no_two_levels_are_rounded_to_one() -> None:
    for row in INPUTS.values():
        found = [row.value(i / (LEVELS - 1)) for i in range(LEVELS)]
        assert len(set(found)) == LEVELS
        assert (found[0], found[-1]) == (row.low, pytest.approx(row.high))


def test_a_point_is_a_search() -> None:
    low = point(np.zeros(len(INPUTS)))
    assert (low.size.population, low.size.epochs, low.size.folds, low.generations, low.shift) == (20, 5, 1, 5, 0)
    assert low.tables == {"space": {"max_arity": 2, "max_nodes": 30}}
    assert point(np.ones(len(INPUTS))).shift == 3


def test_chance_alone_changes_the_search_and_not_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_tables, "table", lambda name: made_up())
    (unit,) = EXPERIMENT.units(1, True)
    rows = EXPERIMENT.run(unit, True)
    assert [tuple(row) for row in rows] == [COLUMNS] * (len(INPUTS) + 1)
    moved = next(i for i in range(len(INPUTS)) if rows[i][CHANCE] != rows[i + 1][CHANCE])
    assert rows[moved]["spent"] != rows[moved + 1]["spent"]
    assert all(0 <= row["hypervolume"] <= 100 and row["test_score"] <= 1 for row in rows)
    assert SEED_STEP > 20  # no trajectory's seed is another's


def made_up_rows() -> list[dict[str, str]]:
    """A linear result with a coefficient for each input, and one squared."""
    rows = []
    for unit in EXPERIMENT.units(4, False):
        for step, places in enumerate(trajectory(unit.seed)):
            result = places @ np.arange(1, len(INPUTS) + 1) + places[0] ** 2
            about = {"table": unit.table, "job": unit.job, "seed": str(unit.seed), "step": str(step)}
            inputs = dict(zip(INPUTS, map(repr, places.tolist()), strict=True))
            rows.append(about | inputs | dict.fromkeys(OUTPUTS, repr(float(result))))
    return rows


def test_effects_are_plain_differences() -> None:
    rows = made_up_rows()
    found = page.effects(rows[::-1], TABLES[0], OUTPUTS[0])
    by_input: dict[int, list[float]] = {}
    for seed in range(4):
        places = trajectory(seed)
        result = places @ np.arange(1, len(INPUTS) + 1) + places[:, 0] ** 2
        for before, after, y, z in zip(places, places[1:], result, result[1:], strict=False):
            i = int(np.flatnonzero(before != after)[0])
            by_input.setdefault(i, []).append((z - y) / (after - before)[i])
    np.testing.assert_allclose(found.mean, [np.mean(np.abs(by_input[i])) for i in range(len(INPUTS))])
    np.testing.assert_allclose(found.sd, [np.std(by_input[i], ddof=1) for i in range(len(INPUTS))], atol=1e-9)
    np.testing.assert_allclose(found.mean[1:], np.arange(2, len(INPUTS) + 1))


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    text = rendered(page, made_up_rows(), tmp_path, "sensitivity")
    assert f"| {CHANCE} | 100 | 100 | 100 | 100 |" in text
    assert "| folds | 1 | 2 | 3 | 4 | straight |" in text
