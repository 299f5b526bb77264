"""Calibration: the fit finds what was planted, the command refuses what it cannot do before it works."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.hardware.calibrate.__main__ import main
from neuraltree.hardware.calibrate.calibration_trees import random_trees, with_types
from neuraltree.hardware.calibrate.fit import apply, fit_terms, residual, residual_of_bound, terms_of
from neuraltree.hardware.calibrate.measured_samples import Sample
from neuraltree.hardware.calibrate.one_kind import residuals, with_activation, with_kind
from neuraltree.hardware.calibrate.ram_bound import fit_bound
from neuraltree.hardware.model.cost import counted, laid_out
from neuraltree.hardware.model.linear_model import TERMS, coefficients, design
from neuraltree.hardware.profile import places
from neuraltree.hardware.profile.load import load_device
from neuraltree.hardware.profile.profile_schema import Entry

profile = importlib.import_module("neuraltree.hardware.calibrate.profile_file")


def designs(count: int, once: bool) -> np.ndarray:
    rows = []
    for tree, inputs in with_types(random_trees(count, 7), 7):
        nodes, starts, about = laid_out([tree], inputs)
        kind = about.pop("kind")
        rows.append(design(counted(nodes, starts, "float32", **about), kind, once=once)[0])
    return np.stack(rows)


@pytest.mark.parametrize("cost", ["cycles", "flash"])
def test_the_fit_predicts_what_was_planted(cost: str) -> None:
    rows = designs(150, once=cost != "cycles")
    planted = np.random.default_rng(0).uniform(1, 50, len(TERMS)) * np.isin(TERMS, terms_of(cost))
    measured = rows @ planted
    found = fit_terms(rows, measured, cost)
    assert set(found) == set(terms_of(cost))
    assert min(found.values()) >= 0
    assert min(found[name] for name in ("regression", "binary", "multiclass")) == 0
    np.testing.assert_allclose(apply(rows, found), measured, rtol=0.01)


def by_hand(once: np.ndarray, terms: dict, frames: dict, least: dict) -> np.ndarray:
    """The oracle of a bound on RAM: its formula, tree by tree."""
    rows = [dict(zip(TERMS, row, strict=True)) for row in once.tolist()]
    return np.array(
        [
            max(
                sum(figure * row[name] for name, figure in terms.items())
                + max(frames.get(name, 0.0) * row[name] for name in NAMES),
                *(figure * row[task] for task, figure in least.items()),
            )
            for row in rows
        ]
    )


def test_the_bound_on_ram_is_above_what_was_planted_and_near_it() -> None:
    """A sum, the largest of the called functions, never below the smallest tree; the compiler adds a word to some."""
    once, rng = designs(260, once=True), np.random.default_rng(0)
    terms = {"const": 20.0, "live_value": 8.0, "output": 4.0, "far_input": 4.0}
    planted = by_hand(once, terms, {"sigmoid": 48.0, "sine": 32.0, "tanh": 40.0}, {"multiclass": 60.0, "binary": 44.0})
    measured = planted + 4 * rng.integers(0, 2, len(planted))
    fitted, judged = slice(0, 180), slice(180, None)
    found = fit_bound(once[fitted], measured[fitted])
    assert found.margin >= 4
    assert min([*found.terms.values(), *found.frames.values(), *found.least.values()]) >= 0
    np.testing.assert_allclose(found.of(once), by_hand(once, found.terms, found.frames, found.least))
    assert (found.of(once)[fitted] >= measured[fitted]).all()
    assert np.mean(found.of(once)[judged] < measured[judged]) <= 0.025
    assert np.mean(found.of(once)[judged] <= np.maximum(1.25 * measured, measured + 16)[judged]) >= 0.95
    sums = np.linalg.lstsq(once, planted, rcond=None)[0]  # no sum of terms has the form of the planted RAM
    assert np.abs(once @ sums - planted).max() > 4


def test_the_residual_of_a_bound_by_hand() -> None:
    found = residual_of_bound(
        np.array([100.0, 99.0, 116.0, 120.0, 501.0]), np.array([100.0, 100.0, 100.0, 96.0, 400.0])
    )
    assert (found.below_percent, found.near_percent, found.trees) == (20.0, 80.0, 5)


def test_residuals_by_hand() -> None:
    found = residual(np.array([103.0, 92.0, 280.0, 436.0]), np.array([100.0, 100.0, 200.0, 400.0]))
    assert (found.within_5_percent, found.within_10_percent, found.worst_percent) == (25.0, 75.0, pytest.approx(40.0))
    assert found.rmspe_percent == pytest.approx(np.sqrt((9 + 64 + 1600 + 81) / 4))
    # Six pairs, of which one is tied in what was measured; the other five agree.
    assert found.kendall == pytest.approx(5 / np.sqrt(5 * 6))
    assert found.trees == 4


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    return error


def need_compiler() -> None:
    for part in ("ziglang", "unicorn"):
        pytest.importorskip(part, reason=f"calibrating needs {part}: pip install 'neuraltree[measure]'")


def test_what_cannot_be_calibrated_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_compiler()
    monkeypatch.setattr(profile, "_entries", lambda *_: pytest.fail("it began to work"))
    assert "not emulated" in refused(capsys, "--device", "stm32f746")
    assert "unknown device" in refused(capsys, "--device", "pdp11")
    assert "40 trees or more" in refused(capsys, "--device", "cortex-m4f", "--trees", 5)
    assert "in an existing folder" in refused(capsys, "--device", "rp2040", "--out", tmp_path / "no" / "x.toml")
    assert "ending in .toml" in refused(capsys, "--device", "rp2040", "--out", tmp_path / "x.json")
    mine = tmp_path / "mine.toml"
    mine.write_text('extends = "cortex-m4f"\n')
    assert "has the core cortex-m4f" in refused(capsys, "--device", "rp2040", "--out", mine)


def test_all_builds_are_those_that_can_be_measured_here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_compiler()
    monkeypatch.setattr(profile, "available_compilers", lambda: {"clang": ("cortex-m3",), "clang-Os": ("cortex-m4f",)})

    def begun(core: str, builds: list[str], trees: int) -> list[object]:
        raise ValueError(f"{core} by {builds}")

    monkeypatch.setattr(profile, "_entries", begun)
    assert "cortex-m4f by ['clang-Os']" in refused(capsys, "--device", "cortex-m4f", "--compiler", "all")
    assert "cortex-m3 by ['clang']" in refused(capsys, "--device", "cortex-m3", "--compiler", "clang")


@pytest.mark.rare
def test_a_profile_from_measured_trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few trees, none of them trained; what the profile had for another compiler stays."""
    need_compiler()
    monkeypatch.setattr(profile, "trained_trees", lambda count, seed: random_trees(count, seed + 50))
    board = tmp_path / "board.toml"
    board.write_text('extends = "stm32f407"\ntitle = "Mine"\n')
    out = tmp_path / "new.toml"
    said = profile.calibrate(str(board), "clang", 24, out)
    assert said.startswith(f"{out}: 4 entries by clang")
    device = load_device(str(out))
    assert (device.title, device.core) == ("Mine", "cortex-m4f")
    entry = device.entry("int8", "table", "clang")
    assert entry.residuals.cycles.trees == 12 + 6, "every second tree has integers, too"
    assert entry.cycles.feature_int16.lo < entry.cycles.feature.lo / 2
    assert entry.flash.float_inputs.lo > 50, "the conversion of floats"
    assert entry.residuals.cycles.rmspe_percent < 25
    assert entry.compiler_version.startswith("clang")
    for code in device.rows:
        if code[2] == "clang":
            mine = device.entry(*code)
            assert mine.worst_cycles.const.lo >= 0
            assert mine.residuals.worst_cycles.trees == mine.residuals.cycles.trees
            assert 0 <= mine.residuals.ram.below_percent <= 100
            assert "margin of" in mine.ram.source
    assert device.entry("int8", "table", "gcc") == load_device("cortex-m4f").entry("int8", "table", "gcc")
    assert {path.name for path in tmp_path.iterdir()} == {"board.toml", "new.toml"}


@pytest.mark.parametrize("style", ["straight", "table"])
def test_one_activation_gets_figures_and_all_others_keep_theirs(style: str) -> None:
    """Planted: 40-50 cycles a node, 60 instructions a node, 70 bytes of flash once and 3 a node, 5 of RAM."""
    path = Path(places.__file__).parent / "data" / "cortex-m4f.toml"
    old = next(row for row in tomllib.loads(path.read_text("utf-8"))["entries"] if row["style"] == style)
    trees = with_activation(random_trees(30, 7), "sine", 0)
    hidden = np.concatenate([tree.nodes["op"][(tree.nodes["op"] < 0) & (tree.nodes["depth"] > 0)] for tree in trees])
    assert 0.4 < np.mean(hidden == ~NAMES.index("sine")) < 0.7
    ends = [coefficients(msgspec.convert(old, Entry), end) for end in ("lo", "hi")]
    place, samples = TERMS.index("sine"), []
    for row in ends:
        row["instructions"][place], row["flash"][place], row["ram"][place] = 60, 70, 5
        row["flash"][TERMS.index("sine_node")] = 3
    ends[0]["cycles"][place], ends[1]["cycles"][place] = 40, 50
    for tree in trees:
        counts = counted(tree.nodes, np.array([0, len(tree.nodes)]), "float32")
        each, once = (design(counts, tree.kind, once=once)[0] for once in (False, True))
        lo, hi = (float(each @ row["cycles"]) for row in ends)
        rest = (float(each @ ends[0]["instructions"]), float(once @ ends[0]["flash"]), float(once @ ends[0]["ram"]))
        measured = dict(zip(("instructions", "flash_bytes", "ram_bytes"), rest, strict=True))
        spread = {"lo": lo, "hi": hi, "": (lo + hi) / 2}
        cycles = {f"{block}_{end}".rstrip("_"): v for block in ("cycles", "worst_cycles") for end, v in spread.items()}
        samples.append(Sample(each, once, SimpleNamespace(**cycles, **measured)))
    new = with_kind(old, "sine", samples)
    assert residuals(new, samples)["cycles"].worst_percent < 0.1
    assert residuals(new, samples)["ram"].below_percent == 0
    figures = {block: new[block]["kinds"].pop("sine") for block in ("instructions", "cycles", "flash")}
    figures["ram"] = new["ram"]["frames"].pop("sine")
    assert [figures["cycles"][end] for end in ("lo", "hi")] == pytest.approx([40, 50], rel=1e-3)
    assert [figures[block]["lo"] for block in ("instructions", "flash", "ram")] == pytest.approx([60, 70, 5], rel=1e-3)
    assert "30 compiled and emulated trees" in figures["cycles"]["source"]
    assert new["flash"]["nodes"].pop("sine")["lo"] == pytest.approx(3, rel=1e-3)
    new["worst_cycles"]["kinds"].pop("sine")
    for block in ("instructions", "cycles", "worst_cycles", "flash", "ram"):
        for part in ("kinds", "frames", "nodes"):
            old[block].get(part, {}).pop("sine", None)
    assert new == {**old, "ram": {key: value for key, value in old["ram"].items() if value}}


def test_an_activation_cannot_be_fitted_to_a_profile_without_entries(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    need_compiler()
    monkeypatch.setattr(profile, "_samples", lambda *_: pytest.fail("it began to work"))
    arguments = ("--device", "rp2040", "--out", tmp_path / "x.toml")
    assert "no entries of its own by clang" in refused(capsys, *arguments, "--activation", "relu")
    assert "unknown activation 'swish'" in refused(capsys, *arguments, "--activation", "swish")
