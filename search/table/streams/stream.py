"""The rows of a table that is larger than memory, as features and targets, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.inputs.encoders import CellError, Column
from neuraltree.tree.scaler import Scaler
from search.config.settings import DataConfig
from search.errors import InputError
from search.table.columnar.column_cells import as_array, numbers_of
from search.table.streams.row_draws import RowDraws
from search.table.streams.stored_rows import RowGroup, StoredRows
from search.table.streams.survey import Key, known, target_cells


class Piece(NamedTuple):
    """Rows in natural units: features ``X`` (rows, features), targets ``y`` (rows,) as in a table, and ``weight``
    (rows,), of mean one over all training rows."""

    X: FloatArray
    y: NDArray
    weight: FloatArray


@dataclass(frozen=True, eq=False)
class Stream:
    """``columns`` are the encoders of the features. ``codes`` are the positions of the target's cells among the
    classes; None for a regression. ``class_weight`` (classes,): the weight of a row of each class, if it has its own.
    ``scale_weight`` makes the mean weight of training rows one.

    ``scaler`` and ``target_scaler`` are fitted to all training rows. ``sampled``: so many of these are in the table.
    ``class_rows``: the training and the test rows of each class. ``read_s``: the seconds that the first pass took.
    """

    rows: StoredRows
    data: DataConfig
    draws: RowDraws
    columns: tuple[Column, ...]
    codes: Mapping[Key, int] | None
    class_weight: FloatArray | None
    scale_weight: float
    scaler: Scaler
    target_scaler: Scaler | None
    train_rows: int
    test_rows: int
    sampled: int
    class_rows: Mapping[str, list[int]] | None
    read_s: float

    def pieces(self, groups: Sequence[RowGroup] | None = None, *, test: bool) -> Iterator[Piece]:
        """The training rows or the test rows of row groups, of all if none are given; rows keep their order."""
        names = [*(column.name for column in self.columns), self.rows.target]
        for batch in self.rows.batches(groups, [*names, *[self.rows.weight] * bool(self.rows.weight)]):
            yield self._piece(*batch, test=test)

    def _piece(self, first: int, batch: Any, *, test: bool) -> Piece:
        name = self.rows.target
        target = target_cells(batch.column(name), name, self.data, self.rows.source)
        tests = self.draws.tests(np.arange(first, first + batch.num_rows))
        rows = np.flatnonzero(known(target) & (tests if test else ~tests))
        y = self._targets(target.levels)[target.codes[rows]]
        return Piece(self._features(first, batch, rows), y, self._weights(batch, rows, y))

    def _features(self, first: int, batch: Any, rows: NDArray[np.int64]) -> FloatArray:
        """(rows, features) of some rows of a batch; ``InputError`` for a cell that its column cannot have."""
        found = np.empty((len(rows), sum(len(column.features) for column in self.columns)))
        place = 0
        for column in self.columns:
            try:
                numbers = numbers_of(column, batch.column(column.name), self.data, self.rows.source)[rows]
            except CellError as error:
                raise InputError(f"{self.rows.source}: {error.at(f'a row from {first} on')}") from None
            for values in column.encode(numbers):
                found[:, place] = values
                place += 1
        return found

    def _targets(self, levels: NDArray) -> NDArray:
        """(levels,) the target of each level: its number, or the position of its class."""
        if self.codes is None:
            return levels.astype(np.float64)
        return np.array([self.codes.get(level, 0) for level in levels.tolist()], dtype=np.int64)

    def _weights(self, batch: Any, rows: NDArray[np.int64], y: NDArray) -> FloatArray:
        weight = np.ones(len(rows))
        if self.rows.weight:
            weight = as_array(batch.column(self.rows.weight))[rows].astype(np.float64)
        if self.class_weight is not None:
            weight = weight * self.class_weight[y]
        return weight * self.scale_weight
