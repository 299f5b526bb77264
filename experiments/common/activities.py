"""Windows of the recordings of UCI *Smartphone-Based Recognition of Human Activities and Postural Transitions*.

Six signals at 50 Hz of 30 subjects (https://archive.ics.uci.edu/dataset/341), in one file hapt_raw.npz: ``X`` (samples,
6), ``label`` (the activity, 1 to 6; others are transitions or none), ``subject`` and ``experiment``.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from experiments.frame.data_places import check_digest, looked_in, table_folders
from neuraltree.arrays import FloatArray
from search.errors import InputError

HAPT = "hapt"  # its name as a table
FILE, DIGEST = "hapt_raw.npz", "902dc105d3daaa13f490aae8ae847f6fc1ec7cb4d2d74358601509b8fd8f6eb4"
LENGTH, HOP = 128, 64  # samples, as in the published windows of the first version of the data
CLASSES = ("walking", "upstairs", "downstairs", "sitting", "standing", "lying")
SIGNALS = ("ax", "ay", "az", "gx", "gy", "gz")
STATISTICS = ("mean", "sd", "least", "most", "low", "high", "rms", "step")
FEATURES = tuple(f"{signal}_{name}" for signal in SIGNALS for name in STATISTICS)


class Windows(NamedTuple):
    """``X`` (windows, 48); ``y``, ``subject`` and ``recording`` (windows,): class codes, 1 to 30, numbers. In time."""

    X: FloatArray
    y: NDArray[np.int64]
    subject: NDArray[np.int64]
    recording: NDArray[np.int64]


def check_activities() -> None:
    """``InputError`` unless the file is found."""
    _content()


@cache
def activities() -> Windows:
    """All windows within one activity of one recording. ``InputError`` if the file is not found or another one."""
    return windows_of(*samples())


def samples() -> tuple[FloatArray, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The signals (samples, 6); label, subject and experiment (samples,) of each. ``InputError`` as above."""
    with np.load(BytesIO(_content()), allow_pickle=False) as file:
        label, subject, experiment = (file[name].astype(np.int64) for name in ("label", "subject", "experiment"))
        return file["X"].astype(np.float64), label, subject, experiment


def windows_of(X: FloatArray, label: NDArray, subject: NDArray, recording: NDArray) -> Windows:
    """Windows of signals (samples, 6); a window over a change of label, subject or recording is left out."""
    parts = np.stack([label, subject, recording])
    changes = np.concatenate([[0], np.cumsum((parts[:, 1:] != parts[:, :-1]).any(axis=0))])
    starts = np.arange(0, len(X) - LENGTH + 1, HOP)
    starts = starts[(changes[starts] == changes[starts + LENGTH - 1]) & (label[starts] >= 1)]
    starts = starts[label[starts] <= len(CLASSES)]
    views = sliding_window_view(X, LENGTH, axis=0)[starts]  # (windows, signals, samples)
    return Windows(statistics(views), label[starts] - 1, subject[starts], recording[starts])


def statistics(views: FloatArray) -> FloatArray:
    """(windows, signals x statistics) of (windows, signals, samples)."""
    quarter = np.quantile(views, [0.25, 0.75], axis=2)
    found = [views.mean(axis=2), views.std(axis=2), views.min(axis=2), views.max(axis=2), *quarter]
    found += [np.sqrt(np.square(views).mean(axis=2)), np.abs(np.diff(views, axis=2)).mean(axis=2)]
    return np.stack(found, axis=2).reshape(len(views), -1)


def _content() -> bytes:
    paths = [folder.parent / "signals" / FILE for folder in table_folders()]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise InputError(
            f"no {FILE} in the folder signals beside {looked_in(table_folders())}; put the file there, or leave these "
            "units out, as in --only '*/sensor'"
        )
    content = path.read_bytes()
    check_digest(path, content, DIGEST)
    return content
