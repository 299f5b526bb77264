"""What is told of recordings, counts of classes and of windows, and samples as counts."""

from __future__ import annotations

import ctypes
import ctypes.util

import numpy as np
import pytest

from neuraltree.signals.recordings.recording import Recording, Recordings
from neuraltree.signals.recordings.sample_counts import counts_per_unit, to_counts, unit_groups
from neuraltree.signals.recordings.summary.describing import ClassRow, describe
from neuraltree.signals.recordings.summary.lost_windows import ClassWindows, windows_lost
from neuraltree.signals.recordings.summary.recording_notes import notes_on

Labels = list[int] | int


def made(*ones: tuple[str, np.ndarray, Labels], channels: str = "x", units: str = "") -> Recordings:
    """Recordings of a name, samples (samples,) or (samples, channels), and labels."""
    recordings = tuple(
        Recording(name, np.reshape(samples, (len(samples), -1)).astype(float), np.broadcast_to(labels, len(samples)))
        for name, samples, labels in ones
    )
    names = tuple(channels.split())
    classes = ("a", "b")[: 1 + max(int(one.labels.max()) for one in recordings)]
    return Recordings(recordings, names, tuple(units.split()) or ("",) * len(names), 10.0, classes)


NOISE = np.random.default_rng(5).normal(size=100)


def test_clipped_stretches_are_counted() -> None:
    flat = NOISE.clip(-1, 1)
    flat[40:50] = 1
    flat[49] = 0.5
    flat[10:12] = -1
    runs = [len(run) for run in "".join("x" if value == 1 else " " for value in flat).split() if len(run) >= 3]
    low = [len(run) for run in "".join("x" if value == -1 else " " for value in flat).split() if len(run) >= 3]
    assert runs
    told = [f"{sum(own)} samples ({sum(own):.2g} %) at {end}" for own, end in ((low, -1), (runs, 1)) if own]
    assert list(notes_on(made(("r", flat, 0)))) == [
        f"channel 'x' may be clipped: runs of 3 or more equal samples at an end of its range, {' and '.join(told)}"
    ]


@pytest.mark.parametrize("samples", [NOISE, np.repeat(np.arange(10.0), 10), np.r_[NOISE, NOISE.max()]])
def test_peaks_and_switches_are_not_clipped(samples: np.ndarray) -> None:
    assert list(notes_on(made(("r", samples, 0)))) == []


def test_stretches_of_two_recordings_are_not_one() -> None:
    rising = np.r_[np.linspace(0, 1, 30), 1]
    assert list(notes_on(made(("r", rising, 0), ("s", rising[::-1], 0)))) == []


def test_a_channel_that_never_changes_is_told() -> None:
    samples = np.column_stack([NOISE, np.full(100, 7.0)])
    assert list(notes_on(made(("r", samples, 0), channels="x y"))) == ["channel 'y' never changes: it is always 7"]


def test_classes_that_are_rare_or_alone_are_told() -> None:
    ones = [("r", NOISE, 0), ("s", NOISE, 0), ("t", NOISE[:10], 1), ("u", NOISE[:10], -1)]
    assert list(notes_on(made(*ones))) == [
        "1 of 4 recordings have no label",
        "unbalanced classes: there are 20 s of a, but b 1 s",
        "one recording or subject holds all of a class, for b: it cannot be in both training and validation",
    ]


def test_classes_are_described() -> None:
    labels = [0] * 30 + [1] * 20 + [-1] * 50
    found = made(("r#1", NOISE, labels), ("r#2", NOISE, 0), ("s", NOISE, 0))
    parts = [
        (name, subject, source) for name, subject, source in (("r#1", "p", "r"), ("r#2", "p", "r"), ("s", "q", ""))
    ]
    recordings = tuple(
        Recording(name, one.samples, one.labels, subject, "", source)
        for one, (name, subject, source) in zip(found.recordings, parts, strict=True)
    )
    assert describe(Recordings(recordings, ("x",), ("",), 10.0, ("a", "b"))) == [
        ClassRow("a", 2, 2, 2, 23.0, 230 / 300),
        ClassRow("b", 1, 1, 1, 2.0, 20 / 300),
        ClassRow("", 1, 1, 1, 5.0, 50 / 300),
    ]


def counted(labels: list[list[int]], window: int, hop: int, place: int) -> tuple[int, int]:
    """Windows of one label and stretches of it that hold none, one sample at a time."""
    windows = short = 0
    for own in labels:
        begin = 0
        while begin < len(own):
            end = begin
            while end < len(own) and own[end] == own[begin]:
                end += 1
            starts = [start for start in range(begin, end, hop) if start + window <= end]
            if own[begin] == place:
                windows, short = windows + len(starts), short + (not starts)
            begin = end
    return windows, short


def test_windows_are_those_that_fit_into_stretches_of_a_label() -> None:
    rng = np.random.default_rng(7)
    labels = [np.repeat(rng.integers(-1, 2, 12), rng.integers(1, 30, 12)).tolist() for _ in range(5)]
    found = made(*((f"{i}", np.zeros(len(own)), own) for i, own in enumerate(labels)))
    for window, hop in ((1, 1), (8, 3), (20, 40)):
        check = windows_lost(found, window, hop)
        for place, row in enumerate(check.classes):
            assert (row.windows, row.too_short) == counted(labels, window, hop, place)


@pytest.mark.parametrize(("window", "verdict"), [(5, "PASS"), (6, "FIX"), (40, "WILL LOSE DATA")])
def test_the_verdict(window: int, verdict: str) -> None:
    found = made(("r", NOISE, 0), ("s", NOISE[:5], 0), ("t", NOISE[:39], 1))
    check = windows_lost(found, window, 2)
    assert (check.verdict, check.shortest) == (verdict, 5)
    if window == 6:
        assert check.classes == (ClassWindows("a", 2, 1, 48, 5 / 105), ClassWindows("b", 1, 0, 17, 0.0))


def test_windows_need_a_length_and_labels() -> None:
    with pytest.raises(ValueError, match="window=0"):
        windows_lost(made(("r", NOISE, 0)), 0, 1)
    with pytest.raises(ValueError, match="no sample has a label"):
        windows_lost(made(("r", NOISE, -1)), 4, 1)


@pytest.mark.parametrize(
    ("channels", "units", "groups"),
    [
        ("accx accy accz", "g g g", [[0, 1, 2]]),
        ("acc_x gyro_x acc_y gyro_y", "g rad/s g rad/s", [[0, 2], [1, 3]]),
        ("ch1 ch2 temperature", "", [[0, 1], [2]]),
        ("wristX wristY hipX", "g g g", [[0, 1], [2]]),
        ("accx accy", "g m/s2", [[0], [1]]),
        ("x y z", "", [[0, 1, 2]]),
    ],
)
def test_channels_that_share_a_scale(channels: str, units: str, groups: list[list[int]]) -> None:
    names = channels.split()
    assert unit_groups(names, units.split() or [""] * len(names)) == groups


def test_the_largest_sample_keeps_its_headroom() -> None:
    samples = np.column_stack([NOISE, 3 * NOISE, np.round(100 * NOISE), np.zeros(100)])
    found = made(("r", samples, 0), channels="accx accy adc zero", units="g g - -")
    scale = counts_per_unit(found, headroom=2.0)
    assert scale == (scale[0], scale[0], 1.0, 1.0)
    largest = np.abs(3 * NOISE).max()
    assert scale[0] * largest * 2 == pytest.approx(32767, rel=1e-6)
    assert np.float32(scale[0]) == scale[0]
    counts = to_counts(samples, counts_per_unit(found, headroom=1.0))
    assert np.abs(counts[:, 1].astype(int)).max() == 32767
    assert np.array_equal(counts[:, 2], samples[:, 2])
    with pytest.raises(ValueError, match=r"headroom=0\.5"):
        counts_per_unit(found, headroom=0.5)


def test_counts_are_those_of_c() -> None:
    name = ctypes.util.find_library("m")
    if name is None:
        pytest.skip("there is no mathematical library of C")
    lrintf = ctypes.CDLL(name).lrintf
    lrintf.argtypes, lrintf.restype = [ctypes.c_float], ctypes.c_long
    rng = np.random.default_rng(11)
    samples = np.r_[rng.normal(0, 20, 3000), [0.5, 1.5, 2.5, -0.5, -1.5, 1e9, -1e9]].astype(np.float32)
    for scale in (1.0, 1000.3, 0.5):
        products = samples * np.float32(scale)
        expected = [min(max(lrintf(float(product)), -32767), 32767) for product in products]
        assert to_counts(samples[:, None], [scale])[:, 0].tolist() == expected
    assert to_counts([[-32768.0]], [1.0]).tolist() == [[-32767]]
    with pytest.raises(ValueError, match="must be finite"):
        to_counts([[np.nan]], [1.0])
