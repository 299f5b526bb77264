"""What a user gets wrong about recordings, and rules of events that must see the scores that the firmware sees."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from neuraltree.signals.event_choice import Scored
from neuraltree.signals.front_end.front_end import FrontEnd
from search.cli.neuraltree_command import main
from search.config.config import config_of
from search.errors import InputError
from search.judge.signals import signal_models
from search.table.loading import load_table
from tests.signals.gestures import write


def load(path: Path) -> None:
    load_table(config_of({"data": {"source": str(path)}, "signal": {"windows": [64], "hop": 32}}, "test"))


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
