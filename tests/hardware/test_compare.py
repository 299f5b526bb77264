"""``--measure``: predicted beside measured, and what is said where nothing can be measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuraltree import save
from neuraltree.hardware import Code, costs, load_device
from neuraltree.hardware.__main__ import main
from neuraltree.hardware.calibrate.calibration_trees import random_trees
from neuraltree.hardware.calibrate.one_kind import with_activation
from neuraltree.hardware.compare import measure_tree
from neuraltree.hardware.model.cost import laid_out


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "run" / "models"
    folder.mkdir(parents=True)
    for i, tree in enumerate(random_trees(3, 11)):
        save(tree, folder / f"{i:03d}.json")
    return folder.parent


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_predicted_beside_measured(models: Path, precision: str, capsys: pytest.CaptureFixture[str]) -> None:
    for part in ("ziglang", "unicorn"):
        pytest.importorskip(part, reason=f"measuring needs {part}: pip install 'neuraltree[measure]'")
    arguments = [str(models), "--device", "rp2040", "--precision", precision, "--style", "table", "--measure"]
    assert main(arguments) == 0
    rows = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines() if ".json" in line]
    assert [row[0].strip() for row in rows] == ["000.json", "001.json", "002.json"]
    for row in rows:
        cells = [cell.strip() for cell in row]
        assert len(cells) == 14 + (precision == "int8")
        assert abs(float(cells[4])) < 15
        assert float(cells[3]) > 0
        assert abs(float(cells[7])) < 15
        assert float(cells[11]) >= float(cells[3])  # the slowest of the inputs
        assert cells[-2:] == ["yes", "yes"]
        if precision == "int8":
            assert 0 < float(cells[12]) < float(cells[3])


def test_probabilities_without_figures_are_said_to_be_unknown(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(models), "--device", "rpi-4", "--probabilities"]) == 0
    said = capsys.readouterr()
    assert "probabilities + µs" not in said.out
    assert "what probabilities add is not known: " in said.err


def test_a_core_that_is_not_emulated_is_refused(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(models), "--device", "stm32h743", "--measure"]) == 2
    error = capsys.readouterr().err
    assert "cortex-m7 is not emulated" in error
    assert "cortex-m0plus" in error


@pytest.mark.parametrize(("precision", "style"), [("float32", "table"), ("int8", "straight"), ("int8", "table")])
def test_signs_cost_no_more_than_the_relus_that_stand_for_them(precision: str, style: str) -> None:
    """Within 10 %, but for straight integer code: that of a sign is shorter, so its costs are overrated."""
    for part in ("unicorn", "capstone", "elftools"):
        pytest.importorskip(part, reason=f"measuring needs {part}: pip install 'neuraltree[measure]'")
    device = load_device("cortex-m0plus")
    for tree in with_activation(random_trees(3, seed=6), "sign", seed=0):
        found = measure_tree(tree, device, Code(precision, style, "clang")).costs
        nodes, starts, about = laid_out([tree])
        predicted = costs(nodes, starts, device, precision, style, **about)
        for name in ("latency_s", "flash_bytes"):
            ratio = predicted[name][0] / found[name]
            assert 0.93 < ratio < (1.4 if (precision, style) == ("int8", "straight") else 1.1)
