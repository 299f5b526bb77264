"""Numbers of columns to test exported code with, and how far its features may lie from those of doubles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import Input
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.export.c.columns.column_integers import integer_limits, integer_numbers, with_holes
from neuraltree.export.needed import Read
from neuraltree.inputs.encoders import Category, Column, Flag, Ordinal, Time
from neuraltree.inputs.features import RULES

HOLES = 0.15  # share of the cells that may be holes
ALL_HOLES, ALL_OTHER = 4, 5  # rows with a hole wherever there may be one, and with other levels
YEAR = 31_556_952  # seconds


def column_vectors(columns: Sequence[Column], X: NDArray[np.floating]) -> NDArray[np.float32]:
    """(rows, columns) numbers for vectors (rows, features) of all features of the columns.

    A number or a time has the value of its feature, every second time lies within a year of its start, and levels are
    drawn from all that there are.
    """
    rng = np.random.default_rng(1)
    found, first = np.empty((len(X), len(columns)), dtype=np.float32), 0
    for i, column in enumerate(columns):
        found[:, i] = DRAWN.get(type(column), _value)(column, X[:, first].astype(np.float64), rng)
        if column.takes_holes:
            hole = rng.random(len(X)) < HOLES
            hole[ALL_HOLES] = True
            found[hole, i] = np.nan
        first += len(column.features)
    return found


def _value(column: Column, feature: FloatArray, rng: np.random.Generator) -> FloatArray:
    return feature


def _time(column: Column, feature: FloatArray, rng: np.random.Generator) -> FloatArray:
    times = feature.copy()
    times[4::2] = rng.integers(0, YEAR, len(times[4::2]))
    return times


def _flag(column: Column, feature: FloatArray, rng: np.random.Generator) -> FloatArray:
    return rng.integers(0, 2, len(feature)).astype(np.float64)


def _category(column: Any, feature: FloatArray, rng: np.random.Generator) -> FloatArray:
    levels = rng.integers(0, len(column.levels) + 1, len(feature)).astype(np.float64)
    levels[ALL_OTHER] = len(column.levels)
    return levels


def _ordinal(column: Any, feature: FloatArray, rng: np.random.Generator) -> FloatArray:
    return rng.integers(0, len(column.levels), len(feature)).astype(np.float64)


DRAWN: dict[type[Column], Callable[[Any, FloatArray, np.random.Generator], FloatArray]] = {
    Time: _time,
    Flag: _flag,
    Category: _category,
    Ordinal: _ordinal,
}


def features(
    reads: Sequence[Read], X: NDArray[np.floating], inputs: Sequence[Input] = ()
) -> tuple[FloatArray, FloatArray]:
    """(rows, features) the features that are read, in doubles, and how far from them those of single floats may be.

    Features of the integers among the ``inputs`` of the columns are integers, and exact.
    """
    columns = X.astype(np.float64)
    rows = [(RULES[read.feature.rule], columns[:, read.column], read.feature.numbers) for read in reads]
    of = [inputs[read.column] if inputs else Input() for read in reads]
    rows = [
        (rule, with_holes(rule, x, one), integer_numbers(rule, numbers, one))
        if one.row.is_integer
        else (rule, x, numbers)
        for (rule, x, numbers), one in zip(rows, of, strict=True)
    ]
    values, errors = ([getattr(rule, part)(x, *numbers) for rule, x, numbers in rows] for part in ("value", "c_error"))
    errors = [0 * x if one.row.is_integer else x for x, one in zip(errors, of, strict=True)]
    return np.column_stack(values), np.column_stack(errors)


def checked(columns: Sequence[Column], X: NDArray[np.floating], inputs: Sequence[Input] = ()) -> NDArray[np.int64]:
    """(rows,) what ``NAME_check`` returns for the numbers (rows, columns), by limits in single floats, or for integers
    among the ``inputs`` by integers."""
    of = inputs or (Input(),) * len(columns)
    rows = enumerate(zip(columns, of, strict=True))
    fine = np.column_stack([TAKEN[one.row.is_integer](column, X[:, i], one) for i, (column, one) in rows])
    return np.where(fine.all(axis=1), -1, fine.argmin(axis=1))


def _usable_integer(column: Column, numbers: NDArray[np.floating], one: Input) -> NDArray[np.bool_]:
    low, high = integer_limits(column, one)
    hole = (numbers == one.row.hole) & column.takes_holes
    return ((numbers >= low) & (numbers <= high)) | hole


def _usable(column: Column, numbers: NDArray[np.floating], one: Input) -> NDArray[np.bool_]:
    low, high, whole = column.seen
    numbers = numbers.astype(np.float32)
    with np.errstate(over="ignore"):
        within = (numbers >= np.float32(low)) & (numbers <= np.float32(high)) & np.isfinite(numbers)
    return (within & ((numbers % 1 == 0) | (not whole))) | (np.isnan(numbers) & column.takes_holes)


TAKEN: dict[bool, Callable[[Column, NDArray[np.floating], Input], NDArray[np.bool_]]] = {
    False: _usable,
    True: _usable_integer,
}


def steady(
    reads: Sequence[Read], integers: IntegerTree, X: NDArray[np.floating], inputs: Sequence[Input] = ()
) -> NDArray[np.bool_]:
    """(rows,) whether rounding in single floats cannot change an integer of a row."""
    values, errors = features(reads, X, inputs)
    low, middle, high = (integers.quantize(part) for part in (values - errors, values, values + errors))
    return ((low == middle) & (middle == high)).all(axis=1)
