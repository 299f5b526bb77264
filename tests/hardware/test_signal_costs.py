"""The costs of streaming code: items of sets of features, planted figures summed by hand, and emulated pushes."""

from __future__ import annotations

from dataclasses import replace as changed
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from neuraltree.export.signals.signal_layout import layout_of
from neuraltree.export.signals.state_fields import state_bytes, state_fields
from neuraltree.hardware import load_device
from neuraltree.hardware.measure.cores import MeasureError
from neuraltree.hardware.measure.emulator import SIZE_BITS
from neuraltree.hardware.measure.toolchains import available_compilers
from neuraltree.hardware.model.cost import WORST
from neuraltree.hardware.model.cost_names import LOAD
from neuraltree.hardware.profile.devices import Code, CycleDevice
from neuraltree.hardware.signals.calibration.__main__ import main as calibrate_main
from neuraltree.hardware.signals.calibration.signal_samples import (
    CHANNELS,
    hard_samples,
    model_of,
    random_signal_model,
    usual_samples,
)
from neuraltree.hardware.signals.calibration.traced_calls import calls_of
from neuraltree.hardware.signals.front_costs import FrontCosts, features_used
from neuraltree.hardware.signals.front_items import Items, items_of
from neuraltree.hardware.signals.measured_signal import measure_signal, push_all
from neuraltree.hardware.signals.pushed import Traced
from neuraltree.hardware.signals.signal_figures import (
    SCALED,
    FunctionFigures,
    ScoreFigures,
    SignalFigures,
    SiteFigures,
    figures_for,
    known,
)
from neuraltree.hardware.signals.whole_cost import tree_costs, whole_cost
from neuraltree.signals.features.feature_table import FEATURES
from neuraltree.signals.filters.filter_table import FILTERS
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.parts.part_table import PARTS
from neuraltree.signals.signal_model import reduced
from search.engine.evaluate import Problem
from search.judge.measured_front import measure_front

INT8 = Code("int8", "straight", "clang")
MEASURED = ("cortex-m0plus", "cortex-m4f")
needs_clang = pytest.mark.skipif(
    "cortex-m0plus" not in available_compilers().get("clang", ()), reason="needs the extra measure"
)


@pytest.mark.parametrize("seed", range(12))
def test_features_together_have_the_items_of_their_joint_plan_and_its_state(seed: int) -> None:
    model = reduced(random_signal_model(seed))
    front, classes = model.front_end, len(model.tree.classes or ())
    windows = sorted({one.window for one in front.wanted})
    plan = layout_of(front, range(len(front.features)))
    union: Items = {}
    for i in range(len(front.features)):
        union |= items_of(layout_of(front, [i]), windows)
    assert union == items_of(plan, windows)
    costs = FrontCosts(front, load_device("cortex-m4f"), classes=classes)
    assert costs.figures(range(len(front.features))).state_bytes == state_bytes(
        state_fields(plan, model.events, classes)
    )


def planted() -> SignalFigures:
    """Figures of which no two sums are alike."""
    call = FunctionFigures((3.0,), (4.0,), 10.0)
    return SignalFigures(
        core="cortex-m4f",
        compiler="clang",
        version="",
        command="",
        functions={
            "nt_mean": FunctionFigures((100.0,), (150.0,), 20.0, ("divide",)),
            "nt_max": call,
            "nt_max_int16_t": FunctionFigures((0.0, 7.0), (0.0, 8.0), 24.0),
            "nt_add_int32_t": FunctionFigures((5.0, 2.0), (5.0, 2.0), 16.0),
            "nt_shift_int32_t": FunctionFigures((1.0, 9.0), (1.0, 9.0), 12.0),
            "nt_shift_int16_t": FunctionFigures((1.0, 11.0), (1.0, 11.0), 14.0),
        },
        library={"divide": 200.0},
        sites={
            "model": SiteFigures(1000.0, 2000.0, 3000.0),
            "output": SiteFigures(0.0, 10.0, 1.0),
            "channel": SiteFigures(sample_cycles=6.0),
            "block_sum": SiteFigures(2.0, 0.5, 8.0, 4.0),
            "block_maximum": SiteFigures(4.0),
            "feature": SiteFigures(decision_cycles=13.0),
        },
        scores={"int8": ScoreFigures((40.0, 5.0), (0.0, 6.0)), "float32": ScoreFigures((0.0, 0.0), (0.0, 0.0))},
        frame_bytes=16.0,
        stack_bytes={"mean": 60.0, "max": 30.0},
        worst_margin=1.5,
    )


FRONT = FrontEnd(("a", "b"), 50.0, 32, ("a.mean@64", "a.mean@128", "a.max@64", "b.mean@32"))


def test_planted_figures_sum_as_by_hand() -> None:
    costs = FrontCosts(FRONT, load_device("cortex-m4f"), classes=3, figures=planted())
    found = costs.figures([0, 1])
    # One channel and one ring of four sums; two merges, of 2 and 4 blocks; two means, and the division once.
    assert found.cycles.sample_cycles == 1000 + 6 + 2
    decision = 2000 + 3 * 10 + 40 + 3 * 5 + 0.5 + (1 + 9 * 3) + (5 + 2 * 2) + (5 + 2 * 4) + 2 * (13 + 100)
    assert found.cycles.decision_cycles == decision
    assert found.cycles.worst_decision_cycles == decision + 2 * 50
    assert found.cycles.flash_bytes == 3000 + 3 * 1 + 3 * 6 + 8 + 20 + 200 + 16 + 12
    assert found.state_bytes == 4 * 4 + 2 * 2 + 3 * 2 + 8 + 2  # up to whole words
    assert (found.stack_bytes, found.frame_bytes) == (60 + 4, 16 + 4)


def test_a_window_of_one_hop_merges_nothing_and_moves_nothing() -> None:
    costs = FrontCosts(FRONT, load_device("cortex-m4f"), classes=3, figures=planted())
    found = costs.figures([3])
    assert found.cycles.decision_cycles == 2000 + 3 * 10 + 40 + 3 * 5 + 0.5 + 13 + 100
    both = costs.figures([2, 3])
    assert both.cycles.sample_cycles == 1000 + 2 * 6 + 2 + 4
    assert both.cycles.decision_cycles == found.cycles.decision_cycles + (1 + 11) + 7 * 2 + 13 + 3


def test_costs_of_trees_and_fronts_add_up() -> None:
    device = cast(CycleDevice, load_device("cortex-m4f"))
    costs = FrontCosts(FRONT, device, classes=3, figures=planted())
    tree = {"latency_s": 1e-4, "flash_bytes": 500.0, "ram_bytes": 100.0, "energy_j": 1e-6, WORST: 2e-4}
    columns = {name: np.full(2, value) for name, value in tree.items()}
    found = costs.with_front(columns, [[0, 1], [3]])
    for i, used in enumerate(([0, 1], [3])):
        one, second = costs.figures(used), device.seconds(1, "mid")
        sample, decision, _, worst, *_ = one.cycles
        assert found["latency_s"][i] == pytest.approx(1e-4 + (sample + decision) * second)
        assert found[LOAD][i] == pytest.approx(50 * (sample * second + (decision * second + 1e-4) / 32))
        assert found[WORST][i] == pytest.approx(1.5 * (2e-4 + (sample + worst) * second))
        assert found["ram_bytes"][i] == one.state_bytes + max(100 + one.frame_bytes, one.stack_bytes)
        assert found["flash_bytes"][i] == 500 + one.cycles.flash_bytes
    assert found["energy_j"][0] > found["energy_j"][1] > 1e-6


def test_features_used_are_those_that_leaves_read() -> None:
    model = model_of(("accx.mean@32", "accy.max@32"), 32, np.random.default_rng(0))
    assert features_used([model.tree.nodes]) == [[0, 1]]


def test_a_device_without_figures_is_told_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"device avr has no figures .*choose .*cortex-m4f by clang"):
        figures_for(load_device("avr"), "clang")
    with pytest.raises(ValueError, match="code by gcc-O3"):
        figures_for(load_device("cortex-m4f"), "gcc-O3")
    old = msgspec.structs.replace(planted(), functions={})
    with pytest.raises(ValueError, match="know no function"):
        FrontCosts(FRONT, load_device("cortex-m4f"), figures=old).figures([0])


def test_boards_have_the_figures_of_their_cores_and_others_scaled_ones() -> None:
    own, factor = figures_for(load_device("cortex-m4f"), "clang"), SCALED["cortex-m7"][1]
    assert figures_for(load_device("nrf52840"), "clang") == own
    faster = figures_for(load_device("stm32f746"), "clang")
    assert faster.functions["nt_sd"].cycles[0] == pytest.approx(factor * own.functions["nt_sd"].cycles[0])
    assert faster.functions["nt_sd"].flash_bytes == own.functions["nt_sd"].flash_bytes
    assert {f"{core}_clang.json" for core in MEASURED} <= set(known())


@pytest.mark.parametrize("core", MEASURED)
def test_every_feature_and_filter_has_figures_and_bounds_no_less_than_them(core: str) -> None:
    figures = figures_for(load_device(core), "clang")
    for seed in range(20):
        model = reduced(random_signal_model(seed))
        found = whole_cost(model, load_device(core), INT8)
        assert found.worst_latency_s is not None
        assert found.worst_latency_s > found.latency_s > found.sample_latency_s > 0
    rows = [*FEATURES.values(), *FILTERS.values(), *(part for part in PARTS.values() if part.c)]
    assert {f"nt_{row.name}" for row in rows} <= set(figures.functions)
    assert set(figures.stack_bytes) == set(FEATURES)
    for one in figures.functions.values():
        assert len(one.worst) == len(one.cycles)
        assert min(one.cycles + one.worst) >= 0


def test_calls_of_a_trace_are_nested_and_have_the_cycles_of_what_they_call() -> None:
    """outer calls inner, which jumps to last; then outer goes on, and loops at its start."""
    rows = [(0x100, 8, 5), (0x200, 4, 7), (0x300, 4, 11), (0x108, 8, 13), (0x100, 8, 5), (0x200, 4, 7), (0x300, 4, 11)]
    blocks = np.array([at << SIZE_BITS | size for at, size, _ in rows], dtype=np.uint64)
    trace = Traced(blocks, np.array([cycles for *_, cycles in rows], dtype=np.float64))
    found = calls_of(trace, {"outer": (0x101, 16), "inner": (0x201, 4), "last": (0x301, 4)})
    assert [(one.function, one.caller, one.cycles) for one in found] == [
        *(("outer", "", 59.0), ("inner", "outer", 18.0), ("last", "inner", 11.0)),
        *(("inner", "outer", 18.0), ("last", "inner", 11.0)),
    ]


def test_calibration_says_what_it_cannot_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate_main(["--core", "avr"]) == 2
    assert "not measured on avr; allowed: cortex-m0plus" in capsys.readouterr().err


@needs_clang
@pytest.mark.parametrize("core", MEASURED)
def test_an_emulated_model_costs_what_is_predicted(core: str) -> None:
    device = load_device(core)
    model = model_of(
        ("accx.sd@32", "accy.low:2500.range@32", "acc.norm.mean@64", "gyrox.slope@32"), 32, np.random.default_rng(4)
    )
    predicted, real = whole_cost(model, device, INT8), measure_signal(model, device, INT8, usual_samples(96, 1))
    assert real.agrees
    assert predicted.latency_s == pytest.approx(real.costs["latency_s"], rel=0.1)
    assert predicted.flash_bytes == pytest.approx(real.costs["flash_bytes"], rel=0.1)
    assert predicted.ram_bytes == pytest.approx(real.costs["ram_bytes"], rel=0.1)
    assert real.costs["latency_s"] <= cast(float, predicted.worst_latency_s)


@needs_clang
def test_a_front_of_recordings_is_measured_as_a_whole() -> None:
    model = model_of(("accx.mean@16", "accy.max@16"), 16, np.random.default_rng(2))
    device = load_device("rp2040")
    about: dict[str, Any] = {"device": device, "code": INT8, "fronts": {1: FrontCosts(model.front_end, device)}}
    said: list[str] = []
    models = [(model.tree, INT8, 1), (changed(model.tree, features=("x", "y")), INT8, 1)]
    found = measure_front(cast(Problem, SimpleNamespace(**about)), models, said.append, lambda: False)
    whole, alone = whole_cost(model, device, INT8), tree_costs(model.tree, device, INT8)
    assert found["flash_bytes"][0] == pytest.approx(whole.flash_bytes, rel=0.1)
    assert found["latency_s"][0] > alone["latency_s"]
    assert np.isnan(found["latency_s"][1])
    assert "could not be measured" in said[-1]


def test_what_is_not_emulated_cannot_be_measured() -> None:
    model = model_of(("accx.mean@16",), 16, np.random.default_rng(2))
    with pytest.raises(MeasureError, match="allowed: cortex-m0plus"):
        measure_signal(model, load_device("stm32f746"), INT8)
    with pytest.raises(MeasureError, match="runs no code that is emulated"):
        measure_signal(model, load_device("rpi-4"), INT8)


@needs_clang
@pytest.mark.rare
@pytest.mark.parametrize("core", MEASURED)
def test_no_push_takes_longer_than_its_bound(core: str) -> None:
    device = cast(CycleDevice, load_device(core))
    names = ("accx.sd@64", "accy.crest@64", "acc.norm.rms@32", "accx~accy.correlation@64", "gyrox.mobility@32")
    model = model_of(names, 32, np.random.default_rng(3))
    bound = cast(float, whole_cost(model, device, INT8).worst_latency_s)
    made = np.concatenate([usual_samples(10_000, 7), hard_samples(10_000, 7)])
    found, _ = push_all(model, core, "clang", INT8, made)
    assert found.cycles.shape == (20_000,)
    assert device.seconds(float(found.cycles.max()), "mid") <= bound
    assert len(CHANNELS) == made.shape[1]
