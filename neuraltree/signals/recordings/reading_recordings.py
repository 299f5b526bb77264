"""Recordings from files: a folder or .zip of them, or a single file of any format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuraltree.signals.recordings.gathering import Progress, gathered
from neuraltree.signals.recordings.mending.mended import mended
from neuraltree.signals.recordings.raw_recording import RawRecording, natural, numbered_channels
from neuraltree.signals.recordings.reading_options import AS_THEY_ARE, ReadingOptions
from neuraltree.signals.recordings.recording import UNLABELLED, Recordings
from neuraltree.signals.recordings.summary.recording_notes import notes_on


def read_recordings(path: Path, options: ReadingOptions = AS_THEY_ARE, progress: Progress | None = None) -> Recordings:
    """The recordings of a folder, a .zip or a file, brought to one rate and cut where samples are missing.

    ``progress(files, of)`` is called after each file. ``ValueError`` says what is wrong with which file.
    """
    raws, opening = gathered(Path(path), options, progress)
    raws = [_with_channels(raw, options) for raw in raws]
    _check_channels(raws)
    _check_names(raws)
    raws, classes = _numbered_classes(raws, options)
    made = mended(raws, options)
    guesses = dict.fromkeys(note for raw in raws for note in raw.notes)
    units = raws[0].units or ("",) * len(raws[0].channels)
    recordings = Recordings(made.recordings, raws[0].channels, units, made.rate_hz, classes)
    return replace(recordings, notes=(*opening, *guesses, *made.notes, *notes_on(recordings)))


def _with_channels(raw: RawRecording, options: ReadingOptions) -> RawRecording:
    """Only the channels that are asked for, in their order; or with their names, if the file has none."""
    asked = options.channels or raw.channels
    if asked == raw.channels:
        return raw
    if set(asked) <= set(raw.channels):
        places = [raw.channels.index(name) for name in asked]
        units = tuple(raw.units[i] for i in places) if raw.units else ()
        return replace(raw, samples=raw.samples[:, places], channels=asked, units=units)
    if raw.channels == numbered_channels(len(asked)):
        return replace(raw, channels=asked)
    raise ValueError(
        f"{raw.told}: its channels are {', '.join(raw.channels)}, and channels names {', '.join(asked)}; name some of "
        "them, or all if they have no names"
    )


def _check_channels(raws: Sequence[RawRecording]) -> None:
    first = raws[0]
    for raw in raws:
        if len(set(raw.channels)) < len(raw.channels):
            raise ValueError(f"{raw.told}: two channels have one name: {', '.join(raw.channels)}")
        for what, own, others in (("channels", raw.channels, first.channels), ("units", raw.units, first.units)):
            if own != others:
                raise ValueError(
                    f"{raw.told}: its {what} are {', '.join(own) or 'not given'}, and those of {first.told} are "
                    f"{', '.join(others) or 'not given'}; all recordings must have the same"
                )


def _check_names(raws: Sequence[RawRecording]) -> None:
    name, count = Counter(raw.name for raw in raws).most_common(1)[0]
    if count > 1:
        files = sorted({raw.file for raw in raws if raw.name == name})
        raise ValueError(f"{count} recordings are named {name!r}, in {', '.join(files)}; rename one")


def _numbered_classes(
    raws: Sequence[RawRecording], options: ReadingOptions
) -> tuple[list[RawRecording], tuple[str, ...]]:
    """Labels as places in the classes of all recordings, which are in a natural order; only those that are there."""
    renamed = [[options.classes.get(name, name) for name in raw.label_names] for raw in raws]
    if unknown := set(options.classes) - {name for raw in raws for name in raw.label_names}:
        known = sorted({name for raw in raws for name in raw.label_names}, key=natural)
        raise ValueError(f"classes renames {min(unknown)!r}, and the labels are {', '.join(known) or 'none'}")
    there: set[str] = set()
    for raw, names in zip(raws, renamed, strict=True):
        used = np.unique(raw.labels if raw.labels is not None else [])
        there.update(names[i] for i in used[used >= 0].tolist())
    classes = tuple(sorted(there - {""}, key=lambda name: (natural(name), name)))
    places = {name: i for i, name in enumerate(classes)}
    return [_with_places(raw, names, places) for raw, names in zip(raws, renamed, strict=True)], classes


def _with_places(raw: RawRecording, names: Sequence[str], places: dict[str, int]) -> RawRecording:
    assert raw.labels is not None
    table = np.array([places.get(name, UNLABELLED) for name in names] + [UNLABELLED])  # the last one is for no label
    return replace(raw, labels=table[np.where(raw.labels < 0, len(names), raw.labels)], label_names=())
