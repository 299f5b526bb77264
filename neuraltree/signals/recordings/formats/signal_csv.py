"""Recordings in CSV files: one in a file, or many one after another with a column that tells them apart."""

from __future__ import annotations

import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.inputs.times import form_of
from neuraltree.signals.recordings.formats.csv_cells import CsvCells, cells_of
from neuraltree.signals.recordings.formats.csv_columns import CsvColumns, columns_of
from neuraltree.signals.recordings.formats.csv_times import dated_seconds, numbered_seconds
from neuraltree.signals.recordings.formats.sample_groups import KEYS, groups_of
from neuraltree.signals.recordings.raw_recording import RawRecording, numbered_channels
from neuraltree.signals.recordings.reading_options import ReadingOptions

ENOUGH = 8  # rows by which a first column without a name is seen to be times
STEADY = 0.5  # the share by which most of its steps may differ from their median


def read_csv(file: str, content: bytes, options: ReadingOptions) -> list[RawRecording]:
    """``ValueError`` unless all channels hold numbers."""
    cells = cells_of(content)
    columns = columns_of(cells.names, options) if cells.has_header or options.columns else _unnamed(cells)
    samples, times, note = _samples_and_times(cells, columns, options)
    names = [name for name in ("label", *KEYS) if name in columns.roles]
    keys = dict(zip(names, cells.coded([columns.roles[name] for name in names]), strict=True))
    label = keys.pop("label", None)
    return [
        RawRecording(
            file,
            group.name,
            samples[group.rows],
            columns.names,
            columns.units,
            0.0,
            None if times is None else times[group.rows],
            None if label is None else label.places[group.rows],
            () if label is None else label.texts,
            group.subject,
            group.part,
            (note,) if note else (),
        )
        for group in groups_of(keys, times is not None)
    ]


def _samples_and_times(
    cells: CsvCells, columns: CsvColumns, options: ReadingOptions
) -> tuple[FloatArray, FloatArray | None, str]:
    """The samples, the times in s if there are any, and what was guessed of them. Numbers are read in one pass."""
    place = columns.roles.get("time")
    if place is None:
        return cells.numbers(columns.channels), None, ""
    if not cells.has_number(place):
        return cells.numbers(columns.channels), dated_seconds(cells.texts([place])[0]), ""
    numbers = cells.numbers((*columns.channels, place))
    told = options.time_unit or columns.time_unit
    times, unit = numbered_seconds(numbers[:, -1], told)
    guess = f"times in column {cells.names[place]!r} are taken to be in {unit}; time_unit says otherwise"
    return numbers[:, :-1], times, "" if told or unit == "s" else guess


def _unnamed(cells: CsvCells) -> CsvColumns:
    """The columns of a file without a header: a last column of texts is the label, a first one that rises steadily the
    time."""
    roles = {}
    width = len(cells.names)
    if width > 1 and cells.first[-1] and not cells.has_number(width - 1):
        roles["label"] = width - 1
    if width - len(roles) > 1 and _are_times(cells):
        roles["time"] = 0
    channels = tuple(i for i in range(width) if i not in roles.values())
    return CsvColumns(roles, channels, numbered_channels(len(channels)), ("",) * len(channels))


def _are_times(cells: CsvCells) -> bool:
    """Whether the first column is."""
    if not cells.has_number(0):
        return bool(form_of(cells.first[:1]))
    steps = np.diff(cells.numbers([0])[:, 0])
    if len(steps) < ENOUGH - 1 or not (steps > 0).all():
        return False
    middle = np.median(steps)
    return bool(np.mean(np.abs(steps - middle) <= STEADY * middle) > 1 - STEADY)
