"""The command for models with columns: every format is written, or refused in one line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neuraltree.export.__main__ import main
from neuraltree.export.targets import FORMATS
from neuraltree.tree.model_files import dumps, load, loads, save
from tests.helpers.table_models import table_model

TREE = loads(dumps(table_model(5, "binary")))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "table.json"
    save(TREE, path)
    return path


@pytest.mark.parametrize("to", [to for to in FORMATS if to not in ("c-train", "constants")])
def test_every_format_is_written(model: Path, to: str, capsys: pytest.CaptureFixture[str]) -> None:
    for package in {"onnx": ("onnx",), "latex": ("sympy",), "text": ("sympy",)}.get(to, ()):
        pytest.importorskip(package)
    suffixes = FORMATS[to].suffixes
    out = model.parent / (f"out{suffixes[0]}" if suffixes else "out")
    assert main([str(model), "--to", to, "--out", str(out)]) == 0
    assert "out" in capsys.readouterr().out
    if to == "json":
        assert load(out) == TREE


def test_training_on_the_device_is_refused_in_one_line(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(model), "--to", "c-train", "--out", str(model.parent / "train")]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "takes numbers only, and this model reads columns of a table; export it with --to c" in message
    assert not (model.parent / "train").exists()


@pytest.mark.parametrize("options", [["--to", "python"], ["--to", "c"], ["--to", "c", "--precision", "int8"]])
def test_the_next_step_works_as_it_is_written(
    model: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    if "c" in options and shutil.which("cc") is None:
        pytest.skip("no C compiler: cc is not on PATH")
    out = model.parent / ("made.py" if "python" in options else "made")
    assert main([str(model), *options, "--out", str(out)]) == 0
    line = capsys.readouterr().out.splitlines()[-1].removeprefix("to check it: ")
    line = line.replace("python ", f"{sys.executable} ", 1)
    done = subprocess.run(line, shell=True, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert " are right\n" in done.stdout
