"""Packages of streaming C: their examples are built, fed with what stands in them, and print the right events."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuraltree.export.signals.packages.signal_targets import SIGNAL_TARGETS
from neuraltree.export.signals.signal_library import export_signal
from neuraltree.export.signals.twin import stream
from neuraltree.signals.event_rule import NONE, UNKNOWN, EventRule
from neuraltree.signals.signal_model import SignalModel
from tests.helpers import avr
from tests.helpers.packages import save_files
from tests.helpers.signal_models import signal_model

STUB = Path(__file__).parents[1] / "helpers" / "zephyr_stub.cmake"
SAMPLES = 200
# Of Zephyr's timers what the sample calls; it ends when it has had its samples.
KERNEL = """#include <stdint.h>
#include <stdlib.h>
struct k_timer { long count; };
#define K_USEC(t) (t)
static inline void k_timer_init(struct k_timer *t, void *a, void *b) { (void)a; (void)b; t->count = 0; }
static inline void k_timer_start(struct k_timer *t, long first, long period) { if (first != period) exit(1); (void)t; }
static inline uint32_t k_timer_status_sync(struct k_timer *t) { if (t->count++ == @SAMPLES@) exit(0); return 1; }
""".replace("@SAMPLES@", str(SAMPLES))
MODELS: dict[str, SignalModel] = {
    "classes": replace(signal_model(11, 16, (32,)), events=EventRule(smoothing=128)),  # any class is an event
    "a value": signal_model(12, 16, (32,), kind="regression"),
}


def printed(model: SignalModel, precision: str) -> list[str]:
    """What an example prints whose readings are all 0."""
    found = stream(model, np.zeros((SAMPLES, len(model.front_end.channels)), np.int16), precision)
    if model.tree.classes is None:
        return [f"{value:.6g}" for value in found.values]
    names = {UNKNOWN: "unknown"} | dict(enumerate(map(str, model.tree.classes)))
    return [names[event] for event in found.events.tolist() if event != NONE]


@pytest.mark.parametrize("target", SIGNAL_TARGETS)
def test_each_has_the_files_of_the_c_export(target: str) -> None:
    model = MODELS["classes"]
    files, plain = (
        SIGNAL_TARGETS[target].make(model, "sensor", precision="int8"),
        export_signal(model, "sensor", precision="int8"),
    )
    by_name = {file.rpartition("/")[2]: text for file, text in files.items()}
    for file in ("sensor.h", "sensor.c", "sensor_tree.h", "sensor_tree.c"):
        assert by_name[file] == plain[file]
    assert not [file for file, text in files.items() if re.search("@[A-Z]+@", text)], "marks are left"


@pytest.mark.skipif(not all(map(shutil.which, ("cmake", "cc", "ninja"))), reason="no CMake, Ninja or C compiler")
@pytest.mark.parametrize("name", MODELS)
def test_the_sample_of_zephyr_prints_events(name: str, tmp_path: Path) -> None:
    model, stub = MODELS[name], tmp_path / "stub"
    files = SIGNAL_TARGETS["zephyr"].make(model, "sensor", precision="int8")
    assert "CONFIG_NEURALTREE_SENSOR=y" in files["samples/stream/prj.conf"]
    sample = save_files(tmp_path / "module", files) / "samples" / "stream"
    (stub / "include" / "zephyr" / "sys").mkdir(parents=True)
    shutil.copy(STUB, stub / "ZephyrConfig.cmake")
    (stub / "include" / "zephyr" / "kernel.h").write_text(KERNEL)
    (stub / "include" / "zephyr" / "sys" / "printk.h").write_text("#include <stdio.h>\n#define printk printf\n")
    for command in (
        [
            "cmake",
            "-G",
            "Ninja",
            "-S",
            sample,
            "-B",
            tmp_path / "build",
            f"-DZephyr_DIR={stub}",
            "-DCMAKE_C_FLAGS=-Wall -Werror",
        ],
        ["cmake", "--build", tmp_path / "build"],
        [tmp_path / "build" / "app"],
    ):
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.split() == printed(model, "int8")
    assert done.stdout


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return avr.core(tmp_path_factory.mktemp("avr") / "core")


@pytest.mark.skipif(bool(avr.missing()), reason=f"no emulated Arduino board: {avr.missing()} is not here")
@pytest.mark.parametrize("target", ["arduino", "platformio"])
def test_the_sketch_prints_events_on_the_board(target: str, core: Path, tmp_path: Path) -> None:
    model = MODELS["classes"]
    library = save_files(tmp_path / "sensor", SIGNAL_TARGETS[target].make(model, "sensor", precision="int8"))
    example = {"arduino": "examples/Stream/Stream.ino", "platformio": "examples/stream/src/main.cpp"}[target]
    program = avr.build(core, library / "src", library / example)
    assert (wanted := printed(model, "int8")[:1])
    assert avr.printed(program, 1) == wanted


@pytest.mark.skipif(bool(avr.missing()), reason=f"no emulated Arduino board: {avr.missing()} is not here")
@pytest.mark.parametrize(("name", "precision"), [("classes", "int8"), ("classes", "float32"), ("a value", "int8")])
def test_the_check_on_the_board(name: str, precision: str, core: Path, tmp_path: Path) -> None:
    files = SIGNAL_TARGETS["arduino"].make(MODELS[name], "sensor", precision=precision)
    library = save_files(tmp_path / "sensor", files)
    check = library / "examples" / "SelfTest" / "SelfTest.ino"
    assert avr.printed(avr.build(core, library / "src", check), 1) == ["6 of 6 decisions are right"]
    vectors = check.parent / "sensor_vectors.h"
    vectors.write_text(re.sub(r"(nt_features\[\d+\].*\n\s*)(-?\d+)", r"\g<1>17", vectors.read_text()))
    assert avr.printed(avr.build(core, library / "src", check), 1) == ["5 of 6 decisions are right"]


def test_what_the_build_systems_read() -> None:
    model = MODELS["classes"]
    files = SIGNAL_TARGETS["platformio"].make(model, "sensor")
    manifest = json.loads(files["library.json"])
    assert all(f"{one['base']}/{file}" in files for one in manifest["examples"] for file in one["files"])
    arduino = SIGNAL_TARGETS["arduino"].make(model, "sensor")
    names = [line.split("\t")[0] for line in arduino["keywords.txt"].splitlines()]
    assert {"sensor_state", "sensor_push", "sensor_reset", "SENSOR_CHANNEL_C0"} <= set(names)
    with pytest.raises(ValueError, match="cannot be the name of an Arduino library"):
        SIGNAL_TARGETS["arduino"].make(model, "arduino_model")
