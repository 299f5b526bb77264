"""A table as read from its source."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.frames import Columns


@dataclass(frozen=True, eq=False)
class Places:
    """Where rows come from: row i is ``unit`` number ``numbers[i]``, of the file ``names[files[i]]`` if there are
    several. Numbers (rows,) are those of lines of a text, or those of rows from 0."""

    numbers: NDArray[np.int64]
    unit: str = "row"
    names: tuple[str, ...] = ()
    files: NDArray[np.int64] | None = None

    def told(self, row: int) -> str:
        file = "" if self.files is None else f"{self.names[self.files[row]]}, "
        return f"{file}{self.unit} {self.numbers[row]}"

    def take(self, kept: NDArray) -> Places:
        return replace(self, numbers=self.numbers[kept], files=None if self.files is None else self.files[kept])


@dataclass(frozen=True, eq=False)
class Raw:
    """A table before its checks.

    ``columns`` are the features by name, each (rows,): numbers with NaN for a missing cell, or texts as Python objects
    with None for one. ``y`` (rows,) holds numbers, with NaN for a missing cell, or texts as Python objects, with "" for
    a missing cell. ``classes``: the source says that ``y`` holds classes, even if its cells look like numbers.
    ``weight`` (rows,): the weight of each row in training, with NaN for a missing cell; None if all rows count the
    same. ``roles``: the cells of the columns that say how rows may be split, by the key of the config that names them.
    ``notes``: what was mended, a line each. ``faults``: what is wrong with a column, by its name. ``unnamed``: columns
    whose names the file does not have. ``target_hint``: the key of the config, with its value, by which texts of the
    target would be numbers.
    """

    source: str
    columns: Columns
    y: NDArray
    target: str
    places: Places
    weight: NDArray[np.float64] | None = None
    classes: bool = False
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    unnamed: frozenset[str] = frozenset()
    target_hint: str = ""

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def place(self, row: int) -> str:
        return self.places.told(row)

    def said(self, *notes: str) -> Raw:
        return replace(self, notes=(*self.notes, *notes))

    def without(self, names: Iterable[str]) -> Raw:
        left_out = set(names)
        return replace(self, columns={name: cells for name, cells in self.columns.items() if name not in left_out})

    def take(self, kept: NDArray) -> Raw:
        """Some of the rows: ``kept`` are positions, or flags (rows,)."""
        rows = np.arange(len(self.y))[kept]
        return replace(
            self,
            columns={name: cells[rows] for name, cells in self.columns.items()},
            y=self.y[rows],
            places=self.places.take(rows),
            weight=None if self.weight is None else self.weight[rows],
            roles={role: [cells[row] for row in rows.tolist()] for role, cells in self.roles.items()},
        )


def drop_line(already: Sequence[str], more: Sequence[str]) -> str:
    """The line of TOML for ``[data]`` that leaves out the columns ``more`` besides those ``already`` left out."""
    return f"drop = {json.dumps([*already, *more], ensure_ascii=False)}"


def columns_line(kinds: Mapping[str, str | Sequence[str]]) -> str:
    """The line of TOML for ``[data]`` that says what columns hold."""
    pairs = [f"{json.dumps(name, ensure_ascii=False)} = {json.dumps(kind)}" for name, kind in kinds.items()]
    return f"columns = {{{', '.join(pairs)}}}"
