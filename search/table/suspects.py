"""What is doubtful in a table and cannot be mended: row numbers, repeated rows, and features that tell the target."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.encoders import Category
from search.config.settings import DataConfig
from search.table.data import Table
from search.table.files.column_roles import told_names
from search.table.files.raw import Raw, drop_line
from search.table.mending import are_row_numbers

NEARLY = 0.999  # the share of rows, or the rank correlation, from which a feature tells the target
MUCH_LESS = 0.1  # the share of wrong rows, of those that the commonest class has, up to which a feature tells a class
MOST_ROWS = 10_000  # that are looked at for it


def suspects(
    table: Table, raw: Raw, train: NDArray[np.int64], test: NDArray[np.int64], data: DataConfig
) -> Iterator[str]:
    """A note for each doubt."""
    numbers = [name for name, cells in raw.columns.items() if name in table.features and are_row_numbers(cells)]
    if numbers:
        yield f"{told_names(numbers)} look{'s' * (len(numbers) == 1)} like row numbers: {drop_line(data.drop, numbers)}"
    if telling := _telling(table, train):
        yield (
            f"the target can be told from {told_names(telling)} alone; if it is not known before the target is, leave "
            f"it out: {drop_line(data.drop, telling)}"
        )
    keys = _keys(table.X)
    repeated = len(keys) - len(np.unique(_mixed(keys, table.y)))
    if repeated:
        yield f"rows that repeat another row: {repeated}"
    if shared := int(np.count_nonzero(np.isin(keys[test], keys[train]))):
        yield f"test rows with the features of a training row: {shared} of {len(test)}"


def _keys(X: NDArray[np.float64]) -> NDArray[np.uint64]:
    """(rows,) a number for each row, the same for equal rows and hardly ever for others."""
    keys = np.zeros(len(X), dtype=np.uint64)
    for column in X.T:
        keys = _mixed(keys, column)
    return keys


def _mixed(keys: NDArray[np.uint64], column: NDArray) -> NDArray[np.uint64]:
    """Keys of rows with another column, by the steps of SplitMix64 (Steele et al. 2014)."""
    bits = (column + 0.0).view(np.uint64)  # -0 becomes 0
    mixed = (keys ^ bits) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _telling(table: Table, train: NDArray[np.int64]) -> list[str]:
    """The columns from each of which the target of nearly all training rows can be told."""
    rows = train[:: -(-len(train) // MOST_ROWS)]
    y = table.y[rows]
    categories = [column for column in table.columns or () if isinstance(column, Category)]
    of_levels = {feature.name for column in categories for feature in column.features}
    found = [
        name
        for i, name in enumerate(table.features)
        if name not in of_levels and _tells(table.X[rows, i], y, table.classes is None)
    ]
    place = {name: i for i, name in enumerate(table.features)}
    for column in categories:
        levels = table.X[np.ix_(rows, np.array([place[feature.name] for feature in column.features]))]
        codes = (levels @ (1 + np.arange(levels.shape[1]))).astype(np.int64)
        if table.classes is not None and _parts(_counts(codes, y)):
            found.append(column.name)
    return found


def _tells(x: NDArray[np.float64], y: NDArray, regression: bool) -> bool:
    if np.ptp(x) == 0:
        return False
    if regression:
        return bool(abs(np.corrcoef(_ranks(x), _ranks(y))[0, 1]) > NEARLY)
    _, place = np.unique(x, return_inverse=True)
    counts = _counts(place, y)
    ranges = np.count_nonzero(np.diff(counts.argmax(axis=1))) + 1
    return _parts(counts, more=int(ranges - np.count_nonzero(counts.sum(axis=0))))


def _ranks(values: NDArray) -> NDArray[np.float64]:
    """(rows,) the rank of each value; equal values have the mean of theirs. SciPy would take a second to import."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _counts(place: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.int64]:
    """(values, classes) the rows of each value of a column and each class."""
    classes = int(y.max()) + 1
    return np.bincount(place * classes + y, minlength=(int(place.max()) + 1) * classes).reshape(-1, classes)


def _parts(counts: NDArray[np.int64], more: int = 0) -> bool:
    """Whether nearly all rows are of the commonest class of their value, many more than of the commonest class of all.

    ``more``: how many more ranges of values there are than classes; each counts as a wrong row.
    """
    rows = int(counts.sum())
    wrong = rows - int(counts.max(axis=1).sum()) + max(0, more)
    return wrong <= (1 - NEARLY) * rows and wrong <= MUCH_LESS * (rows - int(counts.sum(axis=0).max()))
