"""The experiment learned_rate: its units, the rows of both jobs, what it trains, and its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.frame.experiment import Unit
from experiments.studies.learned_rate import page
from experiments.studies.learned_rate.populations import population, trained
from experiments.studies.learned_rate.run import (
    COST,
    EPOCHS,
    EXPERIMENT,
    FIXED_RATES,
    LEARNED,
    SCHEDULES,
    STARTS,
    STARTS_JOB,
    WAYS,
    trainings,
)
from search.table.data import Table
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.study_pages import rendered


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    found: Table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: found)
    return found


def test_units_and_settings() -> None:
    units = list(EXPERIMENT.units(10, False))
    assert len(set(units)) == len(units) == 50 * (1 + len(WAYS))
    hashes = [str(EXPERIMENT.settings(Unit("friedman", job, 0), False)) for job in (STARTS_JOB, *WAYS)]
    assert len(set(hashes)) == len(hashes)


def test_learned_rates_get_no_more_cpu_time() -> None:
    for name, schedule, rate, epochs in trainings(quick=False):
        assert epochs * COST.get(name, 1) == pytest.approx(EPOCHS, rel=0.01)
        assert rate in (STARTS if name in LEARNED else FIXED_RATES)
        assert schedule in SCHEDULES


def test_a_unit_has_a_row_for_each_training_and_search(table: Table) -> None:
    rows = EXPERIMENT.run(Unit("glass", STARTS_JOB, 0), True)
    assert len(rows) == len(trainings(quick=True))
    assert all(set(row) == set(EXPERIMENT.columns) for row in rows)
    assert all(row["train_loss"] > 0 and row["step_us"] > 0 for row in rows)
    again = EXPERIMENT.run(Unit("glass", STARTS_JOB, 0), True)
    assert [row["val_loss"] for row in rows] == [row["val_loss"] for row in again]
    for job in list(WAYS)[2:4]:
        (found,) = EXPERIMENT.run(Unit("glass", job, 0), True)
        assert set(found) == set(EXPERIMENT.columns)
        assert found["test_score"] <= 1


def test_no_test_row_is_trained_on(table: Table) -> None:
    given = population("glass", 0, 4)
    seen = np.concatenate([given.fit, given.held])
    assert len(set(seen.tolist())) == len(seen) == round(0.8 * len(table.X))
    before = trained(given, "sgd", 0.1, "constant", 0)
    after = trained(given, "sgd", 0.1, "constant", 20)
    assert after.train_loss < before.train_loss


def made_up_rows() -> list[dict[str, str]]:
    rng, rows = np.random.default_rng(0), []
    for seed in range(3):
        for table in ("friedman", "glass"):
            about = {"table": table, "seed": str(seed)}
            for name, schedule, rate, epochs in trainings(quick=False):
                train = 0.1 if name in LEARNED else 0.1 + 0.01 / rate
                numbers = {"train_loss": train, "val_loss": 2 * train, "rate": 0.04, "step_us": COST.get(name, 1)}
                how = {"optimizer": name, "schedule": schedule, "start": str(rate), "epochs": str(epochs)}
                rows.append(about | {"job": STARTS_JOB} | how | {key: repr(value) for key, value in numbers.items()})
            for job in WAYS:
                numbers = dict.fromkeys(("trees", "test_volume", "weights", "test_score"), 1 + rng.random())
                rows.append(about | {"job": job} | {key: repr(value) for key, value in numbers.items()})
    return rows


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rows = made_up_rows()
    text = rendered(page, rows, tmp_path, "learned_rate")
    fixed = " | ".join(f"{0.1 + 0.01 / rate:.3f}".removeprefix("0") for rate in STARTS)
    assert f"| sgd, constant | {fixed} | 500.50 |" in text
    assert "| learned_sgd, cosine | .100 | .100 | .100 | .100 | .100 | 1.00 | .040 |" in text
    ratio = f"{0.1 / 0.11:.3f}".removeprefix("0")
    assert f"| learned_adam, cosine | {ratio} [{ratio}, {ratio}] | 0.031 | 110 |" in text
    for job in WAYS:
        assert f"| {job} |" in text
    page.render([row for row in rows if row["job"] == STARTS_JOB], tmp_path)
    assert "## In a search" not in (tmp_path / "learned_rate.md").read_text()
