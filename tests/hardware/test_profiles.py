"""Profiles: every one loads and is sourced, they extend each other, wrong ones are refused, and they hold the
published figures of silicon."""

import subprocess
import sys
from copy import deepcopy
from functools import cache
from math import prod
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from msgspec.structs import replace

from neuraltree.activations import NAMES
from neuraltree.compress.builds import BUILDS, BuildName
from neuraltree.hardware import (
    CycleDevice,
    FormulaDevice,
    ProfileError,
    UnsupportedDevice,
    costs_of_counts,
    count,
    device_names,
)
from neuraltree.hardware import load_device as load
from neuraltree.hardware.profile import places
from neuraltree.hardware.profile.inherit import merge, resolve
from neuraltree.hardware.profile.load import certainties
from neuraltree.hardware.profile.places import ALIASES, find
from neuraltree.hardware.profile.profile_toml import profile_text
from neuraltree.tree.nodes import join
from tests.hardware.test_cost import COMPUTER, MINE, block, entry
from tests.hardware.test_counts import random_tree, record

load_device = cache(load)
CORES = ["avr", "cortex-m0plus", "cortex-m3", "cortex-m33", "cortex-m4f", "cortex-m7", "rv32imc", "xtensa-lx6"]
CORES += ["xtensa-lx7"]
# Core, MHz, KiB of SRAM and of flash, as published.
BOARDS = {
    "atmega328p": ("avr", 16, 2, 32),
    "rp2040": ("cortex-m0plus", 133, 264, 2048),
    "stm32g0b1": ("cortex-m0plus", 64, 144, 512),
    "stm32f407": ("cortex-m4f", 168, 192, 1024),
    "stm32l4r5": ("cortex-m4f", 120, 640, 2048),
    "nrf52840": ("cortex-m4f", 64, 256, 1024),
    "stm32u575": ("cortex-m33", 160, 786, 2048),
    "stm32f746": ("cortex-m7", 216, 320, 1024),
    "stm32h743": ("cortex-m7", 480, 1024, 2048),
    "esp32": ("xtensa-lx6", 240, 520, 4096),
    "esp32-s3": ("xtensa-lx7", 240, 512, 4096),
    "esp32-c3": ("rv32imc", 160, 400, 4096),
}
PROCESSORS = ["desktop", "h100", "h200", "jetson-nano", "jetson-orin-nano", "rpi-4", "rpi-5", "rpi-zero-2w"]
UNSUPPORTED = ["apple-ane", "coral-edgetpu", "fpga", "hexagon"]


def test_the_devices_there_are():
    assert device_names() == sorted([*CORES, *BOARDS, *PROCESSORS, *UNSUPPORTED])
    kinds = {name: load_device(name).kind for name in device_names()}
    assert [name for name in kinds if kinds[name] == "core"] == CORES
    assert [name for name in kinds if kinds[name] == "board"] == sorted(BOARDS)


@pytest.mark.parametrize("name", device_names())
def test_a_profile_is_named_after_its_file_and_sourced(name):
    device = load_device(name)
    assert device.name == name
    assert isinstance(device, CycleDevice | FormulaDevice | UnsupportedDevice)
    assert bool(device.rows) == bool(certainties(device)) == (name not in UNSUPPORTED)
    assert {precision for precision, *_ in device.rows} <= {"float32", "int8"}
    if device.kind == "core":
        assert device.core == name


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_is_its_core_at_its_clock(name):
    core, mhz, sram, flash = BOARDS[name]
    device = load_device(name)
    assert (device.core, device.clock.value) == (core, mhz)
    assert (device.sram_bytes.value, device.flash_bytes.value) == (1024 * sram, 1024 * flash)
    assert device.entries == load_device(core).entries


def test_names_and_aliases():
    for alias, name in ALIASES.items():
        assert load_device(alias) is not None
        assert load(alias) == load_device(name)
        assert alias not in device_names()
    assert load("STM32F407").name == "stm32f407"
    assert load("Cortex_M4F").name == "cortex-m4f"


def test_an_unknown_device_lists_the_names():
    with pytest.raises(ValueError, match=r"unknown device .cortex-m99.; allowed: apple-ane, at.* ending in"):
        load("cortex-m99")


# One profile extends another.


@pytest.fixture
def file(tmp_path):
    def write(content, name="mine.toml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else profile_text(content))
        return path

    return write


CLOCK = '[clock]\nvalue = 84\nunit = "MHz"\ncertainty = "D"\nsource = "its datasheet"\n'


def test_a_file_that_extends_a_board(file):
    device, base = load(file('extends = "stm32f407"\n' + CLOCK, "my-board.toml")), load_device("stm32f407")
    assert (device.name, device.title, device.clock.value) == ("my-board", base.title, 84)
    assert device.entries == base.entries
    counts = count(*join([record(random_tree(np.random.default_rng(0)))]))
    mine, its = (costs_of_counts(counts, each, "float32", "straight") for each in (device, base))
    assert mine["latency_s"][0] == pytest.approx(2 * its["latency_s"][0])
    assert mine["flash_bytes"] == its["flash_bytes"]


def test_chains_and_paths_count_from_the_file(file):
    file('extends = "sub/b.toml"\ntitle = "A"', "a.toml")
    file('extends = "../c.toml"\n' + CLOCK, "sub/b.toml")
    path = file('extends = "cortex-m3"\ntitle = "C"', "c.toml").with_name("a.toml")
    device = load(path)
    assert (device.name, device.title, device.clock.value, device.core) == ("a", "A", 84, "cortex-m3")


def test_entries_are_matched_by_precision_style_and_compiler(file):
    file(MINE | {"entries": [entry("float32"), entry("int8")]}, "base.toml")
    own = {**entry("int8"), "cycles": {"const": {"lo": 77}}, "flash": {}, "ram": {}}
    device = load(file({"extends": "base.toml", "entries": [own, entry("int8", "table")]}))
    rows = [("float32", "straight", "gcc"), ("int8", "straight", "gcc"), ("int8", "table", "gcc")]
    assert device.rows == rows
    base = load(find("base.toml", file("", "x.toml").parent).label)
    assert device.entries[0] == base.entries[0]
    assert device.entries[1].cycles.const.lo == 77
    assert device.entries[1].cycles.node == base.entries[1].cycles.node
    assert device.entries[1].flash == base.entries[1].flash


def test_a_number_is_replaced_with_its_source():
    base = {"energy": block("pJ/cycle", value=(1, 2)), "a": {"x": {"lo": 1, "hi": 5}, "y": 1}}
    own = {"energy": {"value": {"lo": 3}}, "a": {"x": {"lo": 2}}}
    assert merge(base, own) == {"energy": {"value": {"lo": 3}}, "a": {"x": {"lo": 2}, "y": 1}}
    assert base["a"]["x"] == {"lo": 1, "hi": 5}


def test_loading_leaves_the_packaged_tables_as_they_are():
    before = deepcopy(places._packaged("cortex-m4f"))
    for name in ("cortex-m4f", "cortex-m7", "stm32f407"):
        load(name)
    assert places._packaged("cortex-m4f") == before


def test_scaled_entries(file):
    figure = {"lo": 2, "hi": 3, "certainty": "M", "source": "a timer"}
    first = entry("float32")
    first["cycles"] = {**first["cycles"], "const": figure}
    file(MINE | {"entries": [first, entry("int8", compiler="clang"), entry("int8")]}, "base.toml")
    rule = {"core": "base.toml", "factor": {"lo": 0.5, "hi": 2}, "certainty": "E", "source": "a ratio"}
    raw = {name: value for name, value in MINE.items() if name != "entries"}
    device = load(file({**raw, "scaled_from": [rule]}))
    assert device.rows == [("float32", "straight", "gcc"), ("int8", "straight", "clang"), ("int8", "straight", "gcc")]
    scaled, base = device.entries[0], load(file("", "x.toml").with_name("base.toml")).entries[0]
    assert (scaled.cycles.const.lo, scaled.cycles.const.hi, scaled.cycles.const.certainty) == (1, 6, None)
    assert (scaled.cycles.kinds["tanh"].lo, scaled.cycles.kinds["tanh"].hi) == (10_000, 40_000)
    assert (scaled.cycles.certainty, scaled.cycles.source) == ("E", "base.toml: a ratio")
    assert scaled.flash.const == base.flash.const
    assert scaled.ram.certainty == "E"
    only = load(file({**raw, "scaled_from": [rule | {"precision": "int8", "compiler": "gcc"}]}))
    assert only.rows == [("int8", "straight", "any")]
    over = load(file({**raw, "scaled_from": [rule], "entries": [entry("int8")]}))
    assert over.entries[2].cycles.const.lo == 1
    with pytest.raises(ProfileError, match=r"mine\.toml: it has no entries"):
        load(file({**raw, "scaled_from": [rule | {"style": "table"}]}))
    file("[[entries]]\ncycles = 3", "base.toml")
    with pytest.raises(ProfileError, match=r"mine\.toml: scaled_from\.core = 'base\.toml': Expected `object`"):
        load(file({**raw, "scaled_from": [rule]}))


# Published on silicon, and what the project's emulator counts for the same code: cycles of the int8 auto-encoder of
# MLPerf Tiny with CMSIS-NN, middle of -O2's bounds for the M4F; of a product of soft floats for the RP2040.
COUNTED = {
    "stm32l4r5": (1.033e6, (0.695e6 + 0.807e6) / 2),
    "stm32g0b1": (2.62e6, 2.35e6),
    "rp2040": (340, 264),
}


@pytest.mark.parametrize("name", COUNTED)
def test_wait_states_bring_the_cycles_nearer_to_silicon(name):
    silicon, emulated = COUNTED[name]
    device = load_device(name)
    ends = [emulated * device.board_cycles(bound) for bound in ("lo", "hi")]
    assert abs(device.board_cycles("mid") * emulated - silicon) < 0.85 * abs(emulated - silicon)
    assert ends[0] == emulated
    assert silicon <= 1.01 * ends[1]


def test_boards_with_wait_states_say_why():
    stated = {name: load_device(name).wait_states for name in BOARDS if load_device(name).wait_states}
    assert set(stated) == {*COUNTED, "stm32f407", "atmega328p"}
    assert all("1" in row.source and row.certainty in ("D", "E") for row in stated.values() if row.value.hi)
    assert all(load_device(name).wait_states is None for name in CORES)


# Wrong profiles.

GOOD = profile_text(MINE)
WAITS = '[wait_states]\nunit = "cycle/cycle"\nvalue = { lo = 0.9 }\ncertainty = "E"\nsource = "x"\n\n[clock]'
BROKEN = [
    ("[clock]", WAITS, r"value must be 1 or more: memory cannot make a core faster"),
    ("live_value = { lo = 4 }", "live_value = { lo = 4 }\nframes = { swish = { lo = 1 } }",
     "frames does not know swish; allowed: sigmoid"),
    ('value = 2\n', "value = 0\n", r"Expected `float` > 0\.0 - at `\$\.clock\.value`"),
    ('unit = "MHz"\n', "", r"mine\.toml: Object missing required field `unit` - at `\$\.clock`"),
    ('unit = "MHz"', 'unit = "GHz"', r"Invalid enum value 'GHz' - at `\$\.clock\.unit`"),
    ('source = "test"\n', "", r"missing required field `source` - at `\$\.clock`"),
    ('certainty = "D"', 'certainty = "X"', r"Invalid enum value 'X' - at `\$\.clock\.certainty`"),
    ('certainty = "E"\n', "", r"missing required field `certainty` - at `\$\.energy`"),
    ('value = 40\n', "value = -40\n", r"Expected `int` >= 1 - at `\$\.sram_bytes\.value`"),
    ("node = { lo = 20 }", "node = { lo = -2 }", r">= 0\.0 - at `\$\.entries\[0\]\.cycles\.node\.lo`"),
    ("node = { lo = 20 }", "node = { lo = nan }", r">= 0\.0 - at `\$\.entries\[0\]\.cycles\.node\.lo`"),
    ("node = { lo = 20 }", "node = { lo = inf }", r"`\$\.entries\[0\]\.cycles\.node\.lo`"),
    ("node = { lo = 20 }", "node = { lo = 2, high = 3 }",
     r"unknown key entries\[0\]\.cycles\.node\.high; allowed: lo, hi, certainty, source"),
    ('title = "My board"', 'title = "My board"\nmhz = 3', "unknown key mhz; allowed: extends, scaled_from, cl"),
    ('style = "straight"', 'style = "curly"', r"Invalid enum value 'curly' - at `\$\.entries\[0\]\.style`"),
    ('compiler = "gcc"', 'compiler = "gcc 14"', r"Invalid enum value 'gcc 14' - at `\$\.entries\[0\]\.compiler`"),
    ("tanh = { lo = 20000 }\n", "", r"kinds lacks tanh; .*`\$\.entries\[0\]\.cycles`"),
    ("tanh = { lo = 20000 }\n", "tanh = { lo = 5 }\nswish = { lo = 5 }\n", "kinds does not know swish"),
    ('precision = "int8"', 'precision = "float32"', "two rows with the same precision, style and compiler"),
    (GOOD[GOOD.index("[[entries]]") :], "", "it has no entries"),
    (GOOD[GOOD.index("[[entries]]") :], "[entries]\na = 1", "Expected `array`, got `object`"),
    ("[clock]", "[clock", r"mine\.toml: .*line 5"),
    ("title", 'extends = "cortex-m99"\ntitle', r"mine\.toml: extends: unknown device 'cortex-m99'; allowed: apple-ane"),
    ('title = "My board"', 'extend = "avr"', "unknown key extend; allowed: extends, "),
    ("title", "extends = 3\ntitle", r"extends = 3; it must be the name of a device or of a file ending in \.toml"),
    ("title", 'extends = "none.toml"\ntitle', r"none\.toml: No such file or directory"),
    ("title", 'extends = "mine.toml"\ntitle', "cannot extend or scale itself: mine takes from mine"),
    ("title", 'scaled_from = 3\ntitle', r"scaled_from must be tables, each headed \[\[scaled_from\]\]"),
    ("title", 'scaled_from = [{core = "avr"}]\ntitle', r"mine\.toml: scaled_from\[0\]: .*missing required field"),
    ("title", 'scaled_from = [{cores = "avr"}]\ntitle', r"scaled_from\[0\]: unknown key cores; allowed: core, fa"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_wrong_profile_is_refused_and_the_place_named(file, old, new, message):
    assert old in GOOD
    with pytest.raises(ProfileError, match=message):
        load(file(GOOD.replace(old, new, 1)))


def test_a_wrong_formula_is_refused(file):
    for change, message in (
        ({"bandwidth": block("B/s", value=0)}, r"value\.lo must be above 0 - at `\$\.bandwidth`"),
        ({"bandwidth": block("GB/s", value=1)}, r"Invalid enum value 'GB/s' - at `\$\.bandwidth\.unit`"),
        ({"arithmetic": {"float16": COMPUTER["arithmetic"]["float32"]}}, "Invalid enum value 'float16'"),
        ({"entries": [entry("int8")]}, "unknown key entries; allowed: extends, scaled_from, arithmetic, bandwidth"),
    ):
        with pytest.raises(ProfileError, match=message):
            load(file(COMPUTER | change))


def test_a_circle_of_three_is_found(file):
    for name, other in ("ab", "bc", "ca"):
        path = file(f'extends = "../{file("", "x").parent.name}/{other}.toml"', f"{name}.toml")
    with pytest.raises(ProfileError, match=r"cannot extend or scale itself: c takes from a takes from b takes from c"):
        load(path)


def test_a_profile_that_is_not_there(tmp_path):
    with pytest.raises(ProfileError, match=r"none\.toml: No such file"):
        load(tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ProfileError, match="Is a directory"):
        load(tmp_path / "folder.toml")


@pytest.mark.parametrize("name", device_names())
def test_what_is_written_reads_back(name, tmp_path):
    raw = resolve(find(name))
    path = tmp_path / f"{name}.toml"
    path.write_text(profile_text(raw), encoding="utf-8")
    assert load(path) == load_device(name)


# Silicon. MLPerf Tiny v1.2: energy over cycles of four networks is one constant per board.

PICOJOULE = {"stm32l4r5": (322, 365), "stm32u575": (141, 149), "cortex-m7": (434, 483)}
MILLIWATT = [("stm32l4r5", 120, 38.7, 43.8), ("stm32u575", 160, 22.6, 23.9), ("cortex-m7", 280, 121, 135)]


@pytest.mark.parametrize("name", PICOJOULE)
def test_energy_of_a_cycle_on_silicon(name):
    energy = load_device(name).energy
    assert (energy.value.lo, energy.value.hi) == PICOJOULE[name]
    assert energy.certainty == ("E" if name == "cortex-m7" else "M")


@pytest.mark.parametrize(("name", "mhz", "least", "most"), MILLIWATT)
def test_energy_of_a_cycle_is_the_published_power_over_the_clock(name, mhz, least, most):
    energy = load_device(name).energy.value
    assert [energy.lo, energy.hi] == pytest.approx([least * 1e3 / mhz, most * 1e3 / mhz], rel=0.01)


def test_a_compiler_that_does_not_build_for_a_core_means_its_usual_build() -> None:
    uno, arm = load_device("atmega328p"), load_device("cortex-m4f")
    arm = replace(arm, entries=tuple(row for row in arm.entries if row.compiler in ("clang", "gcc")))
    assert [uno.build(name) for name in ("clang", "clang-O3", "gcc-Os", "gcc", "any")] == [
        *("gcc-Os", "gcc-Os", "gcc-Os", "gcc", "any")
    ]
    assert [arm.build(name) for name in ("clang", "gcc-Os")] == ["clang", "gcc-Os"]
    assert uno.entry("int8", "table", "clang") == uno.entry("int8", "table", "gcc-Os")
    with pytest.raises(ValueError, match="no figures for int8 table by clang-Os; it has: float32 straight gcc, "):
        arm.check("int8", "table", "clang-Os")


def test_the_builds_are_those_that_configs_and_profiles_name() -> None:
    assert get_args(BuildName) == tuple(BUILDS)
    assert all(name.startswith(row.compiler) and row.flags[0].startswith("-O") for name, row in BUILDS.items())
    assert BUILDS["clang"].flags == BUILDS["gcc"].flags == ("-O2",)


# Cycles of one core over another's, from published cycles per MAC of the same networks.
RATIOS = [
    ("cortex-m7", "cortex-m4f", "int8", None, 1.16 / 2.65, 1.40 / 2.15),
    ("cortex-m7", "cortex-m4f", "float32", None, 5.5 / 9.5, 5.5 / 9.5),
    ("xtensa-lx6", "cortex-m4f", "float32", None, 17.1 / 14.3, 17.1 / 14.3),
    ("xtensa-lx7", "cortex-m4f", "float32", None, 17.1 / 14.3, 17.1 / 14.3),
]


@pytest.mark.parametrize(("name", "base", "precision", "style", "least", "most"), RATIOS)
def test_derived_cycles_keep_the_published_ratio(name, base, precision, style, least, most):
    rules = [row for row in places._packaged(name)["scaled_from"] if row["precision"] == precision]
    (rule,) = [row for row in rules if row.get("style") == style]
    assert rule["core"] == base
    assert rule["factor"]["lo"] == pytest.approx(least, rel=0.02)
    assert rule["factor"].get("hi", rule["factor"]["lo"]) == pytest.approx(most, rel=0.02)
    counts = count(*join([record(random_tree(np.random.default_rng(i))) for i in range(20)]))
    for row in [row for row in load_device(name).rows if row[0] == precision and style in (None, row[1])]:
        code = (precision, row[1], "gcc" if row[2] == "any" else row[2])
        for bound, factor in (("lo", least), ("hi", most)):
            derived, own = (costs_of_counts(counts, load_device(n), *code, bound=bound) for n in (name, base))
            cycles = derived["latency_s"] * load_device(name).clock.value
            np.testing.assert_allclose(cycles, own["latency_s"] * load_device(base).clock.value * factor, rtol=0.02)
            np.testing.assert_array_equal(derived["flash_bytes"], own["flash_bytes"])


# One network, the int8 auto-encoder of MLPerf Tiny, M cycles: emulated (least, most), and published of silicon.
EMULATED = {"-O2": (0.695, 0.807), "-Os": (0.917, 1.162), "M0+": (2.35, 2.35)}
SILICON = [("-O2", "nRF5340", 0.802), ("-O2", "HALE", 0.567), ("-O2", "HALE", 0.700), ("-O2", "X-CUBE-AI", 0.631)]
SILICON += [("-O2", "L4R5", 1.033), ("M0+", "G0B1", 2.62)]


@pytest.mark.parametrize(("case", "board", "cycles"), SILICON)
def test_emulated_cycles_are_within_the_gap_the_docs_state(case, board, cycles):
    """About 25 % either way, 0.75-1.35 of the nearer bound."""
    least, most = EMULATED[case]
    assert 0.75 * least < cycles < 1.35 * most, board


def test_a_soft_float_product_on_an_m0plus_is_within_the_gap_too():
    """340 cycles per MAC on an RP2040, whole networks; another code generator, so half as far again."""
    figures = [row.cycles.leaf_edge for row in load_device("rp2040").entries if row.precision == "float32"]
    assert figures
    assert all(340 / 2 < figure.at("mid") < 340 * 1.5 for figure in figures)


def test_the_example_of_the_docs(file):
    text = (Path(__file__).parents[2] / "docs" / "hardware.md").read_text("utf-8")
    device = load(file(text.split("```toml")[1].split("```")[0], "my-board.toml"))
    assert (device.name, device.kind, device.core, device.clock.value) == ("my-board", "board", "cortex-m4f", 84)
    assert (device.sram_bytes.value, device.energy.value.hi) == (65536, 500)


def test_the_package_imports_nothing_heavy():
    heavy = ("jax", "sklearn", "matplotlib", "scipy", "deap", "rich", "unicorn", "capstone", "elftools")
    code = f"import neuraltree.hardware, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_kinds_are_all_priced():
    for name in device_names():
        for row in getattr(load_device(name), "entries", ()):
            assert prod(set(NAMES) == set(block.kinds) for block in (row.cycles, row.flash))


def test_the_files_are_in_the_package():
    assert {path.stem for path in (Path(places.__file__).parent / "data").glob("*.toml")} == set(device_names())
