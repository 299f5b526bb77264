"""Streaming C: the same integers as NumPy for whole recordings, whatever is pushed in whatever order."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuraltree.compress import quantize_tree
from neuraltree.compress.input_types import sources
from neuraltree.export.signals.signal_layout import layout_of
from neuraltree.export.signals.signal_library import export_signal
from neuraltree.export.signals.state_fields import state_bytes, state_fields
from neuraltree.export.signals.twin import Decisions, stream
from neuraltree.hardware.signals.replay import replay_all
from neuraltree.signals.event_rule import UNKNOWN, EventRule
from neuraltree.signals.signal_model import SignalModel, reduced
from tests.helpers import cross_compilers
from tests.helpers.packages import save_files
from tests.helpers.signal_models import all_names, each_once, extreme, random_walk, signal_model

pytestmark = pytest.mark.skipif(not all(map(shutil.which, ("cc", "g++"))), reason="needs cc and g++")
STRICT = ("-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all", "-O1", "-g")
# Seed, and what the model is like.
MODELS: dict[str, SignalModel] = {
    "hop = window": signal_model(1, 64, (64,)),
    "hop < window": signal_model(2, 16, (128,)),
    "mixed windows": signal_model(3, 32, (32, 64, 160)),
    "one channel": signal_model(4, 20, (40, 60), width=1),
    "no events": signal_model(5, 8, (8, 64), events=EventRule()),
    "two classes": signal_model(6, 25, (50, 100), kind="binary"),
    "a value": signal_model(7, 32, (64,), kind="regression"),
}


def same(found: Decisions, wanted: Decisions) -> None:
    for name in Decisions._fields:
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)
        assert getattr(found, name).dtype == getattr(wanted, name).dtype


def recordings(model: SignalModel) -> list[np.ndarray]:
    width, longest = len(model.front_end.channels), model.front_end.longest
    return [
        random_walk(width, 6_000, 9),
        extreme(width, 8_000),
        random_walk(width, longest),
        extreme(width, longest - 1),
    ]


@pytest.mark.parametrize("name", MODELS)
def test_c_decides_as_numpy_does(name: str) -> None:
    model = MODELS[name]
    given = recordings(model)
    found = replay_all(export_signal(model, "m", precision="int8"), given)
    for one, samples in zip(found, given, strict=True):
        same(one, stream(model, samples, "int8"))
    assert len(found[0].ends) > 20
    assert len(found[2].ends) == (model.front_end.longest % model.front_end.hop == 0)
    assert not len(found[3].ends)
    assert np.ptp(found[0].features.astype(int), axis=0).max() > 100


@pytest.mark.parametrize(("precision", "style"), [("int4", "table"), ("float32", "straight"), ("fp16", "table")])
def test_every_precision_has_the_same_features_and_classes(precision: str, style: str) -> None:
    model = MODELS["mixed windows"]
    samples = random_walk(3, 20_000, 4)
    found = replay_all(export_signal(model, "m", precision=precision, style=style), [samples])[0]
    wanted = stream(model, samples, precision)
    np.testing.assert_array_equal(found.features, wanted.features)
    assert np.abs(found.scores.astype(int) - wanted.scores).max() <= (0 if precision == "int4" else 1)
    assert np.mean(found.classes != wanted.classes) <= (0 if precision == "int4" else 0.001)


def test_classes_are_those_of_the_tree() -> None:
    model = reduced(MODELS["hop < window"])
    samples = random_walk(3, 6_000, 2)
    found = stream(model, samples, "int8")
    features = model.front_end.values(np.maximum(samples, -32767))
    integers = quantize_tree(model.tree, sources=sources(model.tree, "int16"))
    np.testing.assert_array_equal(found.classes, integers.predict_q(integers.quantize(features)))
    logits = integers.outputs.values(integers.scores(integers.quantize(features)))
    assert np.abs(found.scores - np.clip(256 * logits, -32767, 32767)).max() <= 5  # a multiplier has 12 bits
    assert len(np.unique(found.classes)) > 1


class Far:
    """Windows whose first feature is beyond a limit are like none that was learned from."""

    places = (0,)

    def rejected(self, features: np.ndarray) -> np.ndarray:
        return features[:, 0] > 100

    def c_text(self) -> str:
        return "static int nt_rejected(const int16_t *features)\n{\n    return features[0] > 100;\n}\n"


def test_what_is_rejected_is_unknown() -> None:
    model = replace(MODELS["mixed windows"], rejection=Far(), events=EventRule(background=1))
    assert reduced(model) is model
    samples = random_walk(3, 6_000, 8)
    found = replay_all(export_signal(model, "m", precision="int8"), [samples])[0]
    same(found, stream(model, samples, "int8"))
    beyond = found.features[:, 0] > 100
    assert beyond.any()
    np.testing.assert_array_equal(found.reported == UNKNOWN, beyond)
    np.testing.assert_array_equal(found.reported[~beyond], found.classes[~beyond])


def test_features_of_a_window_do_not_depend_on_the_hop() -> None:
    """And those of streams without filters not on what was before, but for the sample before."""
    names = [name for name in all_names(("c0", "c1", "c2"), 64) if name.count(".") == 1]
    samples = random_walk(3, 640, 5)
    few, many = (signal_model(0, hop, (64,), names=names).front_end for hop in (64, 8))
    np.testing.assert_array_equal(few.values(samples), many.values(samples)[::8])


def build(folder: Path, files: dict[str, str], sources: list[str], *options: str) -> None:
    save_files(folder, files)
    compiler = "g++" if "-x" in options else "cc"
    done = subprocess.run(
        [compiler, *options, "-I.", *sources, "-o", "program"], cwd=folder, capture_output=True, text=True
    )
    if done.returncode and "sanitize" in done.stderr and "cannot find" in done.stderr:
        pytest.skip("cc has no sanitizers")
    assert done.returncode == 0, done.stderr[:3000]


def run(folder: Path, given: bytes = b"") -> bytes:
    ran = subprocess.run([folder / "program"], input=given, capture_output=True, check=False)
    assert ran.returncode == 0, (ran.stdout[-500:], ran.stderr[-2000:])
    return ran.stdout


SOURCES = ["m.c", "m_tree.c"]
EVERY = signal_model(8, 32, (64,), names=each_once(("c0", "c1", "c2"), 64, "acc"))


@pytest.mark.parametrize("language", [("-std=c99",), ("-x", "c++", "-std=c++11")], ids=["C99", "C++11"])
def test_every_filter_and_feature_compiles_without_a_warning(language: tuple[str, ...], tmp_path: Path) -> None:
    files = export_signal(EVERY, "m", precision="int8")
    build(tmp_path, files, [*SOURCES, "test/m_test.c"], *language, "-O1", *STRICT)
    assert re.search(rb"(\d+) of \1 decisions are right", run(tmp_path))


@pytest.mark.parametrize("which", ["a value", "every"])
def test_nothing_is_undefined(which: str, tmp_path: Path) -> None:
    model = EVERY if which == "every" else MODELS[which]
    files = export_signal(model, "m", precision="int8")
    build(tmp_path, files, [*SOURCES, "test/m_replay.c"], "-std=c99", *SANITIZERS)
    for samples in (extreme(3, 4_000), random_walk(3, 2_000, 3)):
        assert len(run(tmp_path, samples.tobytes()).splitlines()) == len(model.front_end.ends(len(samples)))


def test_the_self_test_finds_a_wrong_number(tmp_path: Path) -> None:
    files = export_signal(MODELS["mixed windows"], "m", precision="int8")
    build(tmp_path, files, [*SOURCES, "test/m_test.c"], "-std=c99")
    run(tmp_path)
    files["test/m_vectors.h"] = re.sub(r"(nt_events\[\d+\].*\n\s*)(-?\d+)", r"\g<1>7", files["test/m_vectors.h"])
    build(tmp_path, files, [*SOURCES, "test/m_test.c"], "-std=c99")
    with pytest.raises(AssertionError, match="event"):
        run(tmp_path)


TWO = """#include <stdio.h>
#include "m.h"
static m_state states[3];
static void show(int k, int event)
{
    if (m_decided(&states[k])) {
        printf("%d %d %d\\n", k, m_class(&states[k]), event);
    }
}
int main(void)
{
    static int16_t samples[2000][M_CHANNELS];
    int n = (int)fread(samples, sizeof samples[0], 2000, stdin);
    for (int k = 0; k < 3; ++k) m_reset(&states[k]);
    for (int i = 0; i < n; ++i) {
        show(0, m_push(&states[0], samples[i]));
        if (i % 3 == 0) show(1, m_push(&states[1], samples[n - 1 - i / 3]));
        show(2, m_push(&states[2], samples[i]));
        if (i == 777) m_reset(&states[2]);
    }
    return 0;
}
"""


def test_instances_do_not_touch_each_other_and_a_reset_is_a_new_start(tmp_path: Path) -> None:
    model = MODELS["hop < window"]
    files = export_signal(model, "m", precision="int8") | {"two.c": TWO}
    samples = random_walk(3, 2_000, 6)
    build(tmp_path, files, [*SOURCES, "two.c"], "-std=c99")
    lines = np.array([line.split() for line in run(tmp_path, samples.tobytes()).decode().splitlines()], dtype=int)
    parts = {0: [samples], 1: [samples[::-1][: -(-2000 // 3)]], 2: [samples[:778], samples[778:]]}
    for k, given in parts.items():
        wanted = [stream(model, part, "int8") for part in given]
        np.testing.assert_array_equal(lines[lines[:, 0] == k, 1], np.concatenate([one.classes for one in wanted]))
        np.testing.assert_array_equal(lines[lines[:, 0] == k, 2], np.concatenate([one.events for one in wanted]))


@pytest.mark.parametrize("name", [*MODELS, "every"])
def test_a_state_is_as_large_as_the_plan_says(name: str, tmp_path: Path) -> None:
    model = reduced(EVERY if name == "every" else MODELS[name])
    files = export_signal(model, "m", precision="float32")
    classes = len(model.tree.classes or ())
    bytes_ = state_bytes(state_fields(layout_of(model.front_end, model.features_read), model.events, classes))
    main = '#include "m.h"\nm_state state;\nint main(void) { return state.filled; }\n'
    elf = cross_compilers.build(tmp_path, {"m.h": files["m.h"], "main.c": main}, "gcc, M4F", [])
    assert cross_compilers.section_bytes(elf, ".bss") in range(bytes_, bytes_ + 32)
    assert f" {bytes_} B on cores of 32 bits" in files["m.h"]


@pytest.mark.skipif(shutil.which("simavr") is None, reason="no simavr")
@pytest.mark.parametrize("kind", ["features", "filters and pairs"])
def test_an_int_of_16_bits_is_wide_enough(kind: str, tmp_path: Path) -> None:
    """On an AVR: what fits of all features and filters gives the same integers."""
    names = each_once(("c0", "c1", "c2"), 32, "acc")
    plain = [name for name in names if name.startswith("c0.") and name.count(".") == 1]
    model = signal_model(9, 16, (32,), names=plain if kind == "features" else [n for n in names if n not in plain])
    files = export_signal(model, "m", precision="int8", recording=extreme(3, 600)[200:])
    main = "int program_main(void);\nint program_main(void)"
    files["test/m_test.c"] = files["test/m_test.c"].replace("int main(void)", main)
    files = {file: text for file, text in files.items() if "replay" not in file} | {"main.c": cross_compilers.AVR_MAIN}
    elf = cross_compilers.build(tmp_path, files, "gcc, AVR", ["-Os", "-std=gnu99"])
    text, returned, _ = cross_compilers.run_on_avr(elf)
    assert returned == 0, text


@pytest.mark.rare
def test_ten_million_samples_do_not_drift(tmp_path: Path) -> None:
    """Under sanitizers, against NumPy over the whole stream; a minute or two, and 1.4 GB."""
    model = MODELS["hop < window"]
    build(tmp_path, export_signal(model, "m", precision="int8"), [*SOURCES, "test/m_replay.c"], "-O2", *SANITIZERS[:-2])
    samples = np.tile(np.concatenate([random_walk(3, 300_000, 1), extreme(3, 200_000)]), (20, 1))
    lines = np.array(run(tmp_path, samples.tobytes()).split(), dtype=np.int64).reshape(-1, 6)
    wanted = stream(model, samples, "int8")
    for column, name in enumerate(("ends", "classes", "events")):
        np.testing.assert_array_equal(lines[:, column], getattr(wanted, name), err_msg=name)
    np.testing.assert_array_equal(lines[:, 3:], wanted.scores)
    assert lines[-1, 0] == len(samples) == 10_000_000
