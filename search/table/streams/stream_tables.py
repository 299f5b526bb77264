"""The table of a run whose rows stay on disk: a sample of its rows, with the stream of all."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from neuraltree.arrays import FloatArray
from neuraltree.inputs.encoders import Column, Number, Time
from neuraltree.inputs.encoding import encode
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import listed, shown
from search.table.columnar.column_cells import raw_of
from search.table.columnar.column_formats import FORMATS, format_of
from search.table.data import Table, Whole
from search.table.files.column_roles import told_names
from search.table.files.raw import Places, Raw
from search.table.files.sources import files_of
from search.table.streams.moments import Moments
from search.table.streams.row_draws import RowDraws
from search.table.streams.stored_rows import StoredRows, stored_rows
from search.table.streams.stream import Stream
from search.table.streams.survey import Key, Survey, level_moments, survey
from search.table.target import MOST_CLASSES

if TYPE_CHECKING:
    from search.config.config import Config

LARGE_CELLS = 50_000_000  # of files of columns from which on they are streamed
SAMPLE_ROWS = 200_000


def sample_of(data: DataConfig) -> int:
    """The training rows to sample of a table that is streamed; 0 for one that is read whole.

    ``InputError`` if a sample is asked for of what cannot be streamed.
    """
    form = format_of(data.source)
    if data.sample_rows != "auto":
        if data.sample_rows and form is None:
            raise InputError(
                f"data.sample_rows = {data.sample_rows}: only {listed([*FORMATS], len(FORMATS))} files are read in "
                f"blocks, and data.source is {data.source!r}; leave it out"
            )
        return data.sample_rows
    if form is None:
        return 0
    layouts = map(form.layout, files_of(data.source))
    cells = sum(layout.rows * (len(layout.names) - len(data.drop)) for layout in layouts)
    return SAMPLE_ROWS if cells > LARGE_CELLS else 0


def streamed_table(config: Config, sample_rows: int, table_of: Callable[[Raw, Config], Table]) -> tuple[Raw, Table]:
    """The cells and the table of a sample of the rows, whose ``stream`` has all. ``table_of`` makes a table of cells.

    ``sample_rows``: of training rows; a like share of the test rows is in it.
    """
    data = config.data
    rows = stored_rows(files_of(data.source), data, data.source)
    draws = RowDraws(config.run.seed, data.test_fraction)
    begun = time.perf_counter()
    found = survey(rows, data, draws, sample_rows)
    read_s = time.perf_counter() - begun
    if found.sample is None:
        raise InputError(f"{rows.source}: there are no rows with a target")
    # The columns are chosen already: their numbers are others now, and those that are left out are not there.
    chosen = msgspec.structs.replace(data, target=rows.target, drop=(), columns={})
    raw = raw_of(found.sample, chosen, rows.source, Places(found.places))
    tests = draws.tests(found.places)
    table = table_of(replace(raw, roles={"split": np.where(tests, "test", "train").tolist()}), config)
    codes = None if table.classes is None else dict(zip(raw.y.tolist(), table.y.tolist(), strict=True))
    _check_target(found, codes, rows)
    fitted = table.columns or [Number(name) for name in table.features]
    columns = tuple(_encoder(column, rows, found, data) for column in fitted)
    widths = np.cumsum([len(column.features) for column in columns])[:-1]
    samples = np.split(table.X[~tests], widths, axis=1)
    parts = [_moments(*pair, rows, found) for pair in zip(columns, samples, strict=True)]
    whole = Moments(*(np.concatenate(each) for each in zip(*parts, strict=True)))
    class_weight, scale_weight = _weights(found, codes, balanced=config.task.class_weight == "balanced")
    counted = {"train": found.train.classes, "test": found.test.classes}
    stream = Stream(
        *(rows, data, draws, columns, codes, class_weight, scale_weight),
        scaler=whole.scaler,
        target_scaler=found.target.scaler if codes is None else None,
        train_rows=found.train.rows,
        test_rows=found.test.rows,
        sampled=int(np.count_nonzero(~tests)),
        class_rows=None if codes is None else {part: _counts(counter, codes) for part, counter in counted.items()},
        read_s=read_s,
    )
    plain = table.columns is None and not any(found.holes[column.name] for column in columns)
    digest = hashlib.sha256(repr((table.digest, rows.rows, found.train, found.test)).encode())
    for part in (*whole, *found.target):
        digest.update(part.tobytes())
    return raw, replace(
        table,
        X=table.X if plain else encode(columns, raw.columns),  # with the means of all rows in the place of holes
        columns=None if plain else columns,
        stream=stream,
        whole=Whole(stream.scaler, stream.target_scaler, stream.train_rows),
        digest=digest.hexdigest(),
        notes=(*_notes(stream, found, len(table.y)), *table.notes),
    )


def _encoder(column: Column, rows: StoredRows, found: Survey, data: DataConfig) -> Column:
    """The encoder of the sample, with what all rows say of a column of numbers."""
    if not isinstance(column, Number) or column.name not in rows.numbers:
        return column
    seen = found.numbers.take([rows.numbers.index(column.name)])
    mean, low, high = (float(part[0]) for part in (seen.mean, seen.low, seen.high))
    fill = mean if data.missing == "mean" else column.fill
    return msgspec.structs.replace(column, fill=fill, low=low, high=high)


def _moments(column: Column, sample: FloatArray, rows: StoredRows, found: Survey) -> Moments:
    """Those of the features of a column; from its ``sample`` (rows, features) if its cells could not be counted."""
    if column.name in rows.numbers and isinstance(column, Number):
        seen = found.numbers.take([rows.numbers.index(column.name)])
        filled = seen.filled(found.train.rows, np.array([column.fill or 0.0]))
        if not column.indicator:
            return filled
        there = float(seen.cells[0])
        holes = Moments.weighted(np.array([[0.0], [1.0]]), np.array([there, found.train.rows - there]))
        return filled.beside(holes)
    levels = found.levels.get(column.name)
    if levels is None or isinstance(column, Time):
        return Moments.of(sample)
    return level_moments(column, levels, rows.source)


def _weights(found: Survey, codes: Mapping[Key, int] | None, *, balanced: bool) -> tuple[FloatArray | None, float]:
    """The weight of a row of each class, None if all are one; and what makes the mean weight of training rows one."""
    if codes is None or not balanced:
        return None, found.train.rows / found.train.weight
    rows = np.array(_counts(found.train.classes, codes), dtype=np.float64)
    total = np.array(_counts(found.train.weights, codes), dtype=np.float64)
    return 1 / rows, found.train.rows / float((total / rows).sum())


def _counts(counter: Counter[Key], codes: Mapping[Key, int]) -> list[Any]:
    """What a counter of the target's cells has for each class; several cells may be one class."""
    found = [0] * (max(codes.values()) + 1)
    for key, count in counter.items():
        found[codes[key]] += count
    return found


def _check_target(found: Survey, codes: Mapping[Key, int] | None, rows: StoredRows) -> None:
    """``InputError`` for a target that the rows outside the sample do not fit."""
    if codes is None and not found.target.cells[0]:
        raise InputError(f"{rows.source}: the target {shown(rows.target)} holds numbers as texts; store numbers")
    if codes is not None and not found.classified:
        raise InputError(
            f"{rows.source}: the target {shown(rows.target)} has more than {MOST_CLASSES} different values; for a "
            'number to predict, set task.kind = "regression"'
        )
    if codes is not None and (unknown := [key for key in found.test.classes if key not in codes]):
        raise InputError(
            f"{rows.source}: all {found.test.classes[unknown[0]]} rows of the class {shown(unknown[0])} are test rows; "
            "add rows of it, or choose another run.seed"
        )


def _notes(stream: Stream, found: Survey, sampled: int) -> Iterator[str]:
    yield (
        f"{stream.rows.rows} rows are read in blocks; search, judgement and baselines have {sampled} of them, the "
        f"refit all {stream.train_rows} training rows, and the front is scored on all {stream.test_rows} test rows"
    )
    if found.untargeted:
        yield f"{found.untargeted} rows are left out: the target {shown(stream.rows.target)} is missing"
    if holes := [name for name in stream.rows.features if found.holes[name]]:
        yield f"{found.holes.total()} missing cells in all rows, in {told_names(holes)}"
