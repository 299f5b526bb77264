"""Labels of stretches, in files beside the recordings.

``labels.csv`` has the columns recording, start, end, label, in s since the first sample of the recording. Edge Impulse
writes ``info.labels`` and ``structured_labels.labels``, whose stretches are samples, counted from 0, with their last.
https://docs.edgeimpulse.com/tools/specifications/data-annotation
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.signals.recordings.sources.recording_files import SourceFile
from neuraltree.signals.recordings.sources.recording_places import PARTS
from neuraltree.tree.nodes import IntArray

CSV_NAME = "labels.csv"
LIST_NAMES = ("info.labels", "structured_labels.labels")
COLUMNS = ("recording", "start", "end", "label")


@dataclass(frozen=True)
class Span:
    """From ``start`` to before ``end``: samples if ``in_samples``, else s."""

    start: float
    end: float
    label: str
    in_samples: bool = False


@dataclass
class Told:
    """What lists say of a recording: the class of the whole, its part, or the classes of its stretches."""

    label: str | None = None
    part: str = ""
    spans: list[Span] = field(default_factory=list)


@dataclass(frozen=True)
class Lists:
    """``told``: by the path of the file. ``folders``: those with a ``labels.csv``."""

    told: Mapping[str, Told]
    folders: frozenset[str]

    def of(self, name: str) -> Told:
        """For the path of a file; without a list that names it, nothing, or no class beside a ``labels.csv``."""
        is_left_out = str(PurePosixPath(name).parent) in self.folders
        return self.told.get(name, Told("" if is_left_out else None))


def is_list(file: SourceFile) -> bool:
    return PurePosixPath(file.name).name in (CSV_NAME, *LIST_NAMES)


def lists_in(files: Sequence[SourceFile], recordings: Sequence[str]) -> Lists:
    """All lists of a folder. ``recordings``: the paths of the recordings.

    ``ValueError`` for a damaged list, and for a ``labels.csv`` with a recording that is not there.
    """
    told: dict[str, Told] = {}
    folders: set[str] = set()
    known = {str(PurePosixPath(name).with_suffix("")): name for name in recordings}
    known |= {name: name for name in recordings}
    for file in filter(is_list, files):
        try:
            if PurePosixPath(file.name).name == CSV_NAME:
                folders.add(file.folder)
                _add_rows(told, file, known)
            else:
                _add_entries(told, file)
        except (ValueError, csv.Error, RecursionError) as error:
            raise ValueError(f"{file.name}: {error or type(error).__name__}") from None
    return Lists(told, frozenset(folders))


def _add_rows(told: dict[str, Told], file: SourceFile, known: Mapping[str, str]) -> None:
    """``known``: the paths of files, by names that may stand for them."""
    rows = csv.DictReader(io.StringIO(file.load().decode("utf-8-sig"), newline=""), skipinitialspace=True)
    names = [name.strip().lower() for name in rows.fieldnames or ()]
    if sorted(names) != sorted(COLUMNS):
        raise ValueError(f"its columns are {', '.join(names) or 'none'}, and must be {', '.join(COLUMNS)}")
    rows.fieldnames = names
    for row in rows:
        if None in row or None in row.values():
            raise ValueError(f"line {rows.line_num} has more or fewer cells than the header")
        name = str(PurePosixPath(file.folder) / row["recording"].strip())
        if name not in known:
            raise ValueError(f"line {rows.line_num} names {row['recording']!r}, and there is no such recording")
        start, end = (_second(row[key], rows.line_num) for key in ("start", "end"))
        if not 0 <= start < end:
            raise ValueError(f"line {rows.line_num} goes from {start:g} to {end:g} s; a stretch ends after its start")
        told.setdefault(known[name], Told("")).spans.append(Span(start, end, row["label"].strip()))


def _second(cell: str, line: int) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"line {line} has {cell!r} in the place of seconds")
    return value


def _add_entries(told: dict[str, Told], file: SourceFile) -> None:
    """Entries of files that are not there are passed over: lists are copied with a part of the files."""
    stored = _checked(json.loads(file.load().decode()), dict, "the file")
    for name, spans in _checked(stored.get("structuredLabels", {}), dict, "structuredLabels").items():
        told[str(PurePosixPath(file.folder) / name)] = Told("", "", _spans(spans))
    for entry in _checked(stored.get("files", []), list, "files"):
        entry = _checked(entry, dict, "an entry of files")
        name = str(PurePosixPath(file.folder) / _checked(entry.get("path"), str, "path"))
        label = _checked(entry.get("label", {}), dict, "label")
        part = PARTS.get(str(entry.get("category", "")).lower(), "")
        kind = label.get("type")
        if kind == "multi-label":
            told[name] = Told("", part, _spans(label.get("labels")))
        elif kind == "label":
            told[name] = Told(_checked(label.get("label"), str, "label").strip(), part)
        else:
            told[name] = Told("" if kind == "unlabeled" else None, part)


def _spans(stored: Any) -> list[Span]:
    found = []
    for one in _checked(stored, list, "labels of stretches"):
        one = _checked(one, dict, "a stretch")
        start, last = (_checked(one.get(key), int, key) for key in ("startIndex", "endIndex"))
        if not 0 <= start <= last:
            raise ValueError(f"a stretch goes from sample {start} to {last}")
        found.append(Span(start, last + 1, _checked(one.get("label"), str, "label").strip(), in_samples=True))
    return found


def _checked(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{what} is {value!r}"[:80] + f", and must be of the type {kind.__name__}")
    return value


def labels_of(spans: Sequence[Span], seconds: FloatArray | None, count: int) -> tuple[IntArray, tuple[str, ...]]:
    """(count,) places among the labels' names; -1 outside of all spans.

    ``seconds`` (count,): since the first sample; None if there is no rate. ``ValueError`` for a span beyond the end,
    and for spans that give a sample two labels.
    """
    names = tuple(dict.fromkeys(span.label for span in spans if span.label))
    labels = np.full(count, -1)
    for span in spans:
        if span.in_samples:
            own = slice(int(span.start), int(span.end))
        elif seconds is None:
            raise ValueError("it states no sampling rate, which stretches in s need; say it: rate_hz=50.0 for 50 Hz")
        else:
            own = slice(*np.searchsorted(seconds, (span.start - 1e-9, span.end - 1e-9)).tolist())
        if own.start >= count:
            raise ValueError(f"the stretch of {span.label!r} from {span.start:g} on begins after the last sample")
        place = names.index(span.label) if span.label else -1
        if (taken := labels[own][labels[own] >= 0]).size and (taken != place).any():
            raise ValueError(f"stretches of {names[int(taken[0])]!r} and {span.label!r} overlap")
        labels[own] = place
    return labels, names
