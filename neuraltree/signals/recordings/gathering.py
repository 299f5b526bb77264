"""The raw recordings of all files below a path, with what paths and lists say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.recordings.formats.format_by_ending import FORMATS, read_file
from neuraltree.signals.recordings.raw_recording import RawRecording
from neuraltree.signals.recordings.reading_options import ReadingOptions
from neuraltree.signals.recordings.sources.recording_files import SourceFile, opened_files
from neuraltree.signals.recordings.sources.recording_places import PARTS, Place, place_of, wrapper
from neuraltree.signals.recordings.sources.span_labels import Told, is_list, labels_of, lists_in

Progress = Callable[[int, int], None]


def gathered(path: Path, options: ReadingOptions, progress: Progress | None) -> tuple[list[RawRecording], list[str]]:
    """The recordings in the natural order of their files, and notes on files that were ignored."""
    is_file = path.is_file() and path.suffix.lower() != ".zip"
    raws: list[RawRecording] = []
    with opened_files(path) as found:
        files, notes = _chosen(path, found, options)
        data = [file for file in files if not is_list(file)]
        lists = lists_in(files, [file.name for file in data])
        for i, file in enumerate(data):
            place = Place(Path(file.name).stem) if is_file else place_of(file.name, options)
            own, said = read_file(file, options), lists.of(file.name)
            if said.spans and len(own) > 1:
                raise ValueError(
                    f"{file.name}: a list labels its stretches, and it holds {len(own)} recordings; "
                    "write them into a file each, or the labels into a column"
                )
            raws += [_placed(raw, place, said, is_file, options) for raw in own]
            if progress is not None:
                progress(i + 1, len(data))
    return raws, notes


def _chosen(path: Path, found: Sequence[SourceFile], options: ReadingOptions) -> tuple[list[SourceFile], list[str]]:
    """The files that are read, without a folder that only wraps them; and notes on the others."""
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
    return kept, [f"files that hold no recordings are ignored: {listed}"] if others else []


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
        raise ValueError(f"{found.told}: {error}") from None
    return replace(found, labels=labels, label_names=names)


def _seconds(raw: RawRecording, options: ReadingOptions) -> FloatArray | None:
    """(samples,) since the first sample; None if there is no rate."""
    rate_hz = raw.rate_hz or options.rate_hz
    if raw.times is not None:
        return raw.times - raw.times[0]
    return np.arange(len(raw.samples)) / rate_hz if rate_hz else None
