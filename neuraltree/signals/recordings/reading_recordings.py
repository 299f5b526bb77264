"""Recordings from files: a folder or .zip of them, or a single file of any format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuraltree.signals.recordings.formats.format_by_ending import FORMATS, read_file
from neuraltree.signals.recordings.mending.mended import mended, told
from neuraltree.signals.recordings.raw_recording import RawRecording, natural
from neuraltree.signals.recordings.reading_options import AS_THEY_ARE, ReadingOptions
from neuraltree.signals.recordings.recording import UNLABELLED, Recordings
from neuraltree.signals.recordings.sources.recording_files import SourceFile, files_of
from neuraltree.signals.recordings.sources.recording_places import PARTS, Place, place_of, wrapper
from neuraltree.signals.recordings.sources.span_labels import Told, is_list, labels_of, lists_in
from neuraltree.signals.recordings.summary.recording_notes import notes_on

Progress = Callable[[int, int], None]


def read_recordings(path: Path, options: ReadingOptions = AS_THEY_ARE, progress: Progress | None = None) -> Recordings:
    """The recordings of a folder, a .zip or a file, brought to one rate and cut where samples are missing.

    ``progress(files, of)`` is called after each file. ``ValueError`` says what is wrong with which file.
    """
    files, opening = _files(Path(path), options)
    is_file = Path(path).is_file() and Path(path).suffix.lower() != ".zip"
    lists = lists_in(files, [file.name for file in files if not is_list(file)])
    data = [file for file in files if not is_list(file)]
    raws: list[RawRecording] = []
    for i, file in enumerate(data):
        place = Place(Path(file.name).stem) if is_file else place_of(file.name, options)
        raws += [_placed(raw, place, lists.of(file.name), is_file, options) for raw in read_file(file, options)]
        if progress is not None:
            progress(i + 1, len(data))
    raws = _same_channels(raws)
    _check_names(raws)
    raws, classes = _numbered_classes(raws, options)
    made = mended(raws, options)
    units = raws[0].units or ("",) * len(raws[0].channels)
    guesses = dict.fromkeys(note for raw in raws for note in raw.notes)
    recordings = Recordings(made.recordings, raws[0].channels, units, made.rate_hz, classes)
    return replace(recordings, notes=(*opening, *guesses, *made.notes, *notes_on(recordings)))


def _files(path: Path, options: ReadingOptions) -> tuple[list[SourceFile], list[str]]:
    """The files that are read, without a folder that only wraps them; and notes on the others."""
    found = files_of(path)
    inner = [file.name for file in found if file.ending == ".zip"]
    if inner:
        raise ValueError(f"{path}: holds another archive, {inner[0]}; unpack it first")
    known = [file for file in found if file.ending in FORMATS or is_list(file)]
    if not any(not is_list(file) for file in known):
        endings = ", ".join(FORMATS)
        raise ValueError(f"{path}: no recordings; read are files that end in {endings}, and folders or .zip of them")
    top = wrapper([file.name for file in known if not is_list(file)], path.stem, options)
    kept = [replace(file, name=file.name.removeprefix(top)) for file in known if file.name.startswith(top)]
    others = Counter(file.ending or file.name for file in found if file not in known and not _is_text(file))
    listed = ", ".join(f"{count} {ending}" for ending, count in sorted(others.items()))
    return kept, [f"files that hold no recordings are passed over: {listed}"] if others else []


def _is_text(file: SourceFile) -> bool:
    """Whether it is to be read by people."""
    return Path(file.name).stem.upper() in ("README", "LICENSE", "LICENCE")


def _placed(raw: RawRecording, place: Place, said: Told, is_file: bool, options: ReadingOptions) -> RawRecording:
    """With what its path and the lists beside it say, where the file itself does not."""
    name = raw.name if raw.name and is_file else "/".join(filter(None, (place.name, raw.name)))
    try:
        part = PARTS[raw.part.lower()] if raw.part else said.part or place.part
    except KeyError:
        raise ValueError(f"{raw.file}: the part is {raw.part!r}; parts are {', '.join(PARTS)}") from None
    found = replace(raw, name=name, subject=raw.subject or place.subject, part=part)
    if raw.labels is not None:
        return found
    if not said.spans:
        labels, names = raw.has(place.label if said.label is None else said.label)
        return replace(found, labels=labels, label_names=names)
    try:
        labels, names = labels_of(said.spans, _seconds(raw, options), len(raw.samples))
    except ValueError as error:
        raise ValueError(f"{told(found)}: {error}") from None
    return replace(found, labels=labels, label_names=names)


def _seconds(raw: RawRecording, options: ReadingOptions) -> np.ndarray | None:
    """(samples,) since the first sample; None if there is no rate."""
    rate_hz = raw.rate_hz or options.rate_hz
    if raw.times is not None:
        return raw.times - raw.times[0]
    return np.arange(len(raw.samples)) / rate_hz if rate_hz else None


def _same_channels(raws: Sequence[RawRecording]) -> list[RawRecording]:
    first = raws[0]
    for raw in raws:
        if len(set(raw.channels)) < len(raw.channels):
            raise ValueError(f"{told(raw)}: two channels have one name: {', '.join(raw.channels)}")
        for what, own, others in (("channels", raw.channels, first.channels), ("units", raw.units, first.units)):
            if own != others:
                raise ValueError(
                    f"{told(raw)}: its {what} are {', '.join(own) or 'not given'}, and those of {told(first)} are "
                    f"{', '.join(others) or 'not given'}; all recordings must have the same"
                )
    return list(raws)


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
