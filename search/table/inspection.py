"""What a table holds, for people: a row for each column, what would be mended or is doubtful, and what is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.column_choice import kind_of
from neuraltree.inputs.frames import holes_of
from neuraltree.inputs.texts import is_number, level_text
from neuraltree.inputs.times import form_of, seconds
from search.config.settings import Config, DataConfig
from search.errors import InputError
from search.table.data import Table
from search.table.files.raw import Raw
from search.table.files.sources import read_source
from search.table.loading import read_table, table_of
from search.table.mending import with_target
from search.table.streams.stream_tables import sample_of
from search.table.target import as_numbers

COMMONEST = 5  # levels that are named


@dataclass(frozen=True)
class ColumnFacts:
    """``kind`` is number, boolean, category, time or ordinal; ``role`` is feature, target, or a key of ``[data]``.

    ``holes`` are its missing cells, ``distinct`` counts its different other cells. ``smallest`` and ``largest`` are
    those of numbers and times, "" otherwise; ``commonest`` are levels and how many cells each has.
    """

    name: str
    role: str
    kind: str
    holes: int
    distinct: int
    smallest: str = ""
    largest: str = ""
    commonest: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Inspection:
    """``task`` is regression, binary or multiclass; "" if there are ``problems``, because of which no run can begin.

    ``data`` is what the table was read by, with the source.
    """

    data: DataConfig
    rows: int
    target: str
    task: str
    columns: tuple[ColumnFacts, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]


def inspect(source: str, data: DataConfig | None = None) -> Inspection:
    """The facts of the table that ``source`` names, read by the other keys of ``data``; nothing is raised.

    Of a table that is read in blocks the columns' facts are those of a sample.
    """
    data = DataConfig(source) if data is None else msgspec.structs.replace(data, source=source)
    try:
        streamed = read_table(Config(data)) if sample_of(data) else None
        raw = streamed[0] if streamed else read_source(data)
    except InputError as error:
        return Inspection(data, 0, "", "", (), (), error.problems)
    columns = (*_features(raw, data), *_roles(raw, data), _facts(raw.target, "target", _target(raw), data))
    try:
        table: Table = streamed[1] if streamed else table_of(with_target(raw), Config(data))
    except InputError as error:
        return Inspection(data, len(raw.y), raw.target, "", columns, raw.notes, error.problems)
    rows = table.stream.rows.rows if table.stream else len(raw.y)
    return Inspection(data, rows, raw.target, table.kind, columns, table.notes, ())


def config_text(inspection: Inspection, target: str = "") -> str:
    """The TOML of a config to start from; ``target`` is the column to predict, by default the one inspected."""
    default = DataConfig("")
    given = msgspec.structs.asdict(inspection.data) | {"target": target or inspection.target}
    keys = {key: value for key, value in given.items() if value != getattr(default, key) and key != "columns"}
    holes = any(column.holes for column in inspection.columns if column.role == "feature")
    lines = ["[data]", *(f"{key} = {_toml(value)}" for key, value in keys.items())]
    lines += ['# missing = "median"  # or "mean", "refuse": what stands in for missing numbers'] * holes
    lines += [
        "# drop = []  # columns to leave out",
        "",
        "[data.columns]  # what columns hold, if not what it looks like",
    ]
    asked = inspection.data.columns
    for column in inspection.columns:
        if column.role == "feature" and column.name != target:
            mark = "" if column.name in asked else "# "
            lines.append(f"{mark}{_toml(column.name)} = {_toml(asked.get(column.name, column.kind))}")
    return "\n".join([*lines, "", "[search]", 'time = "60s"', ""])


def _toml(value: Any) -> str:
    """Texts, numbers, flags and lists of them are written in TOML as in JSON."""
    return json.dumps(value, ensure_ascii=False)


def _features(raw: Raw, data: DataConfig) -> list[ColumnFacts]:
    return [_facts(name, "feature", cells, data) for name, cells in raw.columns.items()]


def _roles(raw: Raw, data: DataConfig) -> list[ColumnFacts]:
    cells = {role: np.array([cell or None for cell in found], dtype=object) for role, found in raw.roles.items()}
    if raw.weight is not None:
        cells["weight"] = raw.weight
    return [_facts(getattr(data, role), role, found, data) for role, found in cells.items()]


def _target(raw: Raw) -> NDArray:
    """The cells of the target as those of a feature."""
    if raw.y.dtype != object:
        return raw.y
    there = {cell for cell in raw.y.tolist() if cell}
    return as_numbers(raw.y) if all(map(is_number, there)) else np.array([cell or None for cell in raw.y], dtype=object)


def _facts(name: str, role: str, cells: NDArray, data: DataConfig) -> ColumnFacts:
    holes = holes_of(cells)
    there = cells[~holes]
    asked = data.columns.get(name, kind_of(cells) if len(there) else "number")
    kind = asked.partition(" ")[0] if isinstance(asked, str) else "ordinal"
    if kind in ("number", "time") and there.dtype != object:
        ends = (_shown(there.min()), _shown(there.max())) if len(there) else ("", "")
        return ColumnFacts(name, role, kind, int(holes.sum()), len(np.unique(there)), *ends)
    counts = Counter(map(level_text, there.tolist()))
    if kind == "time":
        return ColumnFacts(name, role, kind, int(holes.sum()), len(counts), *_ends(list(counts)))
    return ColumnFacts(name, role, kind, int(holes.sum()), len(counts), commonest=tuple(counts.most_common(COMMONEST)))


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, np.datetime64) else f"{value:.6g}"


def _ends(texts: Sequence[str]) -> tuple[str, str]:
    """The earliest and the latest of times in one form; "" if there are none."""
    form = form_of(texts)
    ordered = sorted(texts, key=lambda text: seconds(text, form)) if form else sorted(texts)
    return (ordered[0], ordered[-1]) if ordered else ("", "")
