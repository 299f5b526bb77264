"""One pass over all rows: counts, means and deviations, levels, and a sample of the rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.inputs.encoders import CellError, Column
from neuraltree.inputs.frames import holes_of
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import shown
from search.table.cell_checks import LARGEST
from search.table.columnar.column_cells import Coded, as_array, cells_of, coded, target_of
from search.table.files.raw import drop_line
from search.table.streams.moments import Moments
from search.table.streams.row_draws import SAMPLE, RowDraws, uniform
from search.table.streams.stored_rows import Batch, StoredRows
from search.table.target import MOST_CLASSES

MOST_LEVELS = 10_000  # different cells of a column up to which they are counted
LEAST_OF_CLASS = 100  # training rows and test rows of each class in the sample, if it has so many
Key = str | float  # a cell of the target
Mask = NDArray[np.bool_]


@dataclass
class Part:
    """What the pass counts of the training rows or of the test rows: ``classes`` counts rows by the target's cell,
    ``weights`` adds up their weights; both are empty for a target of more than ``MOST_CLASSES`` different cells."""

    rows: int = 0
    classes: Counter[Key] = field(default_factory=Counter)
    weights: Counter[Key] = field(default_factory=Counter)
    weight: float = 0.0


@dataclass
class Survey:
    """What one pass found. ``numbers`` and ``target`` are moments of the training rows, ``levels`` count their cells
    by column, None if there are too many; ``holes`` counts the missing cells of all rows by column.

    ``untargeted``: rows without a target, which are left out. ``sample`` and ``places``: rows, as a table of their
    format and by their numbers.
    """

    numbers: Moments
    target: Moments
    levels: dict[str, Counter[Any] | None]
    holes: Counter[str] = field(default_factory=Counter)
    train: Part = field(default_factory=Part)
    test: Part = field(default_factory=Part)
    untargeted: int = 0
    largest_weight: float = 0.0
    classified: bool = True
    sample: Any = None
    places: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def survey(rows: StoredRows, data: DataConfig, draws: RowDraws, sample_rows: int) -> Survey:
    """Read all rows once. ``InputError`` for numbers that are infinite or too large, and for weights that are none."""
    others = [name for name in rows.features if name not in rows.numbers]
    found = Survey(Moments.none(len(rows.numbers)), Moments.none(1), {name: Counter() for name in others})
    share = sample_rows / max(1.0, rows.rows * (1 - draws.test_fraction))
    sample = _Sample(share, draws.seed)
    for batch in rows.batches():
        _Pass(rows, data, draws, found, sample).take(batch)
    batches, found.places = sample.rows(found.classified)
    found.sample = rows.form.joined(batches) if batches else None
    if data.missing == "refuse" and (left := [name for name in rows.features if found.holes[name]]):
        raise InputError(
            f"{rows.source}: {found.holes.total()} missing values, in {shown(left[0])} and {len(left) - 1} other "
            f'columns; fill them in, leave the columns out: {drop_line(data.drop, left)}, or set missing = "mean"'
        )
    return found


@dataclass
class _Pass:
    rows: StoredRows
    data: DataConfig
    draws: RowDraws
    found: Survey
    sample: _Sample

    def take(self, given: Batch) -> None:
        """Count a batch."""
        first, batch = given
        found, place = self.found, np.arange(first, first + batch.num_rows)
        target = target_cells(batch.column(self.rows.target), self.rows.target, self.data, self.rows.source)
        there = known(target)
        found.untargeted += int(np.count_nonzero(~there))
        tests = self.draws.tests(place)
        train = there & ~tests
        weight = self._weights(batch, first)
        for part, mask in ((found.train, train), (found.test, there & tests)):
            self._count(part, target, mask, weight)
        self._numbers(batch, first, train)
        for name in found.levels:
            self._levels(batch, name, train)
        if self._is_number(target):
            found.target += Moments.of(self._targets(target, first)[train][:, None])
        self.sample.add(batch, place, there, tests, target if found.classified else None)

    def _weights(self, batch: Any, first: int) -> FloatArray | None:
        name = self.rows.weight
        if not name:
            return None
        weight = np.asarray(cells_of(batch.column(name), name, self.data, self.rows.source), dtype=np.float64)
        wrong = ~((weight >= 0) & (weight <= LARGEST))  # NaN is wrong too
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{self.rows.source}: row {first + row}, column {shown(name)}: {weight[row]:g} is no weight; allowed: "
                f"numbers from 0 to {LARGEST:g} in every row"
            )
        self.found.largest_weight = max(self.found.largest_weight, float(weight.max(initial=0.0)))
        return weight

    def _count(self, part: Part, target: Coded, mask: Mask, weight: FloatArray | None) -> None:
        part.rows += int(np.count_nonzero(mask))
        part.weight += float(np.count_nonzero(mask) if weight is None else weight[mask].sum())
        if not self.found.classified:
            return
        levels = target.levels.tolist()
        codes = target.codes[mask]
        rows = np.bincount(codes, minlength=len(levels)).tolist()
        sums = rows if weight is None else np.bincount(codes, weight[mask], minlength=len(levels)).tolist()
        for level, count, total in zip(levels, rows, sums, strict=True):
            if count:
                part.classes[level] += count
                part.weights[level] += total
        self.found.classified = len(part.classes) <= MOST_CLASSES

    def _numbers(self, batch: Any, first: int, train: Mask) -> None:
        found, names = self.found, self.rows.numbers
        if not names:
            return
        X = np.empty((batch.num_rows, len(names)))
        for i, name in enumerate(names):
            X[:, i] = as_array(batch.column(name))
        fitted, others = Moments.of(X[train]), Moments.of(X[~train])
        every = fitted + others
        for name, count in zip(names, every.cells.tolist(), strict=True):
            found.holes[name] += batch.num_rows - int(count)
        check_sizes(X, every, names, first, self.rows.source, self.data)
        found.numbers += fitted

    def _levels(self, batch: Any, name: str, train: Mask) -> None:
        cells = coded(batch.column(name), name, self.data, self.rows.source)
        missing = np.append(holes_of(cells.levels), True)
        self.found.holes[name] += int(np.count_nonzero(missing[cells.codes]))
        counter = self.found.levels[name]
        if counter is None:
            return
        codes = cells.codes[train]
        counts = np.bincount(codes[codes >= 0], minlength=len(cells.levels)).tolist()
        for level, count, hole in zip(cells.levels.tolist(), counts, missing.tolist(), strict=False):
            counter[None if hole else level] += count
        counter[None] += int(np.count_nonzero(codes < 0))
        if len(counter) > MOST_LEVELS:
            self.found.levels[name] = None

    def _is_number(self, target: Coded) -> bool:
        return target.levels.dtype.kind in "iuf"

    def _targets(self, target: Coded, first: int) -> FloatArray:
        """(rows,) the numbers to predict, NaN for a missing one."""
        numbers = np.append(target.levels.astype(np.float64), np.nan)[target.codes]
        column = numbers[:, None]
        check_sizes(column, Moments.of(column), (self.rows.target,), first, self.rows.source, None)
        return numbers


def target_cells(array: Any, name: str, data: DataConfig, source: str) -> Coded:
    """The cells of the target: texts with "" for a missing one, or numbers with NaN; -1 for null."""
    cells = coded(array, name, data, source)
    return Coded(target_of(cells.levels), cells.codes)


def known(target: Coded) -> Mask:
    """(rows,) whether the target is not missing."""
    levels = target.levels
    holes = levels == "" if levels.dtype == object else holes_of(levels)
    there: Mask = np.append(~holes, False)[target.codes]
    return there


def check_sizes(
    X: FloatArray, moments: Moments, names: tuple[str, ...], first: int, source: str, data: DataConfig | None
) -> None:
    """``InputError`` for the first column with a number that is infinite or too large."""
    wrong = (moments.cells > 0) & ((moments.high > LARGEST) | (moments.low < -LARGEST))
    if wrong.any():
        column = int(np.argmax(wrong))
        row = int(np.argmax(np.abs(np.nan_to_num(X[:, column], nan=0.0)) > LARGEST))
        hint = "" if data is None else f" or the column: {drop_line(data.drop, [names[column]])}"
        raise InputError(
            f"{source}: row {first + row}, column {shown(names[column])}: {X[row, column]:g} is infinite or beyond "
            f"±{LARGEST:g}; correct it, or leave out the row{hint}"
        )


class _Sample:
    """Rows whose draw is below ``share``, and of each part of each class the ``LEAST_OF_CLASS`` of the lowest draws."""

    def __init__(self, share: float, seed: int) -> None:
        self.share, self.seed = share, seed
        self._lowest: dict[tuple[Key, bool], FloatArray] = {}
        self._kept: list[tuple[Any, NDArray[np.int64], FloatArray, list[tuple[Key, bool]]]] = []

    def add(self, batch: Any, place: NDArray[np.int64], there: Mask, tests: Mask, target: Coded | None) -> None:
        """``there`` (rows,): whether a row has a target; ``tests`` (rows,): whether it is a test row."""
        draw = uniform(place, self.seed, SAMPLE)
        kept = there & (draw < self.share)
        classes: list[tuple[Key, bool]] = []
        if target is not None:
            levels = target.levels.tolist()
            for code, part in product(range(len(levels)), (False, True)):
                lowest = self._lowest.get((levels[code], part), np.zeros(0))
                border = lowest[-1] if len(lowest) == LEAST_OF_CLASS else 1.0
                low = there & (tests == part) & (target.codes == code) & (draw <= border)
                kept |= low
                self._lowest[levels[code], part] = np.sort(np.concatenate([lowest, draw[low]]))[:LEAST_OF_CLASS]
            classes = [
                (levels[code], part)
                for code, part in zip(target.codes[kept].tolist(), tests[kept].tolist(), strict=True)
            ]
        if kept.any():
            rows = np.flatnonzero(kept)
            self._kept.append((batch.take(rows), place[rows], draw[rows], classes))

    def rows(self, classified: bool) -> tuple[list[Any], NDArray[np.int64]]:
        """The rows in batches, and their numbers; ``classified``: whether the target has few different cells."""
        parts = []
        for batch, place, draw, classes in self._kept:
            border = np.full(len(draw), -1.0)
            if classified:
                border[:] = [self._lowest[each][-1] for each in classes]
            kept = np.flatnonzero((draw < self.share) | (draw <= border))
            parts.append((batch.take(kept), place[kept]))
        places = [place for _, place in parts] or [np.zeros(0, dtype=np.int64)]
        return [batch for batch, _ in parts], np.concatenate(places)


def level_moments(column: Column, levels: Counter[Any], source: str) -> Moments:
    """The moments of a column's features, from the counts of its cells; ``InputError`` for a cell that it cannot
    have."""
    there = [(cell, count) for cell, count in levels.items() if count]
    cells = np.empty(len(there), dtype=object)
    cells[:] = [cell for cell, _ in there]
    try:
        features = np.column_stack([*column.encode(column.numbers(cells))])
    except CellError as error:
        raise InputError(f"{source}: {error.at('a row')}") from None
    return Moments.weighted(features, np.array([count for _, count in there], dtype=np.float64))
