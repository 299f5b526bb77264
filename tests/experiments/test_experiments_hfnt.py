"""The study of HFNT's tables: its folds, its rows, and its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.frame import data_places
from experiments.frame.experiment import Unit
from experiments.studies.hfnt import elevators, page
from experiments.studies.hfnt.run import EXPERIMENT, FOLDS, JOB, ONCE, folds_of
from search.errors import InputError
from search.table.data import Table
from tests.experiments.test_experiments_ablations import made_up


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    found: Table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: found)
    return found


def test_each_row_is_held_out_once(table: Table) -> None:
    for name, count in (("heart", 10), ("dee", 5)):
        folds = folds_of(Unit(name, JOB, 0))
        assert len(folds) == count == FOLDS[name]
        held = np.concatenate([fold[2] for fold in folds])
        assert sorted(map(tuple, held)) == sorted(map(tuple, table.X))
        for X, y, X_held, y_held in folds:
            assert len(X) + len(X_held) == len(y) + len(y_held) == len(table.X)
            assert not {*map(tuple, X)} & {*map(tuple, X_held)}


def test_a_unit_has_one_row(table: Table) -> None:
    (row,) = EXPERIMENT.run(Unit("heart", JOB, 0), True)
    assert set(row) == set(EXPERIMENT.columns)
    assert row["half_mse"] is None
    assert 0 <= row["score"] <= 1


def test_units_and_settings() -> None:
    units = list(EXPERIMENT.units(3, False))
    assert len(set(units)) == len(units) == 3 * len(FOLDS) - 2 * len(ONCE)
    hashes = {str(EXPERIMENT.settings(Unit(name, JOB, 0), False)) for name in FOLDS}
    assert len(hashes) == len(FOLDS)


def test_absent_elevators_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elevators, "table_folders", lambda: [tmp_path / "tables"])
    monkeypatch.setattr(data_places, "table_folders", lambda: [tmp_path / "tables"])
    elevators.elevators.cache_clear()
    with pytest.raises(InputError, match=r"no elevators\.csv\.gz"):
        elevators.elevators()


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    numbers = {"score": 0.85, "half_mse": 0.08, "rmse": 0.00941, "nodes": 12, "ensemble_score": 0.86}
    numbers |= {"ensemble_half_mse": 0.07, "ensemble_rmse": 0.00912}
    rows = [
        {"table": name, "job": JOB, "seed": str(seed)} | {key: repr(each + seed / 1e4) for key, each in numbers.items()}
        for name in FOLDS
        for seed in range(2)
    ]
    page.render(rows, tmp_path)
    text = (tmp_path / "hfnt.md").read_text()
    assert "| heart | .850 (.850) | 12.0 | .860 (.860) | .870 (.803) | 8 | .870 | .769 | .838 |" in text
    assert "| dee | .0801 (.0800) |" in text
    assert "| .077 (.086) | .103 | .101 |" in text
    assert "| mackey_glass | .00946 (.00941) | 12.0 | .00917 (.00912) | .00798 (.10568) | 21 |" in text
    assert page.headline(rows).startswith("## HFNT")
