"""The study of federated learning: its clients, its rows, and its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import paper_tables
from experiments.frame.experiment import Unit
from experiments.studies.federated import page
from experiments.studies.federated.client_rows import LEAST_ROWS, SHARDS, SPLITS, shared
from experiments.studies.federated.run import EXPERIMENT, IID, POOLED, SHARDED, SKEWED
from tests.experiments.test_experiments_ablations import made_up
from tests.helpers.study_pages import rendered


@pytest.mark.parametrize("split", SPLITS)
def test_every_row_has_one_client(split: str) -> None:
    labels = np.random.default_rng(0).integers(0, 4, 400)
    owned = SPLITS[split](np.random.default_rng(1), labels, 8)
    assert sorted(np.concatenate(owned)) == list(range(400))
    assert min(map(len, owned)) >= LEAST_ROWS
    kinds = [len(np.unique(labels[rows])) for rows in owned]
    assert (np.mean(kinds) < 3.5) == (split != IID)
    if split == SHARDED:
        assert max(kinds) <= 2 * SHARDS  # a shard of sorted labels spans two of them at most


def test_test_rows_are_no_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: table)
    found = shared("iris", SKEWED, 0, 4, 0)
    everyone = np.concatenate(found.clients)
    assert sorted(everyone) == list(range(len(found.X)))
    assert len(found.X) + len(found.test_X) == len(table.X)
    np.testing.assert_allclose(found.X.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.X.std(axis=0), 1)


@pytest.mark.parametrize("unit", EXPERIMENT.units(10, True), ids=lambda unit: unit.job)
def test_a_unit_has_a_row_for_each_way(monkeypatch: pytest.MonkeyPatch, unit: Unit) -> None:
    monkeypatch.setattr(paper_tables, "table", lambda name: made_up())
    monkeypatch.setattr("experiments.studies.federated.run.CLIENTS", 3)
    rows = EXPERIMENT.run(unit, True)
    assert all(set(row) == set(EXPERIMENT.columns) for row in rows)
    sent = {row["method"]: row["bytes"] for row in rows}
    assert all((amount == 0) == ("averaged" not in method) for method, amount in sent.items())
    assert all(row["worst_score"] <= row["test_score"] <= 1 for row in rows)
    assert rows == EXPERIMENT.run(unit, True)


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rows = []
    for unit in EXPERIMENT.units(3, False):
        about = {"table": unit.table, "job": unit.job, "seed": str(unit.seed), "clients": "8", "weights": "50"}
        ways = [(POOLED, 0, 0.9), ("local", 0, 0.5)]
        ways += [(f"averaged, {n}", number, 0.6 + number / 1000) for n in (1, 5) for number in (1, 100)]
        ways += [("averaged", 4, 0.8)] if unit.job == "search" else []
        for method, number, score in ways:
            numbers = {"round": str(number), "bytes": str(800 * number), "test_score": str(score), "worst_score": "0.2"}
            rows.append(about | numbers | {"method": method})
    text = rendered(page, rows, tmp_path, "federated")
    assert "| mnist, shards | .900 [.900, .900] | .500 [.500, .500] | .200 |" in text
    assert "−.200 [−.200, −.200], p = 0.25 | +.200 [+.200, +.200], p = 0.25 | 80 |" in text
    assert "| friedman, averaged | .800 [.800, .800] |" in text
