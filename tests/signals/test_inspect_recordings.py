"""``neuraltree inspect`` on recordings."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from search.cli.neuraltree_command import main
from search.cli.signals.inspect_recordings import are_recordings
from tests.signals.tiny_recordings import ROWS, write


def inspected(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = main(["inspect", *map(str, words)])
    out, said = capsys.readouterr()
    return code, out, said


@pytest.mark.parametrize("name", ["json, class by folder", "zip", "npz, texts"])
def test_recordings_are_told_of(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, _ = ROWS[name].write(tmp_path)
    code, out, said = inspected(capsys, path)
    assert code == 0
    assert "4 recordings (3 training, 1 testing)" in said
    assert "3.2 s at 50 Hz, channels accx [g], accy [g]" in said
    assert [line.split()[1] for line in said.splitlines() if "%" in line and "│" in line] == ["circle", "idle"]
    assert "windows of 8 samples (0.16 s): PASS" in said
    assert ("note: " in said) == ("npz" in name)  # which knows subjects, of whom one alone draws circles
    assert tomllib.loads(out)["data"]["source"] == str(path)
    assert tomllib.loads(out)["signal"] == {"windows": [8]}


def test_a_text_file_may_be_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "walk.csv"
    write(path, "\n".join(["x,label", *(f"{i % 17},{'ab'[i > 40]}" for i in range(60))]))
    code, out, said = inspected(capsys, path, "--signal")
    assert (code, out) == (2, "")
    assert "error: walk.csv: it states no sampling rate" in said
    assert "--set signal.rate_hz=50" in said
    code, out, said = inspected(capsys, path, "--signal", "--set", "signal.rate_hz=20")
    assert (code, tomllib.loads(out)["signal"]["rate_hz"]) == (0, 20.0)
    assert "note: one recording or subject holds all of a class, for a, b" in said
    assert "task" not in said
    assert inspected(capsys, path)[0] == 0  # a table


def test_windows_that_do_not_fit_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, samples=np.arange(200) % 17, label=[0] * 190 + [1] * 10, rate_hz=50)
    code, _, said = inspected(capsys, path)
    assert code == 0
    assert "WILL LOSE DATA; stretches of one label that are shorter: 1 1 of 1; none is shorter than 10 samples" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--target", "y"), "--target names a column of a table"), ((), "no recordings; read are files")],
)
def test_what_cannot_be_is_one_line(
    words: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, said = inspected(capsys, tmp_path, *words)
    assert (code, out, len(said.splitlines())) == (2, "", 1)
    assert told in said


def test_what_is_a_table(tmp_path: Path) -> None:
    np.savez(tmp_path / "table.npz", X=np.zeros((4, 2)), y=[0, 1, 0, 1])
    np.savez(tmp_path / "recordings.npz", X=np.zeros((4, 2)), label=[0, 1, 0, 1])
    write(tmp_path / "damaged.npz", b"PK")
    write(tmp_path / "a.csv", "a\n1\n")
    names = ("table.npz", "recordings.npz", "damaged.npz", "a.csv", "none.zip", "iris", ".")
    assert [name for name in names if are_recordings(str(tmp_path / name))] == ["recordings.npz", "."]
