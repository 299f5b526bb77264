"""Models of normal windows alone: from recordings to C, and what they make of windows that are not normal."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from neuraltree.export.signals.one_class_library import export_one_class
from neuraltree.export.signals.twin import stream
from neuraltree.hardware.compilers import host_compiler
from neuraltree.hardware.signals.replay import replay_all
from neuraltree.signals.event_rule import NONE, UNKNOWN
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.one_class import (
    OneClassModel,
    dumps_one_class,
    load_one_class,
    loads_one_class,
    steady_features,
)
from neuraltree.signals.rejection import Distance
from neuraltree.signals.rejection_choice import fitted
from neuraltree.tree.model_files import FileError
from search.cli.neuraltree_command import main
from search.config.config import config_of
from search.errors import InputError
from tests.helpers.signal_models import extreme, random_walk
from tests.signals.test_streaming_c import SANITIZERS, STRICT, build, run, same

NEEDS_C = pytest.mark.skipif(host_compiler() is None, reason="no C compiler")
RATE_HZ = 200.0


def write(path: Path) -> Path:
    """Five machines that hum, and one that also rattles: the last two for testing."""
    rng = np.random.default_rng(0)
    samples, label, subject, part = [], [], [], []
    for machine, code in [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (4, 1)]:
        t = np.arange(4_000) / RATE_HZ
        hum = np.sin(2 * np.pi * 20 * t) * rng.uniform(0.99, 1.01)
        rattle = 4 * code * (rng.random(len(t)) < 0.03)
        samples.append(np.column_stack([hum, 0.5 * hum]) + rng.normal(0, 0.1, (len(t), 2)) + rattle[:, None])
        label += [code] * len(t)
        subject += [f"m{machine}"] * len(t)
        part += ["testing" if machine > 2 else "training"] * len(t)
    arrays = {"label": label, "subject": subject, "part": part, "classes": ["normal", "rattle"]}
    arrays |= {"channels": ["radial", "axial"], "rate_hz": RATE_HZ, "samples": np.concatenate(samples)}
    np.savez(path, **{name: np.array(value) for name, value in arrays.items()})
    return path


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("machines") / "machines.npz")


FIT = ["--signal", "--one-class", "--windows", "128", "--device", "cortex-m4f", "--quiet"]
NORMAL = ["--set", 'signal.classes=["normal"]']


@pytest.fixture(scope="module")
def motor(recordings: Path) -> Path:
    out = recordings.parent / "motor"
    assert main(["fit", str(recordings), *FIT, *NORMAL, "--out", str(out)]) == 0
    return out


def test_a_run_writes_models_with_more_and_more_features(motor: Path) -> None:
    rows = list(csv.DictReader((motor / "one_class.csv").read_text().splitlines()))
    counts = [int(row["features"]) for row in rows]
    assert counts == sorted(set(counts))
    assert len(rows) > 1
    for row in rows:
        model = load_one_class(motor / row["model"])
        assert len(model.front_end.features) == int(row["features"])
        assert model.distance.constant_bytes <= 100
        assert float(row["flash_bytes"]) > model.distance.constant_bytes
        assert 0 < float(row["cpu_load"]) < 1
    manifest = json.loads((motor / "manifest.json").read_text())
    assert (motor / manifest["recommended"]).is_file()
    assert manifest["status"] == "finished"


@NEEDS_C
def test_rattling_is_unknown_and_humming_is_not(
    motor: Path, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = motor.parent / "decisions.csv"
    assert main(["play", str(motor), str(recordings), "--part", "testing", "--c", "--out", str(out)]) == 0
    told = capsys.readouterr().out
    assert "decides the same in all" in told
    assert "rattle" in told
    rows = list(csv.DictReader(out.read_text().splitlines()))
    share = {
        label: np.mean([row["class"] == "unknown" for row in rows if row["label"] == label])
        for label in ("normal", "rattle")
    }
    assert share["rattle"] > 0.9
    assert share["normal"] < 0.2


def test_constraints_leave_models_out(motor: Path, recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = recordings.parent / "small"
    first = next(csv.DictReader((motor / "one_class.csv").read_text().splitlines()))
    limit = ["--flash", str(int(float(first["flash_bytes"])) + 1)]
    assert main(["fit", str(recordings), *FIT, *NORMAL, *limit, "--out", str(out)]) == 0
    rows = list(csv.DictReader((out / "one_class.csv").read_text().splitlines()))
    assert [row["features"] for row in rows] == [first["features"]]
    none = ["--flash", "1", "--out", str(recordings.parent / "none")]
    assert main(["fit", str(recordings), *FIT, *NORMAL, *none]) == 2
    assert "no model keeps the constraints" in capsys.readouterr().err


def test_a_bound_on_what_such_models_do_not_have_is_refused(
    recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, bound = str(recordings.parent / "bound"), ["--set", "constraints.weights=5"]
    assert main(["fit", str(recordings), *FIT, *NORMAL, *bound, "--out", out]) == 2
    assert "constraints.weights" in capsys.readouterr().err


def test_several_classes_are_refused(recordings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", str(recordings), *FIT, "--out", str(recordings.parent / "both")]) == 2
    assert "signal.classes" in capsys.readouterr().err
    for signal in ({"one_class": True}, {"one_class": True, "windows": "auto", "rejection": "envelope"}):
        with pytest.raises(InputError, match="one_class"):
            config_of({"data": {"source": "x"}, "signal": signal}, "test")


def model_of(hop: int = 32) -> OneClassModel:
    names = ("c0.sd@64", "c1.zero_crossings@64", "c2.range@64", "c0.delta.mean_abs@64")
    front = FrontEnd(("c0", "c1", "c2"), 50.0, hop, names, {}, (1.0,) * 3)
    X = front.values(np.maximum(random_walk(3, 9_000, 1), -32767)).astype(np.int64)
    distance = fitted("mahalanobis", X, np.zeros(len(X), int), np.arange(len(X)) // 30, 0.2)
    assert isinstance(distance, Distance)
    return OneClassModel(front, distance)


@NEEDS_C
def test_c_decides_as_numpy_does(tmp_path: Path) -> None:
    model = model_of()
    files = export_one_class(model, "m")
    given = [random_walk(3, 6_000, 9), extreme(3, 3_000), random_walk(3, 63)]
    for found, samples in zip(replay_all(files, given), given, strict=True):
        same(found, stream(model, samples))
    decided = stream(model, given[0])
    np.testing.assert_array_equal(decided.classes == UNKNOWN, model.distance.rejected(decided.features))
    assert 0 < np.mean(decided.classes == UNKNOWN) < 1
    changes = np.flatnonzero(np.diff(decided.classes)) + 1
    np.testing.assert_array_equal(np.flatnonzero(decided.events != NONE), [0, *changes])
    build(tmp_path, files, ["m.c", "test/m_test.c"], "-std=c99", *STRICT, *SANITIZERS)
    assert b"decisions are right" in run(tmp_path)
    assert "_tree" not in "".join(files.values())


def test_files_come_back_and_damaged_ones_are_refused() -> None:
    model = model_of()
    text = dumps_one_class(model)
    assert loads_one_class(text) == model
    for changes, said in (
        ({"format": "other"}, "format"),
        ({"features": ["c0.sd@64"]}, "all of them"),
        ({"hop": 0}, "hop"),
        ({"rate_hz": "fast"}, "rate_hz"),
        ({"distance": {"kind": "mahalanobis"}}, "places"),
    ):
        with pytest.raises(FileError, match=said):
            loads_one_class(json.dumps(json.loads(text) | changes))
    for damaged in ("{", "[]", text[:50]):
        with pytest.raises(FileError):
            loads_one_class(damaged)


def test_steady_features_vary_little_and_are_not_alike() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=(500, 5))
    X = np.column_stack([
        1000 + 10 * base[:, 0],  # the steadiest
        1000 + 12 * base[:, 0] + base[:, 1],  # nearly a copy of it
        1000 + 300 * base[:, 2],
        200 * base[:, 3],  # around 0
        np.full(500, 77),  # never varies
        10_000 + 500 * base[:, 4],
    ])  # fmt: skip
    assert steady_features(np.rint(X).astype(np.int64), 3) == [0, 5, 2]
