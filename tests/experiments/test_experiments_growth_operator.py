"""The experiment on growth guided by gradients: training rows only, shares of better children, its page."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.common.holdout import holdout
from experiments.frame.experiment import Unit
from experiments.studies.growth_operator import page as rendering
from experiments.studies.growth_operator import run as growth_operator
from experiments.studies.growth_operator.run import ADDED, EXPERIMENT, GROW, INSERT, VARIANTS, added
from search.table.data import Table
from tests.search.test_engine import class_table

UNIT = Unit("glass", GROW, 3)


def ran(table: Table, monkeypatch: pytest.MonkeyPatch) -> dict:
    monkeypatch.setattr(growth_operator.paper_tables, "table", lambda name: table)
    (row,) = EXPERIMENT.run(UNIT, True)
    return row


def test_test_rows_are_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    table = class_table(200)
    row = ran(table, monkeypatch)
    assert set(row) == set(EXPERIMENT.columns)
    assert row["trees"] == 3 * 8
    assert 0 <= row["holdout_score"] <= 1
    _, test = holdout(table, UNIT.seed)
    table.X[test] = np.nan
    assert ran(table, monkeypatch) == row


def test_jobs_share_out_the_same_children() -> None:
    assert {sum(VARIANTS[job].values()) for job in (INSERT, GROW, "both")} == {growth_operator.EDGE_SHARE}
    assert [unit.job for unit in EXPERIMENT.units(1, True)] == list(VARIANTS)


def made(errors: list[float], operators: list[str], parents: list[int]) -> SimpleNamespace:
    return SimpleNamespace(
        evaluated=SimpleNamespace(columns={"val_error": np.array(errors)}),
        origin=SimpleNamespace(operators=tuple(operators), parents=np.array([[i, -1] for i in parents])),
    )


def test_children_are_compared_with_their_parents() -> None:
    first = made([0.5, 0.2], ["random", "random"], [-1, -1])
    second = made([0.4, 0.1, 0.3], [GROW, INSERT, GROW], [0, 0, 1])
    third = made([0.05], [GROW], [3])
    found = added([first, second, third])
    assert found["grow_edge children"] == 3
    assert found["grow_edge improved"] == pytest.approx(2 / 3)
    assert found["grow_edge change"] == pytest.approx(-20)  # of -20, +50 and -50 %
    assert found["insert_edge change"] == pytest.approx(-80)
    assert added([first]) == dict.fromkeys(ADDED) | {"insert_edge children": 0, "grow_edge children": 0}


def test_the_page_says_what_the_rows_do(tmp_path: Path) -> None:
    rows = [
        {"table": table, "job": job, "seed": str(seed)}
        | dict.fromkeys(EXPERIMENT.columns, "")
        | {
            "hypervolume": "50",
            "val_error": "0.2",
            "holdout_volume": str(40 + seed + (job == GROW)),
            "holdout_score": "0.8",
        }
        | {"insert_edge children": "60", "insert_edge improved": "0.5", "insert_edge change": "-1"}
        | ({"grow_edge children": "60", "grow_edge improved": "0.75", "grow_edge change": "-2"} if job == GROW else {})
        for table in ("glass", "wdbc")
        for job in VARIANTS
        for seed in range(6)
    ]
    rendering.render(rows, tmp_path)
    text = (tmp_path / "growth_operator.md").read_text()
    assert (tmp_path / "growth_operator.png").is_file()
    assert "6 hold-outs" in text
    assert "| glass | `grow_edge` | 60 | 75 | −2.0 |" in text
    assert "75 % of the children of `grow_edge`" in rendering.headline(rows)
    assert "| grow_edge | +1.00 [+1.00, +1.00] | .094 |" in rendering.headline(rows)
