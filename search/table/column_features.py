"""The features of a table's columns: encoders chosen from the training rows, and what they make of all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.column_choice import choose, kind_of
from neuraltree.inputs.encoders import Category, CellError, Column, Flag, Number, Ordinal
from neuraltree.inputs.encoding import encode, feature_names, repeated_name
from neuraltree.inputs.frames import holes_of
from neuraltree.inputs.texts import level_text
from neuraltree.inputs.times import fault_of
from search.config.settings import DataConfig
from search.errors import InputError
from search.strict import shown
from search.table.data import Table
from search.table.files.column_roles import told_names
from search.table.files.raw import Raw, drop_line

MOSTLY_HOLES = 0.9  # the share of missing cells that is told
MOSTLY_RARE = 0.5  # the share of cells without a level that is told
ALL_DIFFERENT = 0.9  # the share of different texts from which they are names of rows
# By what the config says of a column: a column that refuses any cell that does not fit.
_PROBES: Mapping[str, Callable[[str, Any], Column]] = {
    "number": lambda name, _: Number(name),
    "boolean": lambda name, _: Flag(name),
    "levels": lambda name, levels: Ordinal(name, tuple(map(level_text, levels))),
}


def features_of(table: Table, raw: Raw, train: NDArray[np.int64], data: DataConfig) -> Table:
    """The table with its features, its columns, and the notes of ``raw`` and of the columns.

    Kinds are those of all cells; the constants of encoders come from the rows ``train`` alone. ``InputError`` for cells
    that do not fit what the config says of their column.
    """
    left_out = {name: why for name, cells in raw.columns.items() if (why := _useless(cells, name, train, data))}
    made, problems = [], []
    for name, cells in raw.columns.items():
        if name in left_out:
            continue
        try:
            made.append(_encoder(name, cells, train, data))
        except CellError as error:
            problems.append(f"{raw.source}: {error.at(raw.place(error.row))}")
        except ValueError as error:
            problems.append(f"{raw.source}: {error}")
    if not made and not problems:
        problems.append(f"{raw.source}: no column is left to predict from; {'; '.join(left_out.values())}")
    if name := repeated_name(made):
        problems.append(f"{raw.source}: two columns would make a feature {name!r}; rename one of them")
    if problems:
        raise InputError(*problems)
    kept = raw.without(left_out)
    plain = all(_is_plain(column, raw.columns[column.name]) for column in made)
    try:
        X = np.column_stack([*kept.columns.values()]) if plain else encode(made, kept.columns)
    except CellError as error:  # of a test row, unlike the training rows that the encoder was made from
        raise InputError(f"{raw.source}: {error.at(raw.place(error.row))}") from None
    notes = (*raw.notes, *left_out.values(), *_of_rare(made, kept, train), *_of_holes(kept, data))
    names = feature_names(made)
    X = np.ascontiguousarray(X, dtype=np.float64)
    return replace(table, X=X, features=names, columns=None if plain else tuple(made), notes=notes)


def _encoder(name: str, cells: NDArray, train: NDArray[np.int64], data: DataConfig) -> Column:
    kind = data.columns.get(name) or kind_of(cells)
    if probe := _PROBES.get("levels" if isinstance(kind, tuple) else kind.partition(" ")[0]):
        probe(name, kind).numbers(cells)
    filling = None if data.missing == "refuse" else data.missing
    asked = list(kind) if isinstance(kind, tuple) else kind
    return choose(name, cells[train], asked, filling, indicator=data.missing_indicator)


def _is_plain(column: Column, cells: NDArray) -> bool:
    return isinstance(column, Number) and not holes_of(cells).any()


def _useless(cells: NDArray, name: str, train: NDArray[np.int64], data: DataConfig) -> str:
    """Why a column is left out; "" if it is not."""
    known = cells[train]
    there = known[~holes_of(known)].tolist()
    if not there:
        return f"column {shown(name)} left out: every cell of the training rows is missing"
    if name in data.columns or kind_of(cells) != "category":
        return ""
    different = len(set(map(level_text, there)))
    try:
        choose(name, known, "category", "mean", indicator=False)
        usable = different < ALL_DIFFERENT * len(there)
    except ValueError:  # no level has rows enough
        usable = False
    if usable:
        return ""
    times = fault_of(set(map(level_text, there)))
    hint = f"; if they are times: {times}" if times else ""
    return (
        f"column {shown(name)} left out: {different} different texts in {len(there)} training rows, as names have{hint}"
    )


def _of_rare(made: Sequence[Column], raw: Raw, train: NDArray[np.int64]) -> Iterator[str]:
    """A note for each category most of whose cells are none of its levels."""
    for column in made:
        if isinstance(column, Category):
            cells = raw.columns[column.name][train]
            texts = [level_text(cell) for cell in cells[~holes_of(cells)].tolist()]
            rare = sum(text not in column.levels for text in texts)
            if rare > MOSTLY_RARE * len(texts):
                yield (
                    f"column {shown(column.name)} has {len(set(texts))} different texts in {len(texts)} training rows, "
                    f"{rare} of which have none of its {len(column.levels)} levels, because others are rare"
                )


def _of_holes(raw: Raw, data: DataConfig) -> list[str]:
    holes = {name: int(np.count_nonzero(holes_of(cells))) for name, cells in raw.columns.items()}
    holes = {name: count for name, count in holes.items() if count}
    if not holes:
        return []
    counts = told_names([*holes], 5)
    notes = [
        f"{sum(holes.values())} missing cells in {counts}: numbers get the {data.missing} of the training rows, "
        "categories none of their levels"
    ]
    if mostly := [name for name, count in holes.items() if count > MOSTLY_HOLES * len(raw.y)]:
        share = f"more than {100 * MOSTLY_HOLES:.0f} %"
        notes.append(f"{share} of the cells are missing in {told_names(mostly)}: {drop_line(data.drop, mostly)}")
    return notes
