"""The experiment pruning: its units, the rows of one, and its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.frame.experiment import Unit
from experiments.studies.pruning import page
from experiments.studies.pruning.run import EXPERIMENT, JOB, LARGE, LARGE_CRITERIA, SHARES, STUDIED
from search.table.data import Table
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.study_pages import rendered


def test_units_are_the_tables_and_then_mnist() -> None:
    units = list(EXPERIMENT.units(10, False))
    assert len(set(units)) == len(units) == 14 * 10 + 10
    assert [unit.table for unit in units[-10:]] == ["mnist"] * 10
    assert list(EXPERIMENT.units(1, True)) == [Unit("iris", JOB, 0)]
    assert EXPERIMENT.settings(units[0], False) != EXPERIMENT.settings(units[-1], False)


def test_a_unit_has_a_row_for_each_criterion_share_and_way(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: found)
    rows = EXPERIMENT.run(Unit("iris", JOB, 0), True)
    assert len(rows) == 1 + len(STUDIED) * 2 * len(SHARES)
    assert all(set(row) == set(EXPERIMENT.columns) for row in rows)
    whole = rows[0]
    for row in rows[1:]:
        assert row["nodes"] == sum(map(int, row["levels"].split())) <= whole["nodes"]
        assert 0 <= row["test_score"] <= 1
    kept = [row["nodes"] for row in rows if row["criterion"] == "ablation" and not row["retrained"]]
    assert kept == sorted(kept, reverse=True)
    assert rows == EXPERIMENT.run(Unit("iris", JOB, 0), True)


def made_up_rows() -> list[dict[str, str]]:
    rng, rows = np.random.default_rng(0), []
    for table, job in (("iris", JOB), ("friedman", JOB), ("mnist", LARGE)):
        criteria = ("none", *(STUDIED if job == JOB else LARGE_CRITERIA))
        for seed, name in np.ndindex(2, len(criteria)):
            for share, way in [("0.0", "0")] if not name else [(str(s), w) for s in SHARES for w in "01"]:
                about = {"table": table, "job": job, "seed": str(seed), "criterion": criteria[name]}
                score = repr(float(rng.random()))
                rows.append(
                    about | {"share": share, "retrained": way, "levels": "1 4 9", "weights": "40", "test_score": score}
                )
    return rows


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rows = made_up_rows()
    text = rendered(page, rows, tmp_path, "pruning")
    for name in STUDIED:
        assert f"| {name} |" in text
    assert "## MNIST" in text
    page.render([row for row in rows if row["job"] == JOB], tmp_path)
    assert "## MNIST" not in (tmp_path / "pruning.md").read_text()
    mean = page.mean(page.scores_of(rows), ("ablation", "0.5", "1"), ("iris",))
    wanted = [
        float(row["test_score"])
        for row in rows
        if (row["table"], row["criterion"], row["share"], row["retrained"]) == ("iris", "ablation", "0.5", "1")
    ]
    assert mean == pytest.approx(np.mean(wanted))
