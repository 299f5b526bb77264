"""The costs of code in formats of fewer than 8 bits: counted by hand, fitted to planted figures, and measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from neuraltree.compress import quantize_tree
from neuraltree.compress.formats import NARROW, PRECISIONS
from neuraltree.compress.narrow.narrow_edges import narrow_edges
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS
from neuraltree.export.__main__ import main as export_main
from neuraltree.hardware import breakdown, costs, load_device
from neuraltree.hardware.__main__ import main as hardware_main
from neuraltree.hardware.calibrate.calibration_trees import random_trees
from neuraltree.hardware.calibrate.narrow_fit import NarrowSample, narrow_residuals, wide_trees, with_narrow
from neuraltree.hardware.measure.toolchains import available_compilers
from neuraltree.hardware.measured_models import ModelMeasurement, measure_model
from neuraltree.hardware.model.cost import NARROW_TERM, costs_of_counts, counted, laid_out
from neuraltree.hardware.profile.devices import CycleDevice
from neuraltree.tree.model_files import save
from neuraltree.tree.nodes import join
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import random_model

WITHOUT = "has no figures for formats below 8 bits, as int4, in"
CORES = ("cortex-m0plus", "cortex-m4f")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    save(random_model(11), tmp_path / "m.json")
    return tmp_path / "m.json"


def test_narrow_formats_are_formats_of_weights() -> None:
    assert set(NARROW) < set(WEIGHT_FORMATS)
    assert all(name == row.weights for name, row in NARROW.items())
    assert PRECISIONS == ("float32", "int8")


@pytest.mark.parametrize("precision", NARROW)
def test_edges_are_counted_as_the_integers_have_them(precision: str) -> None:
    made = [quantize_tree(tree, weights=precision) for tree in [*random_trees(6, 3), *wide_trees(6, 3)]]
    nodes, starts = join([tree.nodes for tree in made])
    found = narrow_edges(nodes, starts, np.concatenate([tree.numbers.weight for tree in made]))
    for i, tree in enumerate(made):
        weights = [abs(w) for w, d in zip(tree.numbers.weight.tolist(), tree.nodes["depth"], strict=True) if d]
        assert found.unit_weights[i] == weights.count(1)
        assert found.power_weights[i] == sum(weights.count(power) for power in (2, 4, 8, 16, 32, 64))
        if not found.packed[i]:
            assert [int(part[i]) for part in found[3:]] == [0] * 5


@pytest.mark.parametrize("precision", ["int4", "ternary"])
def test_straight_code_saves_what_the_profile_says(precision: str) -> None:
    device = load_device("cortex-m0plus")
    assert isinstance(device, CycleDevice)
    nodes, starts, about = laid_out(random_trees(9, 5)[::3])
    kind = about.pop("kind")
    counts = counted(nodes, starts, precision, **about)
    figures = device.entry(precision, "straight", "gcc").narrow
    assert figures is not None
    assert counts.narrow is not None
    found = costs(nodes, starts, device, precision, "straight", "gcc", kind=kind, **about)
    plain = costs_of_counts(replace(counts, narrow=None), device, "int8", "straight", "gcc", kind=kind)
    for name, rows, unit in (
        ("latency_s", figures.cycles, device.seconds(1, "mid")),
        ("flash_bytes", figures.flash, 1),
    ):
        saved = counts.narrow.unit_weights * rows.unit_weights.at("mid")
        saved = saved + counts.narrow.power_weights * rows.power_weights.at("mid")
        assert saved.min() > 0
        np.testing.assert_allclose(found[name], plain[name] - saved * unit, atol=1.01 * (unit == 1))
    assert found["latency_s"].tolist() <= found["worst_latency_s"].tolist()
    terms = breakdown(nodes, starts, device, precision, "straight", "gcc", kind=kind, **about)["latency_s"]
    assert terms[NARROW_TERM].max() < 0
    np.testing.assert_allclose(sum(terms.values()), found["latency_s"])


@pytest.mark.parametrize("style", ["straight", "table"])
def test_planted_figures_are_found(style: str) -> None:
    entry = load_device("cortex-m0plus").entry("int8", style, "gcc")  # type: ignore[attr-defined]
    raw = msgspec.to_builtins(entry) | {"narrow": None, "residuals": {}}
    trees = [*random_trees(12, 1), *wide_trees(24, 1)]
    samples = [planted(tree, tuple(NARROW)[i % 6], style) for i, tree in enumerate(trees)]
    made = with_narrow({key: value for key, value in raw.items() if value is not None}, samples, samples)
    wanted = {
        "straight": ({"unit_weights": 3.0, "power_weights": 1.0}, {"unit_weights": 6.0, "power_weights": 2.0}),
        "table": (
            {"packed_edges": 9.0, "wide_edges": 4.0, "mixed_edges": 5.0, "packed_bytes": 7.0},
            {"packed": 80.0},
        ),
    }[style]
    for block, figures in zip(("cycles", "flash"), wanted, strict=True):
        assert {name: row["lo"] for name, row in made["narrow"][block].items()} == pytest.approx(figures, rel=0.02)
    assert all(
        found.within_5_percent == 100 for name, found in narrow_residuals(made, samples).items() if name != "ram"
    )


def planted(tree: Tree, precision: str, style: str) -> NarrowSample:
    """A tree whose measurement is what int8 code with as many edges costs, and planted figures."""
    device = load_device("cortex-m0plus")
    nodes, starts, about = laid_out([tree])
    kind = about.pop("kind")
    counts = counted(nodes, starts, precision, **about)
    base = costs_of_counts(replace(counts, narrow=None), device, "int8", style, "gcc", kind=kind)
    entry = device.entry("int8", style, "gcc")  # type: ignore[attr-defined]
    edges = counts.narrow
    assert edges is not None
    cycles = base["latency_s"][0] / device.seconds(1, "mid")  # type: ignore[attr-defined]
    flash = base["flash_bytes"][0]
    if style == "straight":
        cycles -= 3 * edges.unit_weights[0] + edges.power_weights[0]
        flash -= 6 * edges.unit_weights[0] + 2 * edges.power_weights[0]
    elif edges.packed[0]:
        fillers = edges.packed_edges[0] - counts.leaf_edges[0]
        cycles += 9 * edges.packed_edges[0] + 4 * edges.wide_edges[0] + 5 * edges.mixed_edges[0]
        cycles += 7 * edges.packed_bytes[0] + fillers * entry.cycles.leaf_edge.lo
        spilled = entry.flash.spilled_edge.lo * (counts.inner_nodes[0] > 0)
        flash += 80 + edges.data_bytes[0] - counts.leaf_edges[0] * (entry.flash.leaf_edge.lo + spilled)
    ends = (cycles, cycles, cycles, cycles)
    return NarrowSample(counts, kind, ModelMeasurement(None, *ends, int(flash), int(base["ram_bytes"][0]), True, "gcc"))


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("style", ["straight", "table"])
def test_predictions_are_near_what_an_emulated_core_takes(core: str, style: str) -> None:
    if core not in available_compilers().get("gcc", ()):
        pytest.skip("gcc for Arm is not installed")
    device = load_device(core)
    for i, tree in enumerate([*random_trees(3, 7), *(wide_trees(4, 7) if style == "table" else ())]):
        precision = tuple(NARROW)[i % len(NARROW)]
        nodes, starts, about = laid_out([tree])
        found = costs(nodes, starts, device, precision, style, "gcc", **about)
        measured = measure_model(tree, core, "gcc", precision=precision, style=style)
        assert measured.agrees
        assert found["latency_s"][0] == pytest.approx(device.seconds(measured.cycles, "mid"), rel=0.13)  # type: ignore[attr-defined]
        assert found["flash_bytes"][0] == pytest.approx(measured.flash_bytes, rel=0.13)
        assert found["ram_bytes"][0] >= measured.ram_bytes


def test_costs_without_figures_are_refused() -> None:
    nodes, device = random_model(11).nodes, load_device("cortex-m0plus")
    assert isinstance(device, CycleDevice)
    bare = [msgspec.structs.replace(row, narrow=None) for row in device.entries]
    has = "it has them for straight by gcc"
    some = [
        row if (row.style, row.compiler) == ("straight", "gcc") else other
        for row, other in zip(device.entries, bare, strict=True)
    ]
    for entries, words in ((bare, "it has none of them: take int8"), (some, has)):
        made = msgspec.structs.replace(device, entries=tuple(entries))
        with pytest.raises(ValueError, match=f"cortex-m0plus {WITHOUT} table by gcc; {words}"):
            costs(nodes, np.array([0, len(nodes)]), made, "int4", "table", "gcc")


@pytest.mark.parametrize("style", ["table", "auto"])
def test_the_command_shows_costs(model: Path, style: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(model), "--device", "rp2040", "--precision", "int4", "--style", style, "--breakdown"]
    assert hardware_main(given) == 0
    assert "int4" in capsys.readouterr().out


def test_the_command_refuses_a_device_without_figures(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hardware_main([str(model), "--device", "jetson-nano", "--precision", "int4"]) == 2
    assert "device jetson-nano has no figures for int4 straight by clang; it has: " in capsys.readouterr().err


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
