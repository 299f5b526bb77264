"""The experiment on a drift: rows, windows of signals, what is drawn from which rows, shares and pages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.common import activities, paper_tables
from experiments.frame.experiment import Unit
from experiments.studies.drift import drifts
from experiments.studies.drift import page as drift_page
from experiments.studies.drift import run as drift
from experiments.studies.drift.recovery import recovered
from neuraltree.updating.training_state import TrainingState
from search.errors import InputError
from tests.experiments.test_experiments_ablations import made_up
from tests.experiments.test_experiments_compression import as_text
from tests.helpers.study_pages import rendered


def test_units_are_distinct_and_have_settings_of_their_own() -> None:
    units = list(drift.units(3, False))
    assert len(set(units)) == len(units)
    assert len({str(drift.settings(unit, False)) for unit in units if unit.seed == 0}) == 2 * len(drift.TABLES) + 2
    assert len(drift.units(3, True)) < len(units)


def test_a_unit_has_a_row_for_each_selector_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_tables, "table", lambda name: made_up())
    monkeypatch.setattr(drift, "BUDGETS", {"30.8 %": 0.308, "200 B": 200})
    monkeypatch.setattr(drifts, "FIRST", (0, 20))
    unit = Unit("friedman", drift.SENSOR, 0)
    rows = drift.run(unit, True)
    assert len(rows) == 3 + 2 * len(drift.CHOSEN)
    assert all(set(row) == set(drift.COLUMNS) for row in rows)
    full = next(row for row in rows if row["selector"] == "full")
    assert full["trained"] == full["weights"]
    for row in rows:
        if row["budget"] == "30.8 %":
            assert 0 < row["bytes"] <= 0.308 * full["bytes"]
        if row["budget"] == "200 B":
            assert 0 < row["bytes"] <= 200
    old = next(row["test_score"] for row in rows if row["selector"] == "none")
    assert all(row["test_score"] == (old if row["kept"] else row["raw_score"]) for row in rows if row["budget"])
    assert rows == drift.run(unit, True)


def test_rows_before_and_after_the_drift_and_of_the_test_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: table)
    seen: list[np.ndarray] = []

    def trained(of: object, rows: np.ndarray, seed: int, quick: bool) -> drifts.Tree:
        seen.append(rows)
        return drifts.grown(table, rows, seed, 60)

    monkeypatch.setattr(drifts, "well_trained", trained)
    found = drifts.drifted_table("friedman", 0, True)
    keys = {row.tobytes(): i for i, row in enumerate(np.delete(table.X, np.flatnonzero(moved(found, table)), axis=1))}
    parts = [
        {keys[row.tobytes()] for row in np.delete(X, np.flatnonzero(moved(found, table)), axis=1)}
        for X, _ in (found.fitted, found.held, found.test)
    ]
    parts.append(set(seen[0].tolist()))
    assert found.known is not None
    assert {tuple(row) for row in found.known[0]} <= {tuple(table.X[i]) for i in seen[0]}
    assert sum(map(len, parts)) == len(set.union(*parts))


def moved(found: drifts.Drift, table: drifts.Table) -> np.ndarray:
    """(features,) the inputs that the drift changed."""
    return (found.test[0] != found.before[0]).any(axis=0)


def test_a_drift_is_a_gain_about_the_mean_and_an_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    table = made_up()
    monkeypatch.setattr(paper_tables, "table", lambda name: table)
    found = drifts.drifted_table("friedman", 1, True)
    assert moved(found, table).sum() == 2
    change = found.test[0] - found.before[0]
    scaler = found.tree.scaler
    assert scaler is not None
    kinds = []
    for i in np.flatnonzero(moved(found, table)):
        apart = found.before[0][:, i] - scaler.mean[i]
        kinds.append(np.allclose(change[:, i], 0.5 * apart) + 2 * np.allclose(change[:, i], 0.6 * scaler.scale[i]))
    assert sorted(kinds) == [1, 2]


def test_windows_lie_within_one_activity_of_one_recording() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 6))
    label = np.repeat([1, 6, 7, 2, 2], 200)
    recording = np.repeat([1, 1, 1, 1, 2], 200)
    found = activities.windows_of(X, label, np.ones(1000, dtype=int), recording)
    # Starts at multiples of 64 whose 128 samples end within the same 200; label 7 is a transition.
    starts = [0, 64, 256, 640, 832]
    assert found.y.tolist() == [0, 0, 5, 1, 1]
    assert found.recording.tolist() == [1, 1, 1, 1, 2]
    for window, start in zip(found.X.reshape(-1, 6, 8), starts, strict=True):
        for signal, own in enumerate(X[start : start + 128].T):
            ordered = np.sort(own)
            quarters = [np.interp(share * 127, range(128), ordered) for share in (0.25, 0.75)]
            wanted = [own.mean(), own.std(), ordered[0], ordered[-1], *quarters]
            wanted += [np.sqrt(np.mean(own**2)), np.mean(np.abs(own[1:] - own[:-1]))]
            np.testing.assert_allclose(window[signal], wanted)


def test_a_new_subject_is_in_no_row_of_the_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    y = np.tile(np.repeat(np.arange(6), 8), 8)
    X = rng.normal(size=(len(y), len(activities.FEATURES))) + y[:, None]
    subject, recording = np.repeat([1, 2, 3, 4], 96), np.repeat(np.arange(8), 48)
    X[:, 0] = subject
    monkeypatch.setattr(drifts, "activities", lambda: activities.Windows(X, y, subject, recording))
    seen: list[np.ndarray] = []

    def trained(table: drifts.Table, rows: np.ndarray, seed: int, quick: bool) -> drifts.Tree:
        seen.append(rows)
        return drifts.grown(table, rows, seed, 60)

    monkeypatch.setattr(drifts, "well_trained", trained)
    found = drifts.new_subject(0, True)
    own = set(found.test[0][:, 0])
    assert len(own) == 1
    assert own == set(found.fitted[0][:, 0]) == set(found.held[0][:, 0])
    assert not own & set(X[seen[0], 0])
    assert len(found.test[0]) == 48
    assert len(found.held[0]) == 12


def test_the_recovered_share_is_a_quotient_of_sums() -> None:
    rows = []
    gains = {"a": {"0": (0.1, 0.2), "1": (0.3, 0.4)}, "b": {"0": (0.0, 0.1), "1": (0.2, 0.1)}}
    for table, seeds in gains.items():
        for seed, (own, full) in seeds.items():
            for name, budget, gain in (("none", "", 0.0), ("output", "512 B", own), ("full", "all", full)):
                rows.append(
                    {"table": table, "seed": seed, "selector": name, "budget": budget, "test_score": str(0.5 + gain)}
                )
    found = recovered(rows, "output", "512 B", ("a", "b"))
    assert found is not None
    assert found.value == pytest.approx(0.6 / 0.8)
    assert (found.low, found.high) == pytest.approx((0.1 / 0.3, 0.5 / 0.5))  # seed 0 twice, seed 1 twice
    assert recovered(rows, "random", "512 B", ("a", "b")) is None


def test_the_page_is_made_of_rows_alone(tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(0), []
    for unit in drift.units(2, False):
        about = dict.fromkeys(drift.COLUMNS) | {"table": unit.table, "job": unit.job, "seed": unit.seed}
        about |= {"weights": 190, "test_score": 0.5, "held_score": 0.5, "budget": ""}
        if unit.job == drift.COSTS:
            costs = dict.fromkeys(drift.COST_COLUMNS, 1000 + 10 * unit.seed) | {"core": "cortex-m4f"}
            rows.append(about | costs | {"selector": "full", "budget": "all", "bytes": 900, "trained": 190})
            continue
        rows += [about | {"selector": name} for name in ("before", "none")]
        selectors = drift.FORESEEING if unit.job == drift.FORESIGHT else drift.CHOSEN
        for place, (name, budget) in enumerate(
            [("full", "all"), *((name, budget) for name in selectors for budget in drift.BUDGETS)]
        ):
            scores = {column: 0.6 + 0.1 * rng.random() for column in ("held_score", "raw_score", "test_score")}
            more = {"bytes": 60 + place, "trained": 19, "rate": 0.01, "kept": 0, "held_loss": 0.1}
            rows.append(about | {"selector": name, "budget": budget} | more | scores)
    text_rows = as_text(rows)
    text = rendered(drift_page, text_rows, tmp_path, "drift")
    assert "| weights in training, % | 10.0 | 10.0 | 10.0 | 10.0 | 10.0 |" in text
    assert "| cortex-m4f | full | all | 1,005 | 2,010 | 1,005 | 1,005 | 1,005 | 1005.00 |" in text


def test_costs_are_those_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from experiments.studies.drift import step_costs

    pytest.importorskip("unicorn")
    pytest.importorskip("ziglang")
    table = made_up()
    tree = drifts.grown(table, np.arange(len(table.X)), 0, 60)
    state = TrainingState(tree.nodes)
    live = state.function & (tree.nodes["depth"] == 0)
    monkeypatch.setattr(step_costs, "CORES", ("cortex-m4f",))
    (whole,), (part,) = (list(step_costs.cost_rows(tree, each, table.X[0], 1.0)) for each in (state.function, live))
    assert part["static_bytes"] == state.bytes(live) < whole["static_bytes"] == state.most_bytes
    assert part["forward"] < part["instructions"] < whole["instructions"]
    assert part["energy_uj"] < whole["energy_uj"]


def test_a_missing_or_another_file_of_activities_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(activities, "table_folders", lambda: [tmp_path / "tables"])
    with pytest.raises(InputError, match=r"no hapt_raw\.npz in the folder signals beside"):
        activities.check_activities()
    (tmp_path / "signals").mkdir()
    (tmp_path / "signals" / "hapt_raw.npz").write_bytes(b"other")
    with pytest.raises(InputError, match="is not the file that the results are about"):
        activities.check_activities()
