"""Windows of recordings with the features that tell known classes, or that are steady in normal machines."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from experiments.common import activities
from experiments.frame.data_places import looked_in, table_folders
from neuraltree.signals.bearing import bearing_recordings
from neuraltree.signals.front_end.axis_groups import axis_groups
from neuraltree.signals.front_end.feature_candidates import candidates
from neuraltree.signals.front_end.front_end import FrontEnd
from neuraltree.signals.recordings.reading_recordings import read_recordings
from neuraltree.signals.recordings.recording import Recording, Recordings
from neuraltree.signals.recordings.sample_counts import counts_per_unit
from neuraltree.tree.nodes import IntArray
from search.config.settings import SignalConfig
from search.errors import InputError
from search.table.signals.signal_table import decisions, features_of

GESTURES = "gestures-edge-impulse-export.zip"
TEST_SUBJECTS = ("2", "4", "9", "10", "12", "13", "18", "20", "24")  # of UCI's split
WINDOW, BEARING_WINDOW = 128, 512


class Windows(NamedTuple):
    """``X`` (windows, candidates) int; ``y`` class codes, ``group`` codes and ``tests`` (windows,)."""

    X: IntArray
    y: IntArray
    group: IntArray
    tests: NDArray[np.bool_]
    names: tuple[str, ...]
    classes: tuple[str, ...]


def windows_of(recordings: Recordings, window: int, hop: int) -> Windows:
    """Of every recording; scales come from those that are for training."""
    training = tuple(one for one in recordings.recordings if one.part != "testing")
    counts = counts_per_unit(Recordings(training, *_about(recordings)))
    channels, groups = recordings.channels, axis_groups(recordings.channels)
    names = candidates(channels, groups, recordings.rate_hz, (window,))
    front = FrontEnd(channels, recordings.rate_hz, hop, names, groups, counts)
    made = decisions(recordings, (), SignalConfig(windows=(window,)), hop)
    X = features_of(recordings, front, made).astype(np.int64)
    every = sorted({one.group for one in recordings.recordings})
    codes = np.array([every.index(one.group) for one in recordings.recordings])
    tests = np.array([one.part == "testing" for one in recordings.recordings])
    return Windows(X, made.label, codes[made.recording], tests[made.recording], names, recordings.classes)


def _about(recordings: Recordings) -> tuple[tuple[str, ...], tuple[str, ...], float, tuple[str, ...]]:
    return recordings.channels, recordings.units, recordings.rate_hz, recordings.classes


@cache
def hapt() -> Windows:
    """Of HAPT, by UCI's split of subjects. ``InputError`` if its file is not found."""
    return windows_of(hapt_recordings(), WINDOW, WINDOW // 2)


def hapt_recordings() -> Recordings:
    """A recording for each experiment of each person; samples without one of the six activities have no label."""
    samples, label, subject, experiment = activities.samples()
    label = np.where((label >= 1) & (label <= len(activities.CLASSES)), label - 1, -1)
    found = []
    for person, code in np.unique(np.column_stack([subject, experiment]), axis=0).tolist():
        own = (subject == person) & (experiment == code)
        part = "testing" if str(person) in TEST_SUBJECTS else "training"
        found.append(Recording(f"s{person}e{code}", samples[own], label[own], str(person), part))
    channels = ("accx", "accy", "accz", "gyrx", "gyry", "gyrz")
    return Recordings(tuple(found), channels, ("g",) * 3 + ("rad/s",) * 3, 50.0, activities.CLASSES)


@cache
def gestures() -> Windows:
    """Of the gestures, by the folders of their archive. ``InputError`` if it is not found."""
    return windows_of(read_recordings(gestures_path()), WINDOW, WINDOW // 2)


def gestures_path() -> Path:
    paths = [folder.parent / "signals" / GESTURES for folder in table_folders()]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise InputError(f"no {GESTURES} in the folder signals beside {looked_in(table_folders())}; put the file there")
    return path


def bearings(seed: int, seconds: float, sound: int, each: int) -> Windows:
    """Of generated bearings: sound machines for training; others, with faults, for testing."""
    return windows_of(bearing_recordings(seed, sound=sound, each=each, seconds=seconds), BEARING_WINDOW, BEARING_WINDOW)
