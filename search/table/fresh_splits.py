"""The splits of the judgement: sets of folds that the search has not used, under the same rules of the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from search.table.data import Table
from search.table.split_columns import Codes
from search.table.splits import RowIndices, Split, drawn_folds, forward_folds, learnable

FOLDS, REPEATS = 5, 3
SPLITS = 1_000_003  # between the seeds of the splits of two repeats; the search splits by the seed itself
ATTEMPTS = 20  # draws for each repeat


def fresh_folds(table: Table, train_rows: RowIndices, used: Sequence[Split], seed: int) -> Iterator[list[Split]]:
    """At most ``REPEATS`` sets of folds that differ from each other and from those ``used``.

    Drawn folds are fewer than ``FOLDS`` if a class has fewer rows, or if there are no more groups than that: folds of
    one group each can be made in one way only. If a column gives the search its folds, the judgement draws others.
    Folds in time have other borders because their number differs: 5, 6, 7, or fewer if there are few times.
    """
    time = table.rules.time
    sets = _drawn(table, train_rows, seed) if time is None else _later(table, time, train_rows)
    return islice(_unseen(sets, used), REPEATS)


def _unseen(sets: Iterable[Iterable[list[Split]]], used: Sequence[Split]) -> Iterator[list[Split]]:
    """Of each choice of folds the first that was not seen before, if there is one."""
    seen = {_held(used)}
    for choice in sets:
        for folds in choice:
            if _held(folds) not in seen:
                seen.add(_held(folds))
                yield folds
                break


def _held(folds: Sequence[Split]) -> frozenset[bytes]:
    return frozenset(held.tobytes() for _, held in folds)


def _drawn(table: Table, rows: RowIndices, seed: int) -> Iterator[Iterator[list[Split]]]:
    """For each repeat, the draws in which every fold can learn every class."""
    count, group = _count(table, rows), table.rules.group

    def draws(repeat: int) -> Iterator[list[Split]]:
        for attempt in range(ATTEMPTS):
            folds = drawn_folds(table, rows, count, (seed + SPLITS * (1 + repeat + REPEATS * attempt)) % 2**32)
            # If the weights of a class are 0 in some fold of every draw, its trees do not learn it there.
            if learnable(table, folds) or (group is None and attempt == ATTEMPTS - 1):
                yield folds

    return (draws(repeat) for repeat in range(REPEATS))


def _count(table: Table, rows: RowIndices) -> int:
    """The number of folds to draw."""
    least = [FOLDS, len(rows)]
    if table.classes is not None:
        least.append(int(np.bincount(table.y[rows]).min()))
    if table.rules.group is not None:
        least.append(len(np.unique(table.rules.group[rows])) - 1)
    return max(2, min(least))


def _later(table: Table, time: Codes, rows: RowIndices) -> Iterator[list[list[Split]]]:
    """Folds in time, first of the usual numbers, then of smaller ones."""
    for count in (*range(FOLDS, FOLDS + REPEATS + 1), *range(FOLDS - 1, 1, -1)):
        folds = forward_folds(table, time, rows, count)
        yield [folds] if len(folds) > 1 else []
