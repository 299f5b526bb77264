"""The labelled rows that say which nodes a device trains."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuraltree.cli.command import say
from neuraltree.updating.selection import SELECTORS, WITHOUT_ROWS
from search.errors import InputError

if TYPE_CHECKING:
    from neuraltree.tree.tree import Tree


def rows_for_update(arguments: argparse.Namespace, run: Path | None) -> tuple[NDArray, NDArray] | None:
    """Raw inputs (rows, features) and labels or target values (rows,), or None if the selector needs none.

    Those of ``--rows``, or else the training rows of the run. ``InputError`` if the table cannot be read, or if it is
    given to a selector that needs none.
    """
    from neuraltree.tree.model_files import load

    row = SELECTORS.get(arguments.select or "")
    if row and not row.needs_rows and arguments.rows:
        raise InputError(f"--select {arguments.select} looks at no rows: leave out --rows, or take another selector")
    if (row and not row.needs_rows) or not (arguments.rows or run):
        return None
    tree = load(arguments.model)
    try:
        X, y = _table_rows(arguments, tree, run) if arguments.rows else _run_rows(run, tree)
    except InputError as error:
        if arguments.select or arguments.rows:
            raise
        say(f"nodes are chosen by {WITHOUT_ROWS!r}: the training rows of the run cannot be read again: {error}")
        return None
    return X, y if tree.classes is None else np.array(tree.classes, dtype=object)[y]


def _run_rows(run: Path | None, tree: Tree) -> tuple[NDArray, NDArray]:
    from search.cli.device_code.training_rows import training_rows

    assert run is not None
    return training_rows(run, tree)


def _table_rows(arguments: argparse.Namespace, tree: Tree, run: Path | None) -> tuple[NDArray, NDArray]:
    """All rows of the table that was given, read as that of the run."""
    import msgspec

    from search.cli.table_source import source_of
    from search.compressing.model_rows import table_for
    from search.config.config import config_of, load_config
    from search.folder.records import CONFIG

    raw: dict[str, Any] = msgspec.to_builtins(load_config(run / CONFIG)) if run else {}
    raw["data"] = raw.get("data", {}) | {"source": source_of(arguments.rows)}
    if arguments.target:
        raw["data"]["target"] = arguments.target
    table = table_for(tree, config_of(raw, "neuraltree export"))
    return table.X, table.y
