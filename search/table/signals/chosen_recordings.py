"""The recordings of a config: read, and reduced to the channels and classes that it names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.recordings.reading_options import ReadingOptions
from neuraltree.signals.recordings.reading_recordings import read_recordings
from neuraltree.signals.recordings.recording import UNLABELLED, Recordings
from neuraltree.signals.recordings.subsets import with_channels, with_classes
from search.config.settings import Config, SignalConfig
from search.errors import InputError
from search.strict import check_known
from search.table.signals.series_rows import input_channels, truths_of


class Chosen(NamedTuple):
    """``recordings``: of the channels that features are made of. ``truths``: for each recording (samples,) of the
    channel that is predicted; empty if classes are."""

    recordings: Recordings
    truths: tuple[FloatArray, ...]


def chosen_recordings(config: Config) -> Recordings:
    """``InputError`` for recordings that cannot be read, or that lack what the config names."""
    return chosen(config).recordings


def chosen(config: Config) -> Chosen:
    """The same with what is predicted."""
    signal = config.signal
    try:
        found = read_recordings(Path(config.data.source), reading_options(signal))
    except ValueError as error:
        raise InputError(str(error)) from None
    if not signal.target:
        return Chosen(_of_classes(_of_channels(found, signal.channels), signal), ())
    truths = truths_of(found, signal.target)
    return Chosen(_of_channels(replace(found, classes=()), input_channels(found.channels, signal)), truths)


def reading_options(signal: SignalConfig) -> ReadingOptions:
    """``ValueError`` for values that are not allowed."""
    return ReadingOptions(
        rate_hz=signal.rate_hz,
        channels=signal.channel_names,
        folders=signal.folders,
        subject_piece=signal.subject_piece,
    )


def _of_channels(found: Recordings, channels: tuple[str, ...]) -> Recordings:
    """Only these, or all if there are none."""
    if not channels:
        return found
    for name in channels:
        check_known(name, found.channels, f"signal.channels names {name!r}, which the recordings do not have")
    return with_channels(found, channels)


def _of_classes(found: Recordings, signal: SignalConfig) -> Recordings:
    """Only the named classes, or those that samples have."""
    used = np.unique(np.concatenate([np.unique(one.labels) for one in found.recordings]))
    names = signal.classes or tuple(found.classes[code] for code in used.tolist() if code != UNLABELLED)
    for name in signal.classes:
        check_known(name, found.classes, f"signal.classes names {name!r}, which no sample is labelled with")
    return with_classes(found, names)
