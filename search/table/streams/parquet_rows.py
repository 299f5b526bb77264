"""The rows of Parquet files, a batch at a time: which columns they have, where the rows lie, and their cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.inputs.encoders import Column, Number, Time
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import one_line, shown
from search.table.files.byte_text import check_file
from search.table.files.column_roles import choose_columns, told_names
from search.table.files.parquet import cells_of, opened_parquet, pyarrow_for
from search.table.files.raw import drop_line

BATCH = 2**16  # rows that are decoded at once
BUFFER = 2**20  # bytes of a file that are read at once
CODED = ("string", "large_string", "bool")  # types of arrow whose cells are looked at once each
Batch = tuple[int, Any]  # the number of its first row, and its cells as a pyarrow.RecordBatch


Stamp = tuple[int, int]  # the bytes of a file, and when it was last written, in ns


class RowGroup(NamedTuple):
    """Rows that a file holds together: ``first`` is the number of the first of them, from 0 over all files."""

    file: int
    number: int
    first: int
    rows: int


@dataclass(frozen=True, eq=False)
class ParquetRows:
    """``names`` are the columns that are read. ``numbers`` are those of the features among them that hold numbers.

    ``kinds`` are the arrow types of these columns: the common ones, if they differ from file to file. ``stamps``: by
    which a file is known to be the one that was there at the beginning.
    """

    source: str
    paths: tuple[Path, ...]
    stamps: tuple[Stamp, ...]
    groups: tuple[RowGroup, ...]
    kinds: Mapping[str, Any]
    features: tuple[str, ...]
    numbers: tuple[str, ...]
    target: str
    weight: str

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)

    @property
    def names(self) -> list[str]:
        return [*self.features, self.target, *[self.weight] * bool(self.weight)]

    def batches(self, groups: Sequence[RowGroup] | None = None, names: Sequence[str] | None = None) -> Iterator[Batch]:
        """The rows of the groups, in their order; of all if none are given. ``names``: of the columns to read."""
        wanted = list(self.names if names is None else names)
        for group in self.groups if groups is None else groups:
            first = group.first
            self._check_same(group.file)
            # Else the whole row group would be in memory.
            with opened_parquet(self.paths[group.file], buffer_size=BUFFER, pre_buffer=False) as file:
                for batch in file.iter_batches(BATCH, row_groups=[group.number], columns=wanted, use_threads=False):
                    yield first, self._of_kinds(batch)
                    first += batch.num_rows

    def _check_same(self, file: int) -> None:
        """``InputError`` for a file that was replaced: its rows would be trained on by what the old ones were like."""
        if _stamp(self.paths[file]) != self.stamps[file]:
            raise InputError(
                f"{self.source}: {self.paths[file]} was changed while the run read it; restore it and resume the run, "
                "or begin a new one"
            )

    def _of_kinds(self, batch: Any) -> Any:
        """The batch with the types of all files; an arrow error for a cell that its type cannot hold."""
        arrow = pyarrow_for(self.source)
        names = batch.schema.names
        if all(batch.schema.field(name).type == self.kinds[name] for name in names):
            return batch
        # A float takes any integer, as it does wherever features become numbers.
        columns = [
            batch.column(name).cast(self.kinds[name], safe=not arrow.types.is_floating(self.kinds[name]))
            for name in names
        ]
        return arrow.RecordBatch.from_arrays(columns, names=names)


def parquet_rows(paths: Sequence[Path], data: DataConfig, source: str) -> ParquetRows:
    """``InputError`` unless the files have the same columns, and those that are read can be read in batches."""
    arrow, groups, schemas = pyarrow_for(source), [], list[Any]()
    first, stamps = 0, tuple(map(_stamp, paths))
    for place, path in enumerate(paths):
        with opened_parquet(path) as file:
            schemas.append(file.schema_arrow)
            if schemas[-1].names != schemas[0].names:
                raise InputError(
                    f"{source}: the columns of {path} are {told_names(schemas[-1].names, 10)}, but those of "
                    f"{paths[0]} are {told_names(schemas[0].names, 10)}; give files of the same columns"
                )
            for number in range(file.metadata.num_row_groups):
                rows = file.metadata.row_group(number).num_rows
                groups.append(RowGroup(place, number, first, rows))
                first += rows
    names = schemas[0].names if schemas else []
    if len(set(names)) < len(names):
        raise InputError(f"{source}: two columns have one name; rename one, or read the table whole: sample_rows = 0")
    target, features, roles = choose_columns(names, data, source)
    if others := [role for role in roles if role != "weight"]:
        raise InputError(
            f"{source}: data.{others[0]} needs the whole table in memory, and this one is read in blocks: leave it "
            "out, or read the table whole: sample_rows = 0"
        )
    read = [*features, target, *roles.values()]
    kinds = {names[i]: _common([schema.field(i) for schema in schemas], source, arrow) for i in read}
    odd = [name for name, kind in kinds.items() if not _is_plain(kind, arrow)]
    if odd:
        raise InputError(
            f"{source}: column {shown(odd[0])} holds {kinds[odd[0]]}, which is no number, text, flag or time: "
            f"{drop_line(data.drop, odd)}"
        )
    numbers = tuple(name for name in (names[i] for i in features) if _as_number(name, kinds[name], data, arrow))
    weight = names[roles["weight"]] if roles else ""
    if weight and not _is_number(kinds[weight], arrow):
        raise InputError(f"{source}: the weights {shown(weight)} are not numbers")
    return ParquetRows(
        source,
        tuple(paths),
        stamps,
        tuple(groups),
        kinds,
        tuple(names[i] for i in features),
        numbers,
        names[target],
        weight,
    )


def _stamp(path: Path) -> Stamp:
    check_file(path)
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _common(fields: Sequence[Any], source: str, arrow: Any) -> Any:
    """The type that holds the cells of a column of all files, as where they are read whole."""
    try:
        return arrow.unify_schemas([arrow.schema([field]) for field in fields], promote_options="permissive")[0].type
    except arrow.ArrowException as error:
        raise InputError(f"{source}: the files cannot be joined: {one_line(error)}") from None


def _is_number(kind: Any, arrow: Any) -> bool:
    return bool(arrow.types.is_integer(kind) or arrow.types.is_floating(kind))


def _as_number(name: str, kind: Any, data: DataConfig, arrow: Any) -> bool:
    return _is_number(kind, arrow) and data.columns.get(name, "number") == "number"


def _is_plain(kind: Any, arrow: Any) -> bool:
    types = arrow.types
    texts = kind.value_type if types.is_dictionary(kind) else kind
    is_text = types.is_string(texts) or types.is_large_string(texts)
    is_time = types.is_timestamp(kind) or types.is_date(kind)
    return bool(is_text or is_time or _is_number(kind, arrow) or types.is_boolean(kind))


class Coded(NamedTuple):
    """Cells by the ``levels`` (levels,) that they have: ``codes`` (rows,) are positions in them, -1 for null."""

    levels: NDArray
    codes: NDArray[np.int64]


def coded(array: Any, name: str, data: DataConfig, source: str) -> Coded:
    """The cells of an arrow array (rows,), each different one once."""
    found = array if hasattr(array, "dictionary") else array.dictionary_encode()
    codes = found.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return Coded(cells_of(found.dictionary, name, data, source), codes)


def numbers_of(column: Column, array: Any, data: DataConfig, source: str) -> FloatArray:
    """(rows,) the number of each cell for an encoder, NaN for a hole; texts and levels are looked at once each."""
    if isinstance(column, Number | Time) and not hasattr(array, "dictionary") and str(array.type) not in CODED:
        return column.numbers(cells_of(array, column.name, data, source))
    levels, codes = coded(array, column.name, data, source)
    return np.append(column.numbers(levels) if len(levels) else [], np.nan)[codes]
