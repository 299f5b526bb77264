"""The study of fuzzy trees: its series, its rows, and its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from experiments.common import paper_tables
from experiments.common.holdout import holdout
from experiments.common.known_series.time_series import GAS_FURNACE, MACKEY_GLASS
from experiments.frame.experiment import Unit
from experiments.studies.fuzzy import page
from experiments.studies.fuzzy.run import EXPERIMENT, JOB, MODELS, TABLES
from experiments.studies.fuzzy.series import gas_rows, mackey_rows, rows_of
from tests.experiments.test_experiments_ablations import made_up


def test_mackey_glass_equals_another_solver() -> None:
    """The method of steps: in each interval of 17 the delayed value is known from the one before."""
    X, y = mackey_rows()
    assert X.shape == (1000, 4)
    x, delayed = 1.2, lambda t: 0.0
    found: dict[int, float] = {}
    for start in range(0, 153, 17):
        made = solve_ivp(
            lambda t, x, before=delayed: 0.2 * before(t - 17) / (1 + before(t - 17) ** 10) - 0.1 * x,
            (start, start + 17),
            [x],
            dense_output=True,
            rtol=1e-9,
            atol=1e-11,
        )
        found |= {t: float(made.sol(t)[0]) for t in range(start, start + 17)}
        x, delayed = float(made.y[0, -1]), lambda t, made=made: float(made.sol(t)[0])
    for row, t in ((0, 118), (20, 138)):
        wanted = [found[t - 18], found[t - 12], found[t - 6], found[t], found[t + 6]]
        assert [*X[row], y[row]] == pytest.approx(wanted, abs=0.001)


def test_the_gas_furnace_is_series_j() -> None:
    """The means of Box and Jenkins' 296 pairs are -.057 and 53.51."""
    X, y = gas_rows()
    assert X.shape == (290, 10)
    assert X[0].tolist() == [-0.109, 0, 0.178, 0.339, 0.373, 0.441, 53.5, 53.5, 53.4, 53.1]
    assert y[0] == 52.7
    assert X[1:, -1].tolist() == y[:-1].tolist()


def test_series_are_split_by_time_and_tables_by_hold_outs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, trained in ((MACKEY_GLASS, 500), (GAS_FURNACE, 145)):
        rows = rows_of(name, 3)
        assert len(rows.X) == trained
        assert rows_of(name, 4).y.tolist() == rows.y.tolist()
    table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: table)
    train, test = holdout(table, 3)
    rows = rows_of("dee", 3)
    assert np.array_equal(rows.X, table.X[train])
    assert np.array_equal(rows.X_test, table.X[test])


def test_a_unit_has_a_row_for_each_model(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: table)
    rows = EXPERIMENT.run(Unit("glass", JOB, 0), True)
    assert [row["model"] for row in rows] == ["fuzzy_1", "fuzzy_2", "neural", "neural_lowest", "linear"]
    assert all(set(row) == set(EXPERIMENT.columns) for row in rows)
    by_model = {row["model"]: row for row in rows}
    assert by_model["neural_lowest"]["params"] <= by_model["fuzzy_1"]["params"] < by_model["fuzzy_2"]["params"]


def test_units_and_settings() -> None:
    units = list(EXPERIMENT.units(10, False))
    assert len(set(units)) == len(units) == 10 * len(TABLES)
    hashes = {str(EXPERIMENT.settings(Unit(table, JOB, 0), False)) for table in TABLES}
    assert len(hashes) == len(TABLES)


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rows = [
        {"table": table, "job": JOB, "seed": str(seed), "model": model, "nodes": "9", "params": "88", "fit_s": "1.5"}
        | {"test_score": str(0.9 + seed / 100), "test_rmse": str(0.0094 + place / 100)}
        for table in (MACKEY_GLASS, "dee")
        for seed in range(3)
        for place, model in enumerate(MODELS)
    ]
    page.render(rows, tmp_path)
    text = (tmp_path / "fuzzy.md").read_text()
    assert "| fuzzy_1 | .910 [.905, .915] | 88 [88, 88] |" in text
    assert "| mackey_glass | .0094 [.0094, .0094] | .0194 [.0194, .0194] |" in text
    assert ".00798 (.10568)" in text
    assert page.headline(rows).startswith("## Fuzzy trees")
