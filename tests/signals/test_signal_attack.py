"""What a user gets wrong about recordings, and rules of events that must see the scores that the firmware sees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from neuraltree.export.signals.signal_library import export_signal
from neuraltree.export.signals.twin import stream
from neuraltree.hardware.compilers import host_compiler
from neuraltree.hardware.signals.replay import replay
from neuraltree.signals.event_choice import Scored
from neuraltree.signals.event_rule import UNKNOWN
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.rejection_choice import fitted
from search.cli.neuraltree_command import main
from search.config.config import config_of
from search.config.settings import Config
from search.engine.problem import set_up
from search.errors import InputError
from search.judge.signals import signal_models
from search.table.loading import load_table
from search.table.signals.chosen_recordings import chosen_recordings
from search.table.signals.signal_table import normal_windows
from tests.helpers.signal_models import random_walk, signal_model
from tests.signals.gestures import write


def load(path: Path, **more: object) -> None:
    load_table(config(path, **more))


def config(path: Path, sections: dict[str, object] | None = None, **more: object) -> Config:
    signal = {"windows": [64], "hop": 32, "most_features": 10} | more
    return config_of({"data": {"source": str(path)}, "signal": signal} | (sections or {}), "test")


def changed(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **(dict(np.load(path)) | arrays))
    return path


def test_recordings_of_one_subject_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one subject or recording, p0"):
        load(write(tmp_path / "alone.npz", people=1))


def test_samples_that_never_change_are_refused_in_words(tmp_path: Path) -> None:
    path = write(tmp_path / "still.npz")
    with pytest.raises(InputError, match="no feature of the training windows changes"):
        load(changed(path, samples=np.full_like(np.load(path)["samples"], 7.0)))


def test_rules_of_events_see_the_scores_less_a_tuned_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logit of 1 in a model that asks for 2 is the first class in the firmware."""
    seen: list[Scored] = []

    def chosen_rule(scored: list[Scored], **about: object) -> tuple[None, None]:
        seen.extend(scored)
        return None, None

    monkeypatch.setattr(signal_models, "chosen_rule", chosen_rule)
    monkeypatch.setattr(signal_models, "validation_outputs", lambda problem, trees: np.array([[[1.0, 3.0]]]))
    problem = SimpleNamespace(validation_rows=np.arange(2), in_integers=False)
    table = SimpleNamespace(moments=np.array([[0, 64], [0, 128]]), classes=("a", "b"), y=np.array([0, 1]))
    signal = SimpleNamespace(background="", false_alarms_per_hour=1.0)
    front = FrontEnd(("x",), 50.0, 64, ("x.mean@64",))
    given = ((problem, [None]), table, np.arange(2), signal, [front], [512])
    signal_models.held_out_rules(*given)  # type: ignore[arg-type]
    assert seen[0].scores.tolist() == [[0, -256], [0, 256]]


@pytest.mark.skipif(host_compiler() is None, reason="no C compiler")
@pytest.mark.parametrize("kind", ["envelope", "mahalanobis"])
def test_names_of_a_rejection_are_not_those_of_filters(kind: str) -> None:
    names = ["c0.low:2500.mean@64", "c0.high:2500.sd@64", "c0.delta.max@64", "acc.norm.mean@64"]
    model = signal_model(11, 32, names=names)
    samples = random_walk(3, 3_000, 11)
    X = model.front_end.values(samples).astype(np.int64)
    rejection = fitted(kind, X, np.zeros(len(X), dtype=np.int64), np.zeros(len(X), dtype=np.int64), 0.2)
    model = replace(model, rejection=rejection)
    found, wanted = replay(export_signal(model, "m", precision="int8"), samples), stream(model, samples, "int8")
    assert 0 < np.count_nonzero(wanted.reported == UNKNOWN) < len(wanted.ends)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def signal_run(tmp_path: Path) -> Path:
    """A file of a run of recordings, as far as its place tells."""
    file = tmp_path / "run" / "signals" / "000.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    return file


def test_compress_says_that_it_cuts_no_model_of_recordings(
    signal_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compress", str(signal_run), "--out", str(signal_run.parent / "small")]) == 2
    assert "is a model of recordings" in capsys.readouterr().err


def test_predict_says_that_recordings_are_played(signal_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(signal_run), str(signal_run)]) == 2
    assert "neuraltree play" in capsys.readouterr().err


def test_a_test_needs_training_recordings(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="all windows with a label are for the test"):
        load(write(tmp_path / "all.npz", people=2), test_subjects=["p0", "p1"])


def test_members_may_have_a_format_each(tmp_path: Path) -> None:
    sections = {"hardware": {"device": "cortex-m4f", "precision": ["int8", "int4"]}, "search": {"folds": 2}}
    given = config(write(tmp_path / "some.npz", parts=True), sections)
    problem = set_up(given, load_table(given)).problem
    assert problem.formats == ("int8", "int4")
    assert len(problem.fronts) == 1


def test_early_exits_are_refused(tmp_path: Path) -> None:
    sections = {
        "hardware": {"device": "cortex-m4f", "precision": "int8"},
        "search": {"folds": 2},
        "compress": {"early_exit": True},
    }
    given = config(write(tmp_path / "some.npz", parts=True), sections)
    with pytest.raises(InputError, match=r"compress\.early_exit"):
        set_up(given, load_table(given))


@pytest.fixture
def normal(tmp_path: Path) -> Path:
    """Recordings of one class by three people, of whom the last moves a hundred times as much."""
    path = write(tmp_path / "normal.npz", people=3, seconds=10.0)
    samples, subject = np.load(path)["samples"], np.load(path)["subject"]
    samples[subject == "p2"] *= 100
    return changed(path, samples=samples, label=np.zeros(len(samples), dtype=int), classes=np.array(["normal"]))


def test_models_of_normal_windows_do_not_see_test_subjects(normal: Path) -> None:
    given = config(normal, one_class=True, test_subjects=["p2"])
    found = normal_windows(given, chosen_recordings(given))
    assert len(np.unique(found.groups)) == 2
    assert min(found.front.counts_per_unit) > 1000  # twice the largest sample of those that train fits


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("show",), "one_class.csv"),
        (("split", "--cut", "acc*"), "one_class.csv"),
        (("compress",), "model of recordings"),
        (("predict", "rows.csv"), "neuraltree play"),
        (("hardware", "--device", "cortex-m4f"), "table of their run"),
        (("run", "--resume"), "not resumed"),
    ],
)
def test_commands_on_models_of_normal_windows_work_or_say_why(
    normal: Path, tmp_path: Path, command: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    fit = ["fit", str(normal), "--signal", "--windows", "64", "--hop", "32", "--set", "signal.one_class=true"]
    assert main([*fit, "--out", out, "--quiet"]) == 0
    name, *more = command
    assert main([name, out, *more]) == 2
    assert said in capsys.readouterr().err
