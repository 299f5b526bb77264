"""The seeded hold-outs that every model of an experiment is trained and tested on."""

from __future__ import annotations

from search.table.data import Table
from search.table.splits import RowIndices, split

TEST_FRACTION = 0.2


def holdout(table: Table, seed: int) -> tuple[RowIndices, RowIndices]:
    """(training rows, test rows) of a table, each class in proportion: those of a search with ``run.seed = seed``."""
    return split(table, TEST_FRACTION, seed)
