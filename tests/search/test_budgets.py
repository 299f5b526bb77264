"""What models may cost: bounds that no tree keeps are refused, and a finished front holds only models that fit."""

from __future__ import annotations

import csv
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

import search.judge.finish
import search.judge.measured_front
from neuraltree.hardware.compare import COMPARED
from neuraltree.hardware.measured_costs import Measured
from search import load_front
from search.config.config import load_config
from search.engine.budgets import within
from search.engine.problem import Setup, set_up
from search.errors import InputError
from search.run import main
from search.table.loading import load_table

CONFIG = """
[data]
source = "iris"
[search]
population = 16
generations = 2
objectives = ["error", "flash_bytes"]
folds = 2
[train]
epochs = 3
[hardware]
device = "cortex-m0plus"
precision = "int8"
style = "table"
[constraints]
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "my.toml"
    path.write_text(CONFIG)
    return path


def setup_with(path: Path, *changes: str) -> Setup:
    config = load_config(path, changes)
    return set_up(config, load_table(config))


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        (
            "constraints.flash_bytes=20",
            ("flash_bytes = 20", "smallest tree", "3 outputs", "int8 table clang", "raise it"),
        ),
        ("constraints.latency_s=1e-9", ("latency_s = 1e-09", "on cortex-m0plus")),
        ("constraints.weights=3", ("weights = 3", "takes 6")),
    ],
)
def test_a_bound_that_no_tree_keeps_is_refused(config: Path, bound: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as refused:
        setup_with(config, bound)
    assert all(word in str(refused.value) for word in words), refused.value


def test_what_the_device_holds_is_a_bound_too(config: Path) -> None:
    assert setup_with(config).strategy.bounds == {}
    bounds = setup_with(config, "hardware.device=stm32g0b1", "constraints.flash_bytes=4096").strategy.bounds
    assert bounds == {"flash_bytes": 4096.0, "ram_bytes": 144 * 1024.0}
    assert setup_with(config, "hardware.device=stm32g0b1").strategy.bounds["flash_bytes"] == 512 * 1024.0


def test_within_looks_at_every_bound_there_is_a_column_for() -> None:
    values = {"flash_bytes": np.array([10.0, 11.0, 9.0]), "weights": np.array([5.0, 1.0, 7.0])}
    assert within({"flash_bytes": 10.0, "weights": 6.0, "error": 0.1}, values).tolist() == [True, False, False]
    assert within({}, values).tolist() == [True] * 3


def test_models_measured_above_a_bound_are_left_out(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every second model is measured to be over the bound, whatever was predicted."""
    counts = []

    def measured(problem: object, trees: list, say: object, stopping: object) -> dict[str, np.ndarray]:
        counts.append(len(trees))
        over = np.arange(len(trees)) % 2
        return dict.fromkeys(("latency_s", "flash_bytes", "ram_bytes"), 9000.0 + 2000.0 * over)

    monkeypatch.setattr(search.judge.finish, "measure_front", measured)
    # Flash is bounded and no objective: members measured to be equally large would dominate each other.
    changes = ("constraints.flash_bytes=10000", 'search.objectives=["error", "weights"]')
    assert main([str(config), "--out", "run", *(f"--set={change}" for change in changes)]) == 0
    front = load_front("run")
    assert len(front) == -(-counts[0] // 2)
    assert {member.measured_flash_bytes for member in front} == {9_000.0}
    assert [member.path.name for member in front] == [f"{i:03d}.json" for i in range(len(front))]
    assert f"{counts[0] // 2} of {counts[0]} models left out" in capsys.readouterr().err


def test_a_model_that_cannot_be_measured_costs_nobody_else(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first model cannot be exported; the others are measured, and it is held to what was predicted."""
    seen = []

    def measure_tree(tree: object, device: object, code: object, inputs: object, **_: object) -> Measured:
        seen.append(tree)
        if len(seen) == 1:
            raise ValueError("a weight of 1e39 is beyond single floats")
        return Measured(dict.fromkeys(COMPARED, 1e-3) | {"flash_bytes": 500.0, "ram_bytes": 60.0}, True)

    monkeypatch.setattr(search.judge.measured_front, "check_measurable", lambda device, compiler: None)
    monkeypatch.setattr(search.judge.measured_front, "measure_tree", measure_tree)
    assert main([str(config), "--out", "run"]) == 0
    assert "could not be measured: a weight of 1e39" in capsys.readouterr().err
    measured = ["measured_flash_bytes" in member.values for member in load_front("run")]
    assert measured.count(False) == 1


def test_an_interrupt_while_measuring_loses_nothing(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(search.judge.measured_front, "check_measurable", lambda device, compiler: None)

    pressed = []

    def interrupted(tree: object, device: object, code: object, inputs: object, **_: object) -> Measured:
        if not pressed:  # once: a second Ctrl-C would stop the run whatever measuring does
            pressed.append(True)
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)
        return Measured(dict.fromkeys(COMPARED, 1e-3) | {"flash_bytes": 500.0, "ram_bytes": 60.0}, True)

    with monkeypatch.context() as patched:
        patched.setattr(search.judge.measured_front, "measure_tree", interrupted)
        patched.setattr(search.judge.measured_front.os, "cpu_count", lambda: 1)
        assert main([str(config), "--out", "run"]) == 130
    assert "--resume" in capsys.readouterr().err
    assert not Path("run/front.csv").exists()
    monkeypatch.setattr(
        search.judge.measured_front, "measure_tree", lambda *_, **__: Measured(dict.fromkeys(COMPARED, 1.0), True)
    )
    stale = Path("run/models/099.json")
    stale.parent.mkdir()
    stale.write_text("of the stage that was interrupted")
    assert main(["run", "--resume"]) == 0
    assert not stale.exists()
    assert {member.measured_flash_bytes for member in load_front("run")} == {1.0}


def test_a_search_measures_its_front(config: Path) -> None:
    pytest.importorskip("ziglang", reason="the compiler is not installed: pip install 'neuraltree[measure]'")
    pytest.importorskip("unicorn", reason="the emulator is not installed: pip install 'neuraltree[measure]'")
    assert main([str(config), "--out", "run", "--quiet", "--set", "constraints.flash_bytes=4096"]) == 0
    with Path("run/front.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert 0 < float(row["measured_flash_bytes"]) <= 4096
        assert float(row["measured_latency_s"]) == pytest.approx(float(row["latency_s"]), rel=0.15)
        assert float(row["measured_ram_bytes"]) == pytest.approx(float(row["ram_bytes"]), rel=0.5)
