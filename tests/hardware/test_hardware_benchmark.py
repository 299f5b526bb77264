"""The validation report of the cost model: it runs, its figures are right by hand, and its checks can fail."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.hardware.bounds import largest_sums
from benchmarks.hardware.correctness import INPUTS, Model, available, compare, odd_inputs
from benchmarks.hardware.figures import GATES, errors, judge
from benchmarks.hardware.predicted_samples import COSTS, fit_baseline
from neuraltree.compress.int8.integer_tree import quantize_tree
from neuraltree.hardware.calibrate.calibration_trees import random_trees
from neuraltree.tree.tree import Tree

NEEDED = ("ziglang", "unicorn", "capstone", "elftools")
MISSING = [name for name in NEEDED if find_spec(name) is None]
ROOT = Path(__file__).parents[2]
ERRORS = {"rmspe_percent", "within_5_percent", "within_10_percent", "worst_percent", "spearman", "kendall"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a quick run, as a user starts it."""
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    out = tmp_path_factory.mktemp("report")
    options = ("--quick", "--core", "cortex-m4f", "--compiler", "clang", "--out", str(out))
    command = [sys.executable, "-m", "benchmarks.hardware_model", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "float32 straight: cycles within 10 %" in done.stdout
    return out


@pytest.mark.rare
def test_a_quick_run_has_every_figure(written: Path) -> None:
    report = json.loads((written / "hardware_model.json").read_text())
    codes = {(row["precision"], row["style"]) for row in report["cases"]}
    assert codes == {(precision, style) for precision in ("float32", "int8") for style in ("straight", "table")}
    assert {row["set"] for row in report["cases"]} == {"random", "trained", "held_out", "fronts"}
    for row in report["cases"]:
        assert row["agrees"] == row["trees"]
        for cost in COSTS:
            of_bound = {"kept_percent", "near_percent"} if cost == "ram_bytes" else set()
            assert {name: set(found) - of_bound for name, found in row[cost].items()} == dict.fromkeys(
                ("model", "weights", "macs"), ERRORS
            )
            assert of_bound <= set(row[cost]["model"])
    assert report["seconds_a_model"]["median"] > 0
    assert {row["gate"] for row in report["gates"]} == {gate.title for gate in GATES}
    assert set(report["compilers"]) == {"clang"}
    assert {"numpy", "ziglang"} <= set(report["versions"])


@pytest.mark.rare
def test_a_quick_run_finds_exported_c_right(written: Path) -> None:
    rows = json.loads((written / "hardware_model.json").read_text())["correctness"]
    if not available():
        assert rows == []
        pytest.skip("no gcc with sanitizers")
    assert len(rows) == 4
    for row in rows:
        assert row["inputs"] == INPUTS * row["trees"]
        assert row["mismatches"] == row["sanitizer_reports"] == 0
        assert row["compared"] > 0.8 * row["inputs"]


@pytest.mark.rare
def test_a_quick_run_writes_tables_and_a_plot(written: Path) -> None:
    text = (written / "hardware_model.md").read_text()
    for title in ("## Gates", "## Cycles, held-out trees", "## Flash, members of trained fronts"):
        assert title in text
    for line in text.splitlines():  # every row of a table is as wide as its head
        if line.startswith("|"):
            assert line.count("|") in (7, 8, 17)
    assert (written / "hardware_model.png").read_bytes().startswith(b"\x89PNG")


def test_errors_by_hand() -> None:
    """Off by 9, 4, 0 and 20 %."""
    found = errors(np.array([109.0, 192.0, 300.0, 480.0]), np.array([100.0, 200.0, 300.0, 400.0]))
    expected = {"within_5_percent": 50, "within_10_percent": 75, "worst_percent": 20, "spearman": 1, "kendall": 1}
    assert found == pytest.approx({**expected, "rmspe_percent": 11.1467}, abs=1e-4)
    swapped = errors(np.array([1.0, 3.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0, 4.0]))
    assert (swapped["spearman"], swapped["kendall"]) == pytest.approx((0.8, 0.6667), abs=1e-4)
    assert errors(np.ones(3), np.array([1.0, 2.0, 3.0]))["kendall"] is None


def test_a_baseline_is_the_line_through_its_points() -> None:
    size = np.array([1.0, 5.0, 20.0])
    assert fit_baseline(size, 7 + 3 * size) == pytest.approx((7, 3))
    # One tree of 1 and one of 2 that both cost 10: no slope below 0 is allowed, and none above helps.
    assert fit_baseline(np.array([1.0, 2.0]), np.array([10.0, 10.0])) == pytest.approx((10, 0), abs=1e-9)


def row_of(precision: str, style: str, within: float, kendall: float) -> dict[str, Any]:
    model = {"within_10_percent": within, "kendall": kendall, "kept_percent": 100, "near_percent": within}
    costs = {cost: {"model": model} for cost in COSTS}
    return {
        "core": "cortex-m4f",
        "compiler": "clang",
        "precision": precision,
        "style": style,
        "set": "held_out",
        **costs,
    }


def test_gates_name_the_cases_that_miss() -> None:
    found = {row["gate"]: row for row in judge([row_of("int8", "straight", 86, 0.93), row_of("int8", "table", 100, 1)])}
    assert found["int8 straight, Cortex-M4F: cycles within 10 %"]["met"]
    missed = found["int8 straight, Cortex-M4F: Kendall"]
    assert not missed["met"]
    assert missed["missed"] == {"cortex-m4f clang int8 straight": 0.93}
    flash = found["flash within 10 %"]
    assert (flash["cases"], flash["least"], flash["met"]) == (2, 86, False)
    assert "float32 straight: cycles within 10 %" not in found
    assert found["RAM not above its bound"]["met"]
    assert not found["RAM at most 25 % or 16 B below its bound"]["met"]


def right(model: Model) -> np.ndarray:
    """What a program writes that makes no mistake."""
    found = np.zeros(INPUTS, model.record)
    with np.errstate(all="ignore"):
        if model.integers:
            tree = quantize_tree(model.tree)
            q = tree.quantize(model.X)
            found["q"][:, : q.shape[1]], found["score"] = q, tree.predict_q(q)
            found["value"] = found["score"] if model.classes else tree.predict(model.X)
        else:
            X = np.nan_to_num(model.X.astype(np.float64))
            found["value"] = model.tree.predict(X)  # the classes are 0, 1, ...
    if model.classes:
        found["p"][:, 0] = 1
    return found


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("tree", random_trees(3, seed=9), ids=lambda tree: tree.kind)
def test_a_wrong_output_is_found(tree: Tree, precision: str) -> None:
    model = Model("m", tree, precision, "straight", 0)
    found = right(model)
    assert compare(model, found).mismatches == 0
    found["value"][-1] += 1  # of a usual input
    assert compare(model, found).mismatches == 1
    assert compare(model, found[:-1]).mismatches == INPUTS


def test_inputs_have_extremes_denormals_and_nan() -> None:
    X = odd_inputs(random_trees(1, seed=9)[0], INPUTS, 0)
    assert X.dtype == np.float32
    largest, least = np.finfo(np.float32).max, np.float32(1e-45)
    for value in (0.0, least, -least, largest, -largest, np.inf, -np.inf):
        assert (value == X).all(axis=1).any()
    assert np.isnan(X).all(axis=1).any()
    assert np.isfinite(X).all(axis=1).mean() > 0.85


def test_largest_sums_by_hand() -> None:
    tree = random_trees(1, seed=9)[0]
    nodes = np.zeros(3, tree.nodes.dtype)
    nodes["depth"], nodes["op"] = [0, 1, 1], [tree.nodes["op"][0], 0, 1]
    nodes["weight"][:, 0], nodes["bias"][0, 0] = [0, 2, -3], 0.5
    np.testing.assert_allclose(largest_sums(nodes, np.array([[1.0, 2.0], [0.0, 0.0]])), [8.5, 0.5])
