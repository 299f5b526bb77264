"""Recordings in arrays of an .npz file: samples in their order, and for each sample its label, recording and subject.

| array | what |
| - | - |
| samples or X | (samples, channels) numbers |
| label | (samples,) codes, below 0 for none; or texts, "" for none |
| classes | the names of codes 0, 1, ... |
| recording or experiment, subject, part | (samples,) codes or texts; a recording is what has the same of each |
| time | (samples,) in s, or ``datetime64`` |
| rate_hz or rate | one number |
| channels, units | (channels,) texts |
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.inputs.times import array_seconds
from neuraltree.signals.recordings.formats.sample_groups import KEYS, Coded, groups_of
from neuraltree.signals.recordings.raw_recording import RawRecording, numbered_channels
from neuraltree.signals.recordings.reading_options import TIME_UNITS, ReadingOptions
from neuraltree.signals.recordings.sources.recording_files import MOST_BYTES

MOST_CODE = 2**53  # beyond it not every whole number is a float64
NAMES = {
    "samples": ("samples", "X"),
    "label": ("label", "labels"),
    "classes": ("classes",),
    "recording": ("recording", "experiment"),
    "subject": ("subject",),
    "part": ("part",),
    "time": ("time",),
    "rate_hz": ("rate_hz", "rate"),
    "channels": ("channels",),
    "units": ("units",),
}
Arrays = Mapping[str, NDArray]


def read_npz(file: str, content: bytes, options: ReadingOptions) -> list[RawRecording]:
    """``ValueError`` unless the arrays fit each other; objects are never unpickled."""
    arrays = _arrays(content)
    samples = _samples(arrays)
    n, channels = samples.shape
    for name in ("label", *KEYS, "time"):
        if name in arrays and arrays[name].shape != (n,):
            raise ValueError(f"{name} has the shape {arrays[name].shape}, and there are {n} samples")
    names, units = (_texts(arrays, name, channels) for name in ("channels", "units"))
    labels = _labels(arrays)
    times = _times(arrays["time"], options) if "time" in arrays else None
    rate_hz = _rate(arrays)
    keys = {name: _coded(arrays[name], name) for name in KEYS if name in arrays}
    return [
        RawRecording(
            file,
            group.name,
            samples[group.rows],
            names or numbered_channels(channels),
            units,
            rate_hz,
            None if times is None else times[group.rows],
            None if labels is None else labels.places[group.rows],
            () if labels is None else labels.texts,
            group.subject,
            group.part,
        )
        for group in groups_of(keys, times is not None)
    ]


def has_recordings(names: frozenset[str]) -> bool:
    """Whether these arrays of an .npz file are recordings: a table of rows has X and y."""
    return "samples" in names or ("X" in names and "y" not in names)


def _arrays(content: bytes) -> dict[str, NDArray]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(one.file_size for one in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"its arrays have more than {MOST_BYTES >> 30} GiB; write several files")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        found = {}
        for role, names in NAMES.items():
            there = [name for name in names if name in stored.files]
            if len(there) > 1:
                raise ValueError(f"it has both {there[0]} and {there[1]}; keep one")
            if there:
                found[role] = stored[there[0]]
        if "samples" not in found:
            raise ValueError(f"no array named samples or X; there are {', '.join(stored.files) or 'none'}")
    return found


def _samples(arrays: Arrays) -> FloatArray:
    samples = arrays["samples"]
    samples = samples[:, None] if samples.ndim == 1 else samples
    if samples.ndim != 2 or samples.dtype.kind not in "iuf" or 0 in samples.shape:
        raise ValueError(f"samples must be numbers (samples, channels); got {samples.dtype} {arrays['samples'].shape}")
    return samples.astype(np.float64)


def _texts(arrays: Arrays, name: str, count: int) -> tuple[str, ...]:
    if name not in arrays:
        return ()
    if arrays[name].shape != (count,) or arrays[name].dtype.kind != "U":
        raise ValueError(f"{name} must be texts, one for each of {count} channels; got {arrays[name].shape}")
    return tuple(str(text).strip() for text in arrays[name])


def _coded(array: NDArray, name: str) -> Coded:
    """Whole numbers, of which those below 0 are none, or texts, of which "" is."""
    if array.dtype.kind == "f":
        whole = np.where(np.isnan(array), -1, array)
        if not (np.isfinite(whole) & (whole == np.floor(whole)) & (np.abs(whole) < MOST_CODE)).all():
            raise ValueError(f"{name} must hold whole numbers or texts; got {array.dtype}")
        array = whole.astype(np.int64)
    if array.dtype.kind not in "iuU":
        raise ValueError(f"{name} must hold whole numbers or texts; got {array.dtype}")
    values, places = np.unique(array, return_inverse=True)
    none = np.char.strip(values) == "" if array.dtype.kind == "U" else values < 0
    return Coded(np.where(none[places], -1, places), tuple(str(value).strip() for value in values.tolist()))


def _labels(arrays: Arrays) -> Coded | None:
    if "label" not in arrays:
        return None
    found = _coded(arrays["label"], "label")
    if "classes" not in arrays:
        return found
    names = _texts(arrays, "classes", len(arrays["classes"]))
    wrong = [text for text in found.texts if not text.lstrip("-").isdecimal() or int(text) >= len(names)]
    if wrong:
        raise ValueError(f"label holds {wrong[0]!r}, and classes names 0 to {len(names) - 1}")
    return found._replace(texts=tuple(names[max(int(text), 0)] for text in found.texts))


def _times(array: NDArray, options: ReadingOptions) -> FloatArray:
    if array.dtype.kind == "M":
        return array_seconds(array)
    if array.dtype.kind not in "iuf":
        raise ValueError(f"time must hold numbers or datetime64; got {array.dtype}")
    return array.astype(np.float64) * TIME_UNITS[options.time_unit or "s"]


def _rate(arrays: Arrays) -> float:
    if "rate_hz" not in arrays:
        return 0.0
    rate = arrays["rate_hz"]
    if rate.size != 1 or rate.dtype.kind not in "iuf":
        raise ValueError(f"rate_hz must be one number; got {rate.dtype} {rate.shape}")
    return float(rate.ravel()[0])
