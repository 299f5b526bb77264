"""Formats of fewer than 8 bits have no figures: every way to ask for their costs says so, and what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuraltree.compress.formats import NARROW, PRECISIONS
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS
from neuraltree.export.__main__ import main as export_main
from neuraltree.hardware import costs, load_device
from neuraltree.hardware.__main__ import main as hardware_main
from neuraltree.tree.model_files import save
from tests.helpers.random_models import random_model

WORDS = "is a format of C code alone, and no device has figures"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save(random_model(11), tmp_path / "m.json")
    return tmp_path / "m.json"


def test_narrow_formats_are_formats_of_weights_and_no_others_have_figures() -> None:
    assert set(NARROW) < set(WEIGHT_FORMATS)
    assert all(name == row.weights for name, row in NARROW.items())
    assert PRECISIONS == ("float32", "int8")


@pytest.mark.parametrize("precision", NARROW)
def test_costs_are_refused(precision: str) -> None:
    nodes = random_model(11).nodes
    with pytest.raises(ValueError, match=f"{precision} {WORDS}"):
        costs(nodes, np.array([0, len(nodes)]), load_device("rp2040"), precision, "straight")


@pytest.mark.parametrize("style", ["table", "auto"])
def test_the_command_refuses(model: Path, style: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hardware_main([str(model), "--device", "rp2040", "--precision", "int4", "--style", style]) == 2
    assert f"int4 {WORDS} for its time and memory: export it with --to c" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["c", "arduino", "zephyr"])
def test_c_and_what_wraps_it_are_exported(model: Path, to: str, tmp_path: Path) -> None:
    given = [str(model), "--to", to, "--precision", "ternary", "--out", str(tmp_path / "out"), "--name", "small"]
    assert export_main(given) == 0


@pytest.mark.parametrize("to", ["rust", "onnx", "micropython"])
def test_other_targets_refuse(model: Path, to: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    endings = {"onnx": ".onnx", "micropython": ".py"}
    out = tmp_path / f"out{endings.get(to, '')}"
    assert export_main([str(model), "--to", to, "--precision", "int4", "--out", str(out)]) == 2
    assert f"--to {to} takes --precision float32 or int8 only, not int4" in capsys.readouterr().err
