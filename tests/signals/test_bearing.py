"""The generated bearings: a fault shows at its frequency in the envelope's spectrum, and not by strength alone."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from neuraltree.signals.bearing import bearing_recordings
from neuraltree.signals.recordings.recording import Recordings

CLASSES = ("normal", "slight", "moderate", "severe")
ORDER = 9 / 2 * (1 - 0.2)  # of nine balls of a fifth of the pitch circle, at a contact angle of 0


@cache
def made() -> Recordings:
    return bearing_recordings(0, sound=4, tested=4, each=2, seconds=8.0)


def amplitudes(x: np.ndarray) -> np.ndarray:
    return np.abs(np.fft.rfft((x - x.mean()) * np.hanning(len(x))))


def envelope(x: np.ndarray, rate: float) -> np.ndarray:
    """The size of the analytic signal between 400 and 900 Hz: where the housing rings."""
    spectrum, at = np.fft.fft(x), np.fft.fftfreq(len(x), 1 / rate)
    return np.abs(np.fft.ifft(np.where((at > 400) & (at < 900), 2 * spectrum, 0)))


def prominence(x: np.ndarray, rate: float) -> float:
    """The line of the outer race in the spectrum of the envelope, over the median of what is around it."""
    at = np.fft.rfftfreq(len(x), 1 / rate)
    near = np.flatnonzero((at > 20) & (at < 31))
    shaft = at[near[amplitudes(x)[near].argmax()]]
    away, found = np.abs(at - ORDER * shaft), amplitudes(envelope(x, rate))
    return float(found[away < 2].max() / np.median(found[(away > 4) & (away < 15)]))


@cache
def of_class(name: str, measure: str) -> list[float]:
    rows = [one for one in made().recordings if CLASSES[one.labels[0]] == name]
    if measure == "line":
        return [prominence(one.samples[:, 0], made().rate_hz) for one in rows]
    return [float(one.samples[:, 0].std()) for one in rows]


def above(name: str, measure: str) -> float:
    """The share of pairs in which a bearing of the class has more than a normal one."""
    return float(np.mean(np.array(of_class(name, measure))[:, None] > np.array(of_class("normal", measure))))


def test_the_envelope_has_the_frequency_of_the_fault_and_that_of_a_sound_bearing_has_not() -> None:
    assert max(of_class("normal", "line")) < 5
    assert min(of_class("moderate", "line")) > 8
    assert min(of_class("severe", "line")) > 15
    assert above("slight", "line") > 0.85


def test_strength_alone_does_not_tell_a_slight_fault() -> None:
    assert 0.4 < above("slight", "rms") < 0.7
    assert above("slight", "rms") < above("moderate", "rms") < above("severe", "rms")
    assert above("severe", "rms") > 0.75


def test_machines_are_groups_and_only_sound_ones_are_for_training() -> None:
    found = made()
    assert (found.classes, found.channels, found.units) == (CLASSES, ("radial", "tangential", "axial"), ("g",) * 3)
    assert found.rate_hz == 2000
    assert len({one.name for one in found.recordings}) == len(found.recordings) == 4 * 2 + 4 * 4 * 2
    assert all(one.samples.shape == (16_000, 3) and len(set(one.labels.tolist())) == 1 for one in found.recordings)
    groups = {part: {one.group for one in found.recordings if one.part == part} for part in ("training", "testing")}
    assert [len(each) for each in groups.values()] == [4, 4]
    assert not groups["training"] & groups["testing"]
    assert {one.labels[0] for one in found.recordings if one.part == "training"} == {0}
    for group in groups["testing"]:
        assert sorted(one.labels[0] for one in found.recordings if one.group == group) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_samples_are_int16_times_a_step() -> None:
    whole = np.concatenate([one.samples for one in made().recordings]) * 2048
    assert (whole == whole.astype(np.int16)).all()
    assert np.abs(whole).max() > 2048


def test_the_same_seed_gives_the_same_bytes_and_more_machines_change_no_other() -> None:
    less, more = (bearing_recordings(3, sound=n, tested=n, each=n, seconds=1.0) for n in (1, 2))
    known = {one.name: one.samples.tobytes() for one in more.recordings}
    assert all(one.samples.tobytes() == known[one.name] for one in less.recordings)
    assert len(set(known.values())) == len(known)
    other = bearing_recordings(4, sound=1, tested=1, each=1, seconds=1.0)
    assert not {one.samples.tobytes() for one in other.recordings} & set(known.values())


@pytest.mark.parametrize("given", [{"sound": 0}, {"tested": 0}, {"each": 0}, {"seconds": 0.5}, {"seconds": np.nan}])
def test_nothing_to_generate_is_refused(given: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="give one or more machines and recordings, and 1 s or more"):
        bearing_recordings(**given)  # type: ignore[arg-type]
