"""What a format of columns says of its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

BATCH = 2**16  # rows that are decoded at once
GROUP = 2**20  # rows of a group, in a format whose files have no groups of their own


class Group(NamedTuple):
    """Rows that can be read by themselves: where a file has them, as its format knows it, and how many there are."""

    place: Any
    rows: int


class Layout(NamedTuple):
    """The names and types of a file's columns, and its groups of rows."""

    names: list[str]
    kinds: list[Any]
    groups: list[Group]

    @property
    def rows(self) -> int:
        return sum(group.rows for group in self.groups)


class Format(NamedTuple):
    """How files are read, and what the types of their columns are.

    ``whole(path)`` is the table of a file. ``batches(path, place, names, rows)`` are the rows of the group at a place,
    so many at a time, with these columns. ``kinds(table)`` are the types of its columns.
    ``common(name, kinds, source)`` is a type for the cells of a column that has these types in several files,
    ``cast(table, kinds, source)`` has its columns with other types, and ``joined`` the rows of several tables or
    batches. ``what(kind)`` is "number", "text", "flag", "time", or "" for other cells.

    ``InputError`` for files that cannot be read, and for types that do not fit together.
    """

    layout: Callable[[Path], Layout]
    whole: Callable[[Path], Any]
    batches: Callable[[Path, Any, Sequence[str], int], Iterator[Any]]
    kinds: Callable[[Any], Sequence[Any]]
    common: Callable[[str, Sequence[Any], str], Any]
    cast: Callable[[Any, Sequence[Any], str], Any]
    joined: Callable[[Sequence[Any]], Any]
    what: Callable[[Any], str]
