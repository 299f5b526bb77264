"""The rows of files of columns, a batch at a time: which columns they have, where the rows lie, and their cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import shown
from search.table.columnar.column_formats import check_names, format_of
from search.table.columnar.layouts import BATCH, Format
from search.table.files.byte_text import check_file
from search.table.files.column_roles import choose_columns
from search.table.files.raw import drop_line

Batch = tuple[int, Any]  # the number of its first row, and its cells as a pyarrow.RecordBatch or an ``ArrayBatch``


Stamp = tuple[int, int]  # the bytes of a file, and when it was last written, in ns


class RowGroup(NamedTuple):
    """Rows that a file holds together at a ``place``; ``first`` is the number of the first, from 0 over all files."""

    file: int
    place: Any
    first: int
    rows: int


@dataclass(frozen=True, eq=False)
class StoredRows:
    """``names`` are the columns that are read. ``numbers`` are those of the features among them that hold numbers.

    ``kinds`` are the types of these columns in their format: the common ones, if they differ from file to file.
    ``stamps``: by which a file is known to be the one that was there at the beginning.
    """

    source: str
    form: Format
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
        kinds = [self.kinds[name] for name in wanted]
        for group in self.groups if groups is None else groups:
            first = group.first
            self._check_same(group.file)
            for batch in self.form.batches(self.paths[group.file], group.place, wanted, BATCH):
                yield first, self.form.cast(batch, kinds, self.source)
                first += batch.num_rows

    def _check_same(self, file: int) -> None:
        """``InputError`` for a file that was replaced: its rows would be trained on by what the old ones were like."""
        if _stamp(self.paths[file]) != self.stamps[file]:
            raise InputError(
                f"{self.source}: {self.paths[file]} was changed while the run read it; restore it and resume the run, "
                "or begin a new one"
            )


def stored_rows(paths: Sequence[Path], data: DataConfig, source: str) -> StoredRows:
    """``InputError`` unless the files have the same columns, and those that are read can be read in batches."""
    form = format_of(source)
    assert form is not None
    stamps = tuple(map(_stamp, paths))
    layouts = [form.layout(path) for path in paths]
    check_names(paths, [layout.names for layout in layouts], source)
    names = layouts[0].names
    if len(set(names)) < len(names):
        raise InputError(f"{source}: two columns have one name; rename one, or read the table whole: sample_rows = 0")
    groups, first = list[RowGroup](), 0
    for file, layout in enumerate(layouts):
        for group in layout.groups:
            groups.append(RowGroup(file, group.place, first, group.rows))
            first += group.rows
    target, features, roles = choose_columns(names, data, source)
    if others := [role for role in roles if role != "weight"]:
        raise InputError(
            f"{source}: data.{others[0]} needs the whole table in memory, and this one is read in blocks: leave it "
            "out, or read the table whole: sample_rows = 0"
        )
    read = [*features, target, *roles.values()]
    kinds = {names[i]: form.common(names[i], [layout.kinds[i] for layout in layouts], source) for i in read}
    what = {name: form.what(kind) for name, kind in kinds.items()}
    if odd := [name for name in what if not what[name]]:
        hint = "name another data.target" if names[target] in odd[:1] else drop_line(data.drop, odd)
        raise InputError(
            f"{source}: column {shown(odd[0])} holds {kinds[odd[0]]}, which is no number, text, flag or time: {hint}"
        )
    weight = names[roles["weight"]] if roles else ""
    if weight and what[weight] != "number":
        raise InputError(f"{source}: the weights {shown(weight)} are not numbers")
    own = tuple(names[i] for i in features)
    numbers = tuple(name for name in own if what[name] == data.columns.get(name, "number") == "number")
    return StoredRows(source, form, tuple(paths), stamps, tuple(groups), kinds, own, numbers, names[target], weight)


def _stamp(path: Path) -> Stamp:
    check_file(path)
    found = path.stat()
    return found.st_size, found.st_mtime_ns
