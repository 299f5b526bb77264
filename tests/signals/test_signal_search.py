"""A search on recordings: from a file of samples to models that are fed samples, and what they decide."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from neuraltree.hardware.compilers import host_compiler
from neuraltree.signals.signal_model import load
from search.cli.neuraltree_command import main
from search.config.config import config_of
from search.errors import InputError
from search.executors.shipped_table import table_in, table_message
from search.table.loading import load_table
from search.table.signals.feature_choice import chosen_features
from search.table.signals.holding import holders, positions_of
from tests.signals.gestures import CLASSES, write

SHORT = ["--set", "search.population=12", "--set", "train.epochs=4", "--set", "signal.most_features=30"]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("recordings") / "gestures.npz", parts=True)


@pytest.fixture(scope="module")
def run(recordings: Path) -> Path:
    """A run with a device, whose models decide every 32 or every 64 samples."""
    out = recordings.parent / "run"
    hops = ["--set", "signal.hops=[1,2]", "--set", 'search.objectives=["error","flash_bytes","cpu_load"]']
    fit = ["fit", str(recordings), "--signal", "--windows", "64", "128", "--hop", "32", "--device", "cortex-m4f"]
    assert main([*fit, "--generations", "2", "--quiet", "--out", str(out), *SHORT, *hops]) == 0
    return out


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_every_model_of_the_front_can_be_fed_samples(run: Path) -> None:
    rows = rows_of(run / "front.csv")
    files = sorted((run / "signals").glob("*.json"))
    assert [file.name for file in files] == [Path(row["model"]).name for row in rows]
    for file, row in zip(files, rows, strict=True):
        model = load(file)
        assert model.tree.num_weights == int(row["weights"])
        assert model.front_end.hop in (32, 64)
        assert len(model.features_read) == len(model.front_end.features)  # no feature that nothing reads
        assert 0 < float(row["cpu_load"]) < 1
    assert max(float(row["test_score"]) for row in rows) > 0.9  # of people whom no choice has seen


def test_test_scores_are_those_of_playback(run: Path, recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a model that decides at every hop; the same windows, labels and integers."""
    rows = rows_of(run / "front.csv")
    place = next(i for i in range(len(rows)) if load(run / f"signals/{i:03d}.json").front_end.hop == 32)
    longest = load(run / f"signals/{place:03d}.json").front_end.longest
    out = run.parent / "decisions.csv"
    file = str(run / f"signals/{place:03d}.json")
    assert main(["play", file, str(recordings), "--part", "testing", "--out", str(out)]) == 0
    decisions = [row for row in rows_of(out) if float(row["time_s"]) * 50 >= max(longest, 128)]
    right = np.mean([row["label"] == row["class"] for row in decisions])
    assert right == pytest.approx(float(rows[place]["int8_test_score"]), abs=1e-9)
    told = capsys.readouterr().out
    assert all(name in told for name in CLASSES)


@pytest.mark.skipif(host_compiler() is None, reason="no C compiler")
def test_the_exported_code_decides_the_same(run: Path, recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", str(run), str(recordings), "--c"]) == 0
    assert "decides the same in all" in capsys.readouterr().out
    assert main(["export", str(run), "--to", "c", "--name", "swing", "--out", str(run.parent / "swing")]) == 0
    assert "int swing_push(" in (run.parent / "swing" / "swing.h").read_text()


def test_a_run_of_recordings_can_be_resumed(run: Path) -> None:
    before = (run / "front.csv").read_text()
    assert main(["run", str(run), "--resume", "--quiet"]) == 0
    assert (run / "front.csv").read_text() == before
    assert json.loads((run / "manifest.json").read_text())["label_window"] == 64


def table_of(recordings: Path, **signal: object):
    raw = {"data": {"source": str(recordings)}, "signal": {"windows": [64, 128], "hop": 32} | signal}
    return load_table(config_of(raw, "test"))


def test_rows_are_decisions_and_people_are_not_split(recordings: Path) -> None:
    table = table_of(recordings, most_features=20)
    samples, longest, people = 3000, 128, 6
    assert table.X.shape == (people * ((samples - longest) // 32 + 1), 20)
    assert table.classes == CLASSES
    assert table.rules.part is not None
    assert table.rules.group is not None
    for person in range(people):
        assert len(set(table.rules.part[table.rules.group == person].tolist())) == 1


def test_workers_get_what_makes_the_features_and_what_holds_when(recordings: Path) -> None:
    """Without them they would count the costs of trees alone."""
    table = table_of(recordings, most_features=5, hops=[1, 2])
    again = table_in(table_message(table))
    assert again.front == table.front
    assert (again.hops, again.label_window) == ((32, 64), 64)
    np.testing.assert_array_equal(again.moments, table.moments)


def test_scales_and_features_come_from_training_recordings_alone(tmp_path: Path) -> None:
    found = []
    for size in (1.0, 3.0):
        path = write(tmp_path / "some.npz", parts=True)
        arrays = dict(np.load(path))
        arrays["samples"] = np.where(
            (arrays["part"] == "testing")[:, None], size * arrays["samples"], arrays["samples"]
        )
        np.savez(path, **arrays)
        found.append(table_of(path, most_features=20))
    assert found[0].features == found[1].features
    assert found[0].front == found[1].front
    assert not np.array_equal(found[0].X, found[1].X)


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        ({"windows": [100]}, "no multiple of every hop"),
        ({"channels": ["gyrx"]}, "gyrx"),
        ({"classes": ["fast", "jump"]}, "jump"),
        ({"test_subjects": ["p9"]}, "p9"),
        ({"counts_per_unit": {"accq": 1.0}}, "accq"),
        ({"classes": ["fast"]}, "two or more"),
    ],
)
def test_what_recordings_cannot_give_is_refused(recordings: Path, signal: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        table_of(recordings, **signal)


def test_recordings_that_are_too_short_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose shorter"):
        table_of(write(tmp_path / "short.npz", seconds=5.0), windows=[1024])


def test_the_filter_keeps_what_tells_a_class_and_no_copies() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=600)
    noise = rng.normal(size=(600, 20))
    X = np.round(1000 * np.column_stack([noise, y == 1, 2 * (y == 1) + 0.001 * noise[:, 0], y == 2, np.zeros(600)]))
    kept = chosen_features(X.astype(np.int64), y, 3, 4)
    assert len(kept) == 4
    assert 22 in kept  # tells the last class
    assert np.isin([20, 21], kept).sum() == 1  # of two copies one
    assert 23 not in kept  # always the same


def test_a_decision_holds_until_the_next_of_its_recording() -> None:
    moments = np.array([[0, 32], [0, 64], [0, 96], [0, 128], [1, 96], [1, 128]])
    assert holders(moments, [32, 64]).tolist() == [[0, 1, 2, 3, 4, 5], [0, 1, 1, 3, 4, 5]]
    gap = np.array([[0, 64], [0, 96], [0, 160], [0, 192]])  # the decision at 128 has no label
    assert holders(gap, [64]).tolist() == [[0, 0, 0, 3]]
    assert positions_of(holders(moments, [64]), np.array([1, 2, 3])).tolist() == [[0, 0, 2]]
