"""The rows of a table in the features of a finished model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.encoders import CellError, Number
from neuraltree.inputs.encoding import encode
from neuraltree.tree.tree import Tree
from search.errors import InputError
from search.table.data import Table
from search.table.files.raw import Raw
from search.table.loading import read_table

if TYPE_CHECKING:
    from search.config.config import Config


def table_for(tree: Tree, config: Config) -> Table:
    """The table of a config with the tree's features and the order of its classes.

    ``InputError`` if the table does not fit the tree: another kind of target, unknown classes, columns that are not
    there or that hold what the tree's encoders do not take.
    """
    raw, table = read_table(config)
    if table.kind != tree.kind and (table.classes is None or tree.classes is None):
        raise InputError(
            f"{raw.source}: the model is for {tree.kind}, but {table.target!r} makes a {table.kind} task; name its "
            "target with --target"
        )
    return replace(
        table,
        X=_features(tree, raw),
        y=table.y if tree.classes is None else _codes(tree, table, raw.source),
        features=tree.features,
        classes=tree.classes,
        kind=tree.kind,
        columns=tree.columns,
        stream=None,  # what is done with a finished model is done with rows in memory
        whole=None,
    )


def _features(tree: Tree, raw: Raw) -> NDArray[np.float64]:
    try:
        columns = tree.columns or tuple(Number(name) for name in tree.features)
        return encode(columns, raw.columns, [column.name for column in tree.columns_read])
    except CellError as error:
        raise InputError(f"{raw.source}: {error.at(raw.place(error.row))}") from None
    except ValueError as error:
        raise InputError(f"{raw.source}: {error}") from None


def _codes(tree: Tree, table: Table, source: str) -> NDArray[np.int64]:
    """The position of each row's class among those of the tree."""
    known: dict[Any, int] = {str(label): place for place, label in enumerate(tree.classes or ())}
    unknown = [label for label in table.classes or () if str(label) not in known]
    if unknown:
        raise InputError(
            f"{source}: {table.target!r} holds {unknown[0]!r}, which is none of the model's classes: {', '.join(known)}"
        )
    return np.array([known[str(label)] for label in table.classes or ()], dtype=np.int64)[table.y]
