"""The parts of a table: training rows, test rows and folds, as its rules say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.config.settings import DataConfig
from search.strict import shown
from search.table.data import Table
from search.table.split_columns import TEST, Codes

RowIndices = NDArray[np.int64]
Split = tuple[RowIndices, RowIndices]  # rows to fit and rows to predict, sorted

HOLD_OUT = 0.25  # share of the training rows that are validation rows if there is one fold
DRAWS = 20  # splits of groups that are tried: they differ in the rows and classes of their parts
MANY_GROUPS = 1000  # from which folds of groups are balanced without looking at their sizes, which takes seconds


def split(table: Table, test_fraction: float, seed: int) -> Split:
    """The training rows and the test rows, as sorted positions.

    The test rows are those given, the last in time, or drawn: whole groups, and each class in proportion.
    """
    from sklearn.model_selection import train_test_split

    rules, rows = table.rules, np.arange(len(table.y))
    if not test_fraction:
        return rows, rows[:0]
    if rules.part is not None:
        return rows[rules.part != TEST], rows[rules.part == TEST]
    if rules.time is not None:
        order = _in_time(rules.time, rows)
        return _forward(rules.time, rules.known, order, [len(rows) - math.ceil(len(rows) * test_fraction)])[0]
    if rules.group is not None:
        return _cut_groups(table, rules.group, rows, test_fraction, seed, least=2)
    classes = None if table.classes is None else table.y
    train, test = train_test_split(rows, test_size=test_fraction, random_state=seed, stratify=classes)
    return np.sort(train), np.sort(test)


def make_folds(table: Table, train_rows: RowIndices, folds: int, seed: int) -> list[Split]:
    """(fit rows, validation rows) of each fold, as sorted positions in the table; one fold is a hold-out.

    With times there can be fewer folds than asked for. Given folds are those of the column, however many.
    """
    from sklearn.model_selection import PredefinedSplit

    rules = table.rules
    if rules.time is not None:
        return forward_folds(table, rules.time, train_rows, folds)
    if rules.part is not None and rules.given_folds:
        return _rows_of(train_rows, PredefinedSplit(rules.part[train_rows]).split())
    return drawn_folds(table, train_rows, folds, seed)


def drawn_folds(table: Table, train_rows: RowIndices, folds: int, seed: int) -> list[Split]:
    """Folds drawn by ``seed``: of whole groups if there are any, with each class in proportion."""
    from sklearn.model_selection import KFold, ShuffleSplit, StratifiedKFold, StratifiedShuffleSplit

    if (group := table.rules.group) is not None:
        if folds == 1:
            return [_cut_groups(table, group, train_rows, HOLD_OUT, seed, least=1)]
        return _group_folds(table, group, train_rows, folds, seed)
    if folds == 1:
        splitter = ShuffleSplit if table.classes is None else StratifiedShuffleSplit
        cut = splitter(n_splits=1, test_size=HOLD_OUT, random_state=seed)
    else:
        folder = KFold if table.classes is None else StratifiedKFold
        cut = folder(n_splits=folds, shuffle=True, random_state=seed)
    target = table.y[train_rows]
    return _rows_of(train_rows, cut.split(target, target))


def forward_folds(table: Table, time: Codes, train_rows: RowIndices, folds: int) -> list[Split]:
    """Folds whose validation rows are later than their fit rows: the past grows from fold to fold.

    The borders are those of ``TimeSeriesSplit``, moved to the beginning of a time, so that rows of one time stay
    together. The first fold begins as soon as its past holds every class. There are fewer folds if borders meet.
    """
    from sklearn.model_selection import TimeSeriesSplit

    order, rows = _in_time(time, train_rows), len(train_rows)
    start = _learnable_from(table, time, order)
    share = 1 / (folds + 1) if folds > 1 else HOLD_OUT
    size = min(int(rows * share), (rows - start) // folds)
    if size < 1:
        return []
    cut = TimeSeriesSplit(n_splits=max(2, folds), test_size=size)
    borders = [int(held[0]) for _, held in cut.split(order)]
    made = _forward(time, table.rules.known, order, borders[-folds:])
    return [pair for pair in made if len(pair[0])]


def told(table: Table, data: DataConfig, train: RowIndices, test: RowIndices) -> str:
    """How the rows are split, for people."""
    rules, how = table.rules, []
    if table.stream is not None:
        return "drawn at random, row by row"
    if rules.group is not None:
        counts = [len(np.unique(rules.group[rows])) for rows in (train, test)]
        how.append(f"no group of {shown(data.group)} lies in two parts: {counts[0]} to train, {counts[1]} to test")
    if rules.time is not None:
        order = shown(data.time) if data.time else "time"
        how.append(f"in the order of {order}: test rows are the last, validation rows later than fitted ones")
    if rules.part is not None:
        folds = f"{rules.given_folds} folds" if rules.given_folds else "the test rows; folds are drawn"
        how.append(f"{shown(data.split)} gives {folds}")
    return "; ".join(how) or "drawn at random"


def learnable(table: Table, folds: Sequence[Split]) -> bool:
    """Whether the fit rows of every fold hold every class, with some weight."""
    return all(class_weights(table, fit).min() > 0 for fit, _ in folds)


def class_weights(table: Table, rows: RowIndices) -> NDArray[np.float64]:
    """(classes,) the weight of these rows of each class; of a regression, (1,) that of all."""
    weight = np.ones(len(table.y)) if table.weight is None else table.weight / table.weight.max()
    codes = class_codes(table)
    # Training in float32 may round the smallest weights to 0.
    weights: NDArray[np.float64] = weight[rows].astype(np.float32).astype(np.float64)
    return np.bincount(codes[rows], weights, minlength=int(codes.max()) + 1).astype(np.float64)


def class_codes(table: Table) -> NDArray[np.int64]:
    """(rows,) the class of each row; of a regression, 0 in every row."""
    return np.zeros(len(table.y), dtype=np.int64) if table.classes is None else table.y


def positions(folds: Sequence[Split], train_rows: RowIndices) -> list[Split]:
    """Folds as positions among the training rows instead of rows of the table."""
    return [(np.searchsorted(train_rows, fit), np.searchsorted(train_rows, validation)) for fit, validation in folds]


def groups_of_classes(table: Table, group: Codes, rows: RowIndices) -> NDArray[np.int64]:
    """(classes,) the number of groups among the rows in which each class lies; of a regression, (1,) of all groups."""
    codes, width = class_codes(table), int(group.max()) + 1
    pairs = np.unique(codes[rows] * width + group[rows])
    return np.bincount(pairs // width, minlength=int(codes.max()) + 1)


def _rows_of(rows: RowIndices, pairs: object) -> list[Split]:
    return [(np.sort(rows[fit]), np.sort(rows[held])) for fit, held in pairs]  # type: ignore[attr-defined]


def _cut_groups(table: Table, group: Codes, rows: RowIndices, share: float, seed: int, *, least: int) -> Split:
    """Rows that are left, and the rows of about ``share`` of the groups.

    Of some draws the one that leaves every class in ``least`` groups, takes some rows of every class, and comes nearest
    to the share in every class.
    """
    from sklearn.model_selection import GroupShuffleSplit

    codes = class_codes(table)[rows]
    wanted = share * np.bincount(codes)

    def faults(pair: Split) -> tuple[int, int, float]:
        left, taken = pair
        counts = np.bincount(codes[taken], minlength=len(wanted))
        lacking = np.count_nonzero(groups_of_classes(table, group, rows[left]) < least)
        return int(lacking), int(np.count_nonzero(counts == 0)), float(np.abs(counts - wanted).sum())

    cut = GroupShuffleSplit(n_splits=DRAWS, test_size=share, random_state=seed)
    return _rows_of(rows, [min(cut.split(rows, groups=group[rows]), key=faults)])[0]


def _group_folds(table: Table, group: Codes, rows: RowIndices, folds: int, seed: int) -> list[Split]:
    """Folds of whole groups: the first draw in which every fold can learn every class, else the last one."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    codes, groups = class_codes(table)[rows], group[rows]
    # Without classes, this one balances the rows of the folds.
    folder = StratifiedGroupKFold if len(np.unique(groups)) < MANY_GROUPS else GroupKFold
    for state in np.random.SeedSequence(seed).generate_state(DRAWS):
        cut = folder(n_splits=folds, shuffle=True, random_state=int(state))
        found = _rows_of(rows, cut.split(codes, codes, groups))
        if learnable(table, found):
            break
    return found


def _in_time(time: Codes, rows: RowIndices) -> RowIndices:
    return rows[np.argsort(time[rows], kind="stable")]


def _learnable_from(table: Table, time: Codes, order: RowIndices) -> int:
    """The fewest of the ordered rows, with all rows of their last time, that hold every class."""
    codes = class_codes(table)[order]
    kinds, first = np.unique(codes, return_index=True)
    if len(kinds) <= class_codes(table).max():
        return len(order)
    return int(np.searchsorted(time[order], time[order][first.max()], side="right"))


def _forward(time: Codes, known: Codes | None, order: RowIndices, borders: Sequence[int]) -> list[Split]:
    """For each border, the rows before and the rows up to the next; rows of one time are behind a border. Of the rows
    before, those whose targets are not known by the time of the border are left out."""
    times = time[order]
    ready = times if known is None else known[order]
    moved = np.unique(np.searchsorted(times, times[list(borders)])).tolist()
    ends = [*moved[1:], len(order)]
    return [
        (np.sort(order[:border][ready[:border] <= times[border]]), np.sort(order[border:end]))
        for border, end in zip(moved, ends, strict=True)
    ]
