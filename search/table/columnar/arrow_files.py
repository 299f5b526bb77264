"""Parquet files and Arrow files (Feather is one of their names), if pyarrow is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from search.errors import InputError
from search.strict import one_line
from search.table.columnar.layouts import GROUP, Format, Group, Layout
from search.table.files.byte_text import check_file

BUFFER = 2**20  # bytes of a Parquet file that are read at once
FIRST_MESSAGE = 8  # where the messages of an Arrow file begin, after its magic bytes


def pyarrow_for(source: str, what: str) -> Any:
    """The package; ``InputError`` if it is not installed."""
    try:
        import pyarrow.parquet  # which makes pyarrow.parquet a part of pyarrow
    except ImportError:
        raise InputError(
            f"{source}: {what} needs the package pyarrow: pip install 'neuraltree[parquet]', or save as CSV"
        ) from None
    return pyarrow


@contextmanager
def _reading(path: Path, what: str) -> Iterator[Any]:
    """pyarrow; ``InputError`` for its errors inside."""
    check_file(path)
    arrow = pyarrow_for(str(path), what)
    try:
        yield arrow
    except InputError:
        raise
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as {what}: {one_line(error)}") from None


@contextmanager
def opened_parquet(path: Path, **options: Any) -> Iterator[Any]:
    """The pyarrow.parquet.ParquetFile; ``InputError`` if it is none, or damaged where it is read."""
    with _reading(path, "Parquet") as arrow, arrow.parquet.ParquetFile(path, **options) as file:
        yield file


def _parquet_layout(path: Path) -> Layout:
    with opened_parquet(path) as file:
        about, schema = file.metadata, file.schema_arrow
        groups = [Group(i, about.row_group(i).num_rows) for i in range(about.num_row_groups)]
    return Layout(schema.names, schema.types, groups)


def _parquet_table(path: Path) -> Any:
    with opened_parquet(path) as file:
        return file.read()


def _parquet_batches(path: Path, place: int, names: Sequence[str], rows: int) -> Iterator[Any]:
    # Else the whole row group would be in memory.
    with opened_parquet(path, buffer_size=BUFFER, pre_buffer=False) as file:
        for batch in file.iter_batches(rows, row_groups=[place], columns=list(names), use_threads=False):
            yield batch.select(list(names))


@contextmanager
def opened_arrow(path: Path) -> Iterator[Any]:
    """The pyarrow.ipc.RecordBatchFileReader; the file is mapped into memory."""
    with _reading(path, "an Arrow file") as arrow, arrow.memory_map(str(path)) as mapped:
        yield arrow.ipc.open_file(mapped, options=arrow.ipc.IpcReadOptions(use_threads=False))


def _arrow_layout(path: Path) -> Layout:
    with opened_arrow(path) as file:
        schema = file.schema
    with _reading(path, "an Arrow file") as arrow, arrow.memory_map(str(path)) as mapped:
        mapped.seek(FIRST_MESSAGE)
        messages = arrow.ipc.MessageReader.open_stream(mapped)
        rows = [_rows_of(message.metadata.to_pybytes()) for message in messages if message.type == "record batch"]
    return Layout(schema.names, schema.types, _groups(rows))


def _rows_of(metadata: bytes) -> int:
    """The rows of a record batch, of which nothing is decompressed: pyarrow does not tell them.

    The table Message of the Arrow format (arrow.apache.org/docs/format/Columnar.html) has the record batch as field 2,
    and a record batch its length as field 0.
    """
    batch = _field(metadata, _table(metadata, 0), 2)
    length = _field(metadata, _table(metadata, batch), 0)
    return int.from_bytes(metadata[length : length + 8], "little") if length else 0


def _table(metadata: bytes, place: int) -> int:
    """Where the table is whose offset is at a place (flatbuffers.dev/internals)."""
    return place + int.from_bytes(metadata[place : place + 4], "little")


def _field(metadata: bytes, table: int, number: int) -> int:
    """Where a field of a table is; 0 if it has its default."""
    fields = table - int.from_bytes(metadata[table : table + 4], "little", signed=True)
    place = fields + 4 + 2 * number
    offset = int.from_bytes(metadata[place : place + 2], "little")
    return table + offset if offset else 0


def _groups(rows: Sequence[int]) -> list[Group]:
    """Record batches of so many rows, neighbours in one group up to ``GROUP`` rows; a place is first and last + 1."""
    found: list[Group] = []
    for i, count in enumerate(rows):
        if found and found[-1].rows + count <= GROUP:
            found[-1] = Group((found[-1].place[0], i + 1), found[-1].rows + count)
        else:
            found.append(Group((i, i + 1), count))
    return found


def _arrow_table(path: Path) -> Any:
    with opened_arrow(path) as file:
        return _validated(file.read_all())


def _arrow_batches(path: Path, place: tuple[int, int], names: Sequence[str], rows: int) -> Iterator[Any]:
    with opened_arrow(path) as file:
        yield from _even((_validated(file.get_batch(i).select(list(names))) for i in range(*place)), rows)


def _validated(batch: Any) -> Any:
    """The batch or table. pyarrow does not look at what it maps, and offsets of a damaged file point anywhere."""
    batch.validate(full=True)
    return batch


def _even(batches: Iterable[Any], rows: int) -> Iterator[Any]:
    """The rows of batches in batches of ``rows`` rows; the last has fewer."""
    held, there = [], 0
    for batch in batches:
        begin = 0
        while begin < batch.num_rows:
            held.append(batch.slice(begin, rows - there))
            begin, there = begin + held[-1].num_rows, there + held[-1].num_rows
            if there == rows:
                yield _one(held)
                held, there = [], 0
    if held:
        yield _one(held)


def _one(batches: Sequence[Any]) -> Any:
    if len(batches) == 1:
        return batches[0]
    return _joined(batches).unify_dictionaries().combine_chunks().to_batches()[0]


def _kinds(table: Any) -> Sequence[Any]:
    return list(table.schema.types)


def _common(name: str, kinds: Sequence[Any], source: str) -> Any:
    """The type that holds the cells of a column of all files."""
    arrow = pyarrow_for(source, "Arrow")
    if len(set(kinds)) > 1:  # files may store the same texts with and without a dictionary
        kinds = [kind.value_type if arrow.types.is_dictionary(kind) else kind for kind in kinds]
    try:
        schemas = [arrow.schema([arrow.field(name, kind)]) for kind in kinds]
        return arrow.unify_schemas(schemas, promote_options="permissive")[0].type
    except arrow.ArrowException as error:
        raise InputError(f"{source}: the files cannot be joined: {one_line(error)}") from None


def _cast(table: Any, kinds: Sequence[Any], source: str) -> Any:
    """The table or batch with the types of all files."""
    if list(table.schema.types) == list(kinds):
        return table
    arrow = pyarrow_for(source, "Arrow")
    try:
        # A float takes any integer, as it does wherever features become numbers.
        columns = [
            column.cast(kind, safe=not arrow.types.is_floating(kind))
            for column, kind in zip(table.columns, kinds, strict=True)
        ]
    except arrow.ArrowException as error:
        raise InputError(f"{source}: the files cannot be joined: {one_line(error)}") from None
    return type(table).from_arrays(columns, names=table.schema.names)


def _joined(tables: Sequence[Any]) -> Any:
    from pyarrow import RecordBatch, Table, concat_tables

    whole = [Table.from_batches([table]) if isinstance(table, RecordBatch) else table for table in tables]
    return concat_tables(whole)


def _what(kind: Any) -> str:
    from pyarrow import types

    texts = kind.value_type if types.is_dictionary(kind) else kind
    found = {
        "text": types.is_string(texts) or types.is_large_string(texts),
        "time": types.is_timestamp(kind) or types.is_date(kind),
        "number": types.is_integer(kind) or types.is_floating(kind),
        "flag": types.is_boolean(kind),
    }
    return next((name for name, is_it in found.items() if is_it), "")


PARQUET = Format(_parquet_layout, _parquet_table, _parquet_batches, _kinds, _common, _cast, _joined, _what)
ARROW = Format(_arrow_layout, _arrow_table, _arrow_batches, _kinds, _common, _cast, _joined, _what)
