"""Rates, gaps and uneven samples: against signals whose values are known at any time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neuraltree.signals.recordings.reading_options import ReadingOptions
from neuraltree.signals.recordings.reading_recordings import read_recordings
from neuraltree.signals.recordings.recording import Recordings
from tests.signals.tiny_recordings import write


def store(folder: Path, times: np.ndarray, name: str = "a", header: str = "time_s", form: str = "%.6f") -> None:
    """A CSV file of ``signal`` at times in s, written in the unit of the header, with labels that change at 1 s."""
    unit = 1e3 if header.endswith("ms") else 1.0
    rows = [f"{form % (t * unit)},{signal(t)!r},{'late' if t >= 1 else 'early'}" for t in times.tolist()]
    write(folder / f"{name}.csv", "\n".join([f"{header},x,label", *rows]))


def signal(t: np.ndarray | float) -> np.ndarray | float:
    return float(np.sin(2 * np.pi * 3 * t)) if isinstance(t, float) else np.sin(2 * np.pi * 3 * t)


def read(folder: Path, **options: float) -> Recordings:
    return read_recordings(folder, ReadingOptions(**options))


@pytest.mark.parametrize(
    ("rate_hz", "header", "form"),
    [(50.0, "t", "%.2f"), (104.0, "time_ms", "%.0f"), (104.0, "timestamp", "%.6f"), (1600.0, "time_ms", "%.0f")],
)
def test_the_rate_is_found_although_times_are_rounded(rate_hz: float, header: str, form: str, tmp_path: Path) -> None:
    times = np.arange(2000) / rate_hz
    store(tmp_path, times, header=header, form=form)
    found = read(tmp_path)
    assert found.rate_hz == pytest.approx(rate_hz, rel=2e-3)
    assert np.array_equal(found.recordings[0].samples[:, 0], [signal(t) for t in times.tolist()])
    assert not any("uneven" in note or "gaps" in note for note in found.notes)


@pytest.mark.parametrize(
    ("column", "cells", "rate_hz", "guess"),
    [
        ("time", (0, 10, 20), 100.0, "ms"),
        ("time", (0, 10_000, 20_000), 100.0, "us"),
        ("time", (0, 0.5, 1), 2.0, ""),
        ("timestamp", (1_764_000_000_000, 1_764_000_000_010, 1_764_000_000_020), 100.0, "ms"),
        ("timestamp", (1_764_000_000, 1_764_000_001, 1_764_000_002), 1.0, ""),
        ("micros", (0, 10, 20), 1e5, ""),
        ("time [ns]", (0, 10_000, 20_000), 1e5, ""),
        ("date", ("2026-11-30T08:00:00+01:00", "2026-11-30T08:00:01+01:00", "2026-11-30T08:00:02+01:00"), 1.0, ""),
    ],
)
def test_the_unit_of_times(column: str, cells: tuple, rate_hz: float, guess: str, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "\n".join([f"{column},x", *(f"{cell},{i}" for i, cell in enumerate(cells))]))
    found = read(tmp_path)
    assert found.rate_hz == pytest.approx(rate_hz, rel=1e-6)
    told = [note for note in found.notes if "taken to be in" in note]
    assert [guess in note for note in told] == ([True] if guess else [])


def test_the_unit_of_times_can_be_said(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "time,x\n0,1\n2,2\n4,4")
    assert read_recordings(tmp_path, ReadingOptions(time_unit="s")).rate_hz == 0.5


@pytest.mark.parametrize("rate_hz", [80.0, 40.0, 133.0])
def test_samples_of_another_rate_are_those_of_the_signal_at_their_times(rate_hz: float, tmp_path: Path) -> None:
    store(tmp_path, np.arange(200) / 100)
    found = read(tmp_path, rate_hz=rate_hz)
    values = found.recordings[0].samples[:, 0]
    assert found.rate_hz == rate_hz
    assert len(values) == int(1.99 * rate_hz) + 1
    times = np.arange(len(values)) / rate_hz
    inner = (times > 0.2) & (times < 1.8)  # a filter is not exact at the ends
    assert np.abs(values - signal(times))[inner].max() < 0.006
    assert ((times >= 1) == (found.recordings[0].labels == 1)).mean() > 0.98
    assert any(f"resampled to {rate_hz:g} Hz" in note for note in found.notes)


def test_what_a_lower_rate_cannot_hold_is_filtered_out(tmp_path: Path) -> None:
    times = np.arange(1000) / 100
    samples = np.sin(2 * np.pi * 2 * times) + np.sin(2 * np.pi * 33 * times)  # 33 Hz would come back as 7 Hz
    np.savez(tmp_path / "a.npz", samples=samples[:, None], rate=100)
    values = read(tmp_path, rate_hz=40.0).recordings[0].samples[:, 0]
    spectrum = np.abs(np.fft.rfft(values * np.hanning(len(values)))) / len(values) * 4
    hz = np.fft.rfftfreq(len(values), 1 / 40)
    assert spectrum[np.abs(hz - 2).argmin()] == pytest.approx(1, abs=0.02)
    assert spectrum[(hz > 4) & (hz < 16)].max() < 1e-3


def test_recordings_come_to_the_median_rate(tmp_path: Path) -> None:
    for name, rate_hz in (("a", 100.0), ("b", 100.3), ("c", 50.0)):
        store(tmp_path, np.arange(60) / rate_hz, name)
    found = read(tmp_path)
    assert found.rate_hz == pytest.approx(100, abs=0.01)
    assert [len(one.samples) for one in found.recordings] == [60, 60, 119]
    assert "1 of 3 recordings, such as c.csv, have 50 Hz; they are resampled to 100 Hz" in found.notes


def test_uneven_samples_come_to_an_even_grid(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    times = (np.arange(200) + rng.uniform(-0.2, 0.2, 200) * (np.arange(200) > 0)) / 100
    store(tmp_path, times)
    found = read(tmp_path)
    values = found.recordings[0].samples[:, 0]
    even = np.arange(len(values)) / found.rate_hz
    assert np.abs(values - signal(even)).max() < 0.02
    assert np.abs(values - signal(times[: len(values)])).max() > 0.02  # so that the line above can fail
    assert any("are sampled unevenly" in note for note in found.notes)
    assert not any("unevenly" in note for note in read(tmp_path, most_jitter=0.5).notes)


def test_a_recording_is_cut_where_times_jump(tmp_path: Path) -> None:
    times = np.arange(100) / 50
    store(tmp_path, np.delete(times, slice(30, 40)))
    found = read(tmp_path)
    assert [(one.name, one.source, len(one.samples)) for one in found.recordings] == [
        ("a#1", "a", 30),
        ("a#2", "a", 60),
    ]
    assert np.allclose(found.recordings[1].samples[:, 0], signal(times[40:]))
    assert {one.group for one in found.recordings} == {"a"}
    assert any("a.csv: 10 samples (0.20 s) are missing; they are cut into 2" in note for note in found.notes)


def test_a_longer_step_may_be_no_gap(tmp_path: Path) -> None:
    store(tmp_path, np.delete(np.arange(100) / 50, 30))
    assert len(read(tmp_path).recordings) == 2
    assert len(read(tmp_path, longest_gap=2.5).recordings) == 1


def test_a_recording_is_cut_where_cells_are_empty(tmp_path: Path) -> None:
    rows = [f"{i / 50},{i},{-i}" for i in range(20)]
    for i, row in ((4, "0.08,,1"), (5, "0.1,nan,1"), (7, "0.14,1,NA"), (19, "0.38,inf,1")):
        rows[i] = row
    write(tmp_path / "a.csv", "\n".join(["t,x,y", *rows]))
    found = read(tmp_path)
    assert [one.samples[:, 0].tolist() for one in found.recordings] == [[0, 1, 2, 3], list(range(8, 19))]
    assert any("4 samples" in note and "1 single samples are left out" in note for note in found.notes)


def test_samples_that_are_missing_at_the_end_do_not_make_a_recording_a_part(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "t,x\n0,1\n1,2\n2,\n")
    assert [(one.name, one.source) for one in read(tmp_path).recordings] == [("a", "")]


def test_a_label_is_that_of_the_nearest_sample(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "t,x,label\n0,0,a\n0.1,1,b\n0.2,2,a\n")
    found = read(tmp_path, rate_hz=40.0)
    assert found.recordings[0].labels.tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 0]  # halfway, the earlier one
    assert np.allclose(found.recordings[0].samples[:, 0], np.arange(9) / 4)
