"""``neuraltree play``: whatever recordings and models are given, there is a result or one clear line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from neuraltree.hardware.compilers import host_compiler
from neuraltree.tree.model_files import save
from search.cli.neuraltree_command import main
from tests.helpers.signal_models import RATE_HZ, random_walk, signal_model

WINDOW, HOP = 64, 16
MODEL = signal_model(1, HOP, (WINDOW,))  # of the classes a, b and c, and the channels c0, c1 and c2
LABELS = np.repeat([0, 1, 2, 1], 100)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "swing.json"
    MODEL.save(path)
    return path


def npz(
    path: Path,
    count: int = 400,
    classes: tuple[str, ...] = ("a", "b", "c"),
    channels: tuple[str, ...] = ("c0", "c1", "c2"),
    rate_hz: float = RATE_HZ,
    labels: bool = True,
) -> Path:
    """Recordings of an .npz file: stretches of 100 samples of the classes, of a subject each."""
    given = {"label": LABELS[:count], "classes": np.array(classes)} if labels else {}
    samples = random_walk(len(channels), count).astype(float) / 100
    np.savez(path, samples=samples, channels=np.array(channels), rate_hz=rate_hz, **given)
    return path


def told(capsys: pytest.CaptureFixture[str]) -> str:
    found = capsys.readouterr()
    return found.out + found.err


def play(*texts: str | Path) -> int:
    return main(["play", *map(str, texts)])


def outputs(folder: Path) -> list[str | Path]:
    return ["--out", folder / "all.csv", "--html", folder / "page.html", "--png", folder / "picture.png"]


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"count": WINDOW - 1}, "no window has a label"),
        ({"count": WINDOW}, "windows: "),
        ({"count": 2}, "no window has a label"),
        ({"labels": False}, "no window has a label"),
        ({"classes": ("x", "y", "Größe ☃ [bold]")}, "no class of the model count as none: Größe ☃ [bold], x, y"),
        ({"classes": ("a", "b", "z")}, "no class of the model count as none: z"),
        ({"channels": ("c2", "other", "c0", "c1")}, "windows: "),
        ({"rate_hz": RATE_HZ * 1.004}, "windows: "),
        ({"rate_hz": 2 * RATE_HZ}, "windows: "),
    ],
    ids=["short", "one window", "two samples", "no labels", "no class", "one no class", "order", "0.4 %", "twice"],
)
def test_recordings_that_are_not_like_those_of_the_run(
    about: dict, said: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(model, npz(tmp_path / "é ☃.npz", **about), *outputs(tmp_path)) == 0
    assert said in " ".join(told(capsys).split())
    assert (tmp_path / "page.html").read_text(encoding="utf-8").count("</script>") == 3
    assert (tmp_path / "picture.png").stat().st_size > 10_000
    assert (tmp_path / "all.csv").read_text(encoding="utf-8").startswith("recording,subject,time_s")


@pytest.mark.parametrize(
    ("about", "more", "said"),
    [
        ({"channels": ("c0", "c1")}, [], "c2"),
        ({}, ["--part", "testing"], "no recording is of the part 'testing'"),
        ({}, ["--recording", "gone"], "no recording is named 'gone'"),
        ({}, ["--emulate"], "the run has no device; name one with --device"),
        ({}, ["--device", "cortex-m4f", "--samples", "0"], "--samples is 0"),
        ({}, ["--device", "h100"], "h100"),
        ({}, ["--precision", "float3"], "float3"),
    ],
)
def test_what_cannot_be_played_is_said_in_one_line(
    about: dict, more: list[str], said: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(model, npz(tmp_path / "some.npz", **about), *more) == 2
    errors = [line for line in told(capsys).splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert said in errors[0]


def test_what_is_no_model_of_recordings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recordings = npz(tmp_path / "some.npz")
    (tmp_path / "folder").mkdir()
    table, number = tmp_path / "table.json", tmp_path / "number.json"
    save(MODEL.tree, table)
    signal_model(7, 32, (64,), kind="regression").save(number)
    for path, said in [
        (tmp_path / "folder", "no model of recordings"),
        (tmp_path / "gone", "no model of recordings"),
        (table, "no model of signals"),
        (number, "predicts a number"),
    ]:
        assert play(path, recordings) == 2
        assert said in told(capsys)


def test_without_a_compiler_the_message_names_one(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuraltree.hardware.signals.replay.host_compiler", lambda: None)
    assert play(model, npz(tmp_path / "some.npz"), "--c") == 2
    assert "needs a compiler: install cc" in told(capsys)


@pytest.mark.skipif(host_compiler() is None, reason="no C compiler")
@pytest.mark.parametrize("count", [2, WINDOW - 1, 400])
def test_the_exported_code_plays_short_recordings(
    count: int, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play(model, npz(tmp_path / "some.npz", count), "--c", "--precision", "int8") == 0
    windows = max(0, (count - WINDOW) // HOP + 1)
    assert f"decides the same in all {windows} windows" in told(capsys)


def test_nothing_but_a_page_is_replaced_by_a_page(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recordings = npz(tmp_path / "some.npz")
    kept = recordings.read_bytes()
    assert play(model, recordings, "--html", recordings) == 2
    assert "name another file with --html" in told(capsys)
    assert recordings.read_bytes() == kept
    for _ in range(2):
        assert play(model, recordings, "--html", tmp_path / "page.html") == 0


def test_control_c_ends_it_in_one_line(model: Path, tmp_path: Path) -> None:
    recordings = npz(tmp_path / "some.npz")
    script = (
        "import search.playback.played as one, search.cli.neuraltree_command as command, sys\n"
        "def interrupted(*given): raise KeyboardInterrupt\n"
        "one.played = interrupted\n"
        f"sys.argv = ['neuraltree', 'play', {str(model)!r}, {str(recordings)!r}]\n"
        "command.run()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_a_stretch_on_an_emulated_core(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for package in ("unicorn", "ziglang"):
        pytest.importorskip(package)
    recordings = npz(tmp_path / "some.npz")
    assert play(model, recordings, "--device", "nrf52840", "--samples", "150", "--precision", "int8") == 0
    assert "150 samples" in (found := told(capsys))
    assert "as in Python" in found
    assert "at 64 MHz" in found
