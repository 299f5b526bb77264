"""The training rows of a run, for what an export says of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from neuraltree.tree.tree import Tree


def training_rows(run: Path, tree: Tree) -> tuple[NDArray[np.float64], NDArray]:
    """``X`` (rows, features) and ``y`` (rows,) as a tree of the run takes them, read again.

    ``InputError`` if the table cannot be read any more.
    """
    from search.cli.chosen import without_test_rows
    from search.compressing.model_rows import table_for
    from search.config.config import load_config
    from search.folder.records import CONFIG
    from search.table.splits import split

    config = load_config(run / CONFIG)
    table = table_for(tree, config)
    rows = split(table, 0.0 if without_test_rows(run) else config.data.test_fraction, config.run.seed)[0]
    return table.X[rows], table.y[rows]


def word_of_exit(run: Path, tree: Tree) -> str:
    """What an early exit of a tree saves on these rows, with floats as inputs."""
    from neuraltree.compress import early_exit_of, quantize_tree
    from search.errors import InputError

    exits = early_exit_of(quantize_tree(tree))
    try:
        X, _ = training_rows(run, tree)
    except InputError as error:
        return f"what the early exit saves on the training rows is not known: {error}"
    if not exits.looks:
        return f"no early exit pays in this model: the code computes all {exits.most_macs} MACs for every row"
    return f"on {len(X)} training rows {exits.mean_macs(X):.1f} MACs on average, at most {exits.most_macs}"
