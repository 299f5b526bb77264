"""What makes a window unknown: integers against plain Python and against C, thresholds, and files."""

from __future__ import annotations

import ctypes
import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuraltree.export.signals.signal_library import export_signal
from neuraltree.export.signals.twin import stream
from neuraltree.hardware.compilers import host_compiler
from neuraltree.hardware.signals.replay import replay_all
from neuraltree.signals.rejection import MOST_FEATURES, Distance, Envelope, Rejection
from neuraltree.signals.rejection_choice import MOST_BYTES, fitted
from neuraltree.signals.signal_model import dumps, loads, reduced
from neuraltree.tree.model_files import FileError
from tests.helpers.signal_models import extreme, random_walk, signal_model

KINDS = ("envelope", "mahalanobis")


def windows(features: int = 9, groups: int = 12, each: int = 60, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Features of three classes, of several scales; one is constant. Groups differ a little."""
    rng = np.random.default_rng(seed)
    group, label = np.repeat(np.arange(groups), each), np.tile(np.arange(3), groups * each // 3)
    scale = np.geomspace(1, 5_000, features)
    centre = rng.normal(size=(3, features)) * 4 * scale
    X = centre[label] + scale * (rng.normal(size=(len(label), features)) + 0.3 * rng.normal(size=(groups, 1))[group])
    X[:, 2] = 7
    return np.clip(np.rint(X), -32767, 32767).astype(np.int64), label, group


def plain_rejected(one: Rejection, row: list[int]) -> bool:
    """One number after another, from the description."""
    seen = [row[place] for place in one.places]
    if isinstance(one, Envelope):
        return any(not low <= x <= high for x, low, high in zip(seen, one.low, one.high, strict=True))
    return plain_distance(one, seen) > one.threshold


def plain_distance(one: Distance, seen: list[int]) -> int:
    found = []
    for centre in one.centres:
        total = 0
        for x, middle, multiplier, shift in zip(seen, centre, one.multipliers, one.shifts, strict=True):
            total += min(abs(x - middle) * multiplier // 2**shift, 4095) ** 2
        found.append(total)
    return min(found)


def odd_rows(features: int) -> np.ndarray:
    """Random features and both ends of 16 bits."""
    rng = np.random.default_rng(5)
    ends = np.array([[-32767] * features, [32767] * features, [0] * features])
    return np.concatenate([ends, rng.choice([-32767, 32767, 0, 1], (40, features)), windows(features, 1)[0]])


def compiled(one: Rejection, folder: Path) -> ctypes.CDLL:
    text = "#include <stdint.h>\n#define NT_LOOP\n" + one.c_text()
    (folder / "reject.c").write_text(text.replace("static int nt_rejected", "int nt_rejected"))
    made = [*host_compiler(), "-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*made, "reject.c", "-o", "reject.so"], cwd=folder, check=True, capture_output=True)
    return ctypes.CDLL(str(folder / "reject.so"))


EDGES: tuple[Rejection, ...] = (
    Distance((0, 3, 8), ((-32767, 32767, 0), (32767, -32767, 1)), (32767, 32767, 16384), (0, 3, 31), 10_000_000),
    Envelope((1, 4), (-32767, 0), (0, 0)),
)


@pytest.mark.skipif(host_compiler() is None, reason="no C compiler")
@pytest.mark.parametrize("which", [*KINDS, 0, 1])
def test_numpy_and_c_reject_the_same_as_plain_numbers(which: str | int, tmp_path: Path) -> None:
    one = EDGES[which] if isinstance(which, int) else fitted(which, *windows())
    rows = odd_rows(9)
    wanted = [plain_rejected(one, row) for row in rows.tolist()]
    np.testing.assert_array_equal(one.rejected(rows), wanted)
    if isinstance(one, Distance):
        assert one.score(rows).tolist() == [plain_distance(one, [row[i] for i in one.places]) for row in rows.tolist()]
    library = compiled(one, tmp_path)
    found = [library.nt_rejected((ctypes.c_int16 * 9)(*row)) for row in rows.tolist()]
    np.testing.assert_array_equal(np.array(found, dtype=bool), wanted)
    assert 0 < np.mean(wanted) < 1


def test_a_distance_never_leaves_32_bits() -> None:
    count = MOST_FEATURES
    one = Distance(tuple(range(count)), ((-32767,) * count,), (32767,) * count, (0,) * count)
    assert one.score(np.full((1, count), 32767)).tolist() == [count * 4095**2]
    assert count * 4095**2 < 2**31
    assert 65534 * 32767 < 2**32


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rate", [0.01, 0.1])
def test_the_stated_share_of_new_groups_is_rejected(kind: str, rate: float) -> None:
    X, label, group = windows(groups=60)
    known = group < 30
    one = fitted(kind, X[known], label[known], group[known], rate)
    assert rate / 3 < one.rejected(X[~known]).mean() < 3 * rate
    away = X[~known].copy()
    away[:, 8] += 32767 // 2
    assert one.rejected(np.minimum(away, 32767)).mean() > rate


def test_a_distance_is_in_deviations() -> None:
    """Against floats: the centre of a class is near 0, and a step of one deviation adds 16 squared."""
    X, label, group = windows()
    one = fitted("mahalanobis", X, label, group)
    assert isinstance(one, Distance)
    assert len(one.centres) == 3
    deviation = np.sqrt(np.mean([X[label == k].var(axis=0) for k in range(3)], axis=0))
    z = (X[:, None] - np.array(one.centres)) / np.maximum(deviation, 1)
    wanted = 256 * (z**2).sum(axis=2).min(axis=1)
    assert np.median(np.abs(one.score(X) - wanted) / wanted) < 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_a_constant_feature_counts_as_if_it_varied_by_one(kind: str) -> None:
    X, label, group = windows()
    one = fitted(kind, X, label, group)
    moved = X.copy()
    moved[:, 2] += 1
    assert one.rejected(moved).mean() < 0.5
    moved[:, 2] += 1000
    assert one.rejected(moved).all()
    assert not fitted(kind, np.full((40, 2), 3), np.zeros(40, int), np.arange(40) // 10).rejected(np.full((1, 2), 3))[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("features", [1, 9, 60])
def test_constants_fit_100_bytes(kind: str, features: int) -> None:
    X, label, group = windows(features=max(features, 4))
    one = fitted(kind, X[:, :features], label, group)
    assert one.constant_bytes <= MOST_BYTES
    tables = re.findall(r"const u?int(\d+)_t nt_known_\w+\[(\d+)\]", one.c_text())
    stated = sum(int(bits) // 8 * int(count) for bits, count in tables)
    assert stated == one.constant_bytes - 4 * isinstance(one, Distance)


def test_one_group_is_cut_into_stretches_and_nonsense_is_refused() -> None:
    X, label, _ = windows()
    assert fitted("envelope", X, label, np.zeros(len(X), int)).rejected(X).mean() < 0.05
    for given, said in (
        (("ellipse", X, label, label), "envelope or mahalanobis"),
        (("envelope", X, label, label, 0.0), "rate"),
        (("envelope", X[:1], label[:1], label[:1]), "2 windows"),
    ):
        with pytest.raises(ValueError, match=said):
            fitted(*given)


@pytest.mark.skipif(host_compiler() is None, reason="no C compiler")
@pytest.mark.parametrize("kind", KINDS)
def test_models_with_a_rejection_stream_the_same_in_c_and_come_back_from_files(kind: str) -> None:
    model = reduced(signal_model(2, 16, (64,)))
    X = model.front_end.values(np.maximum(random_walk(3, 9_000, 1), -32767)).astype(int)
    half = fitted(kind, X, np.zeros(len(X), int), np.arange(len(X)) // 40, 0.2)
    model = replace(model, rejection=half)
    given = [random_walk(3, 6_000, 9), extreme(3, 2_000)]
    found = replay_all(export_signal(model, "m", precision="int8"), given)
    for one, samples in zip(found, given, strict=True):
        wanted = stream(model, samples, "int8")
        np.testing.assert_array_equal(one.events, wanted.events)
        np.testing.assert_array_equal(one.features, wanted.features)
    assert 0 < half.rejected(stream(model, given[0], "int8").features).mean() < 1
    assert loads(dumps(model)) == model


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "sphere"}, "sphere"),
        ({"places": []}, "give 1 to"),
        ({"places": [0, 999]}, "feature 999"),
        ({"low": [1]}, "constants"),
        ({"low": [40_000, 0]}, "32767"),
        ({"low": [5, 5], "high": [4, 9]}, "above its high end"),
        ({"more": 1}, "more"),
    ],
)
def test_damaged_rejections_are_refused(changes: dict[str, object], said: str) -> None:
    model = replace(signal_model(2, 16, (64,)), rejection=Envelope((0, 1), (1, 2), (3, 4)))
    data = json.loads(dumps(model))
    data["rejection"] |= changes
    with pytest.raises(FileError, match=said):
        loads(json.dumps(data))
