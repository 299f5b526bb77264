"""The part of a table that a tree reads: its columns without the others, or its features alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuraltree.inputs.encoders import Column
from neuraltree.inputs.features import Feature
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree


class Read(NamedTuple):
    """A feature that a tree reads, and the position of its column."""

    column: int
    feature: Feature


def needed(tree: Tree) -> Tree:
    """The same tree with only the columns of which it reads a feature; predictions are the same bits.

    A tree without columns is returned as it is.
    """
    return needed_by([tree])[0]


def needed_by(trees: Sequence[Tree]) -> list[Tree]:
    """Trees of the same columns with only those of which one of them reads a feature; see ``needed``."""
    if trees[0].columns is None:
        return list(trees)
    widths = [len(column.features) for column in trees[0].columns]
    of = np.repeat(np.arange(len(widths)), widths)  # the column of each feature
    columns = np.unique(of[np.any([_used(tree) for tree in trees], axis=0)])
    kept = tuple(trees[0].columns[i] for i in columns.tolist())
    return [_narrowed(tree, np.isin(of, columns), kept) for tree in trees]


def reads(tree: Tree) -> tuple[Tree, tuple[Read, ...]]:
    """The tree over only the features that it reads, without columns, and what these features are.

    ``tree`` has columns; the positions are those of its columns.
    """
    every = [Read(i, feature) for i, column in enumerate(tree.columns or ()) for feature in column.features]
    used = _used(tree)
    return _narrowed(tree, used, None), tuple(
        read for read, is_used in zip(every, used.tolist(), strict=True) if is_used
    )


def _used(tree: Tree) -> NDArray[np.bool_]:
    """(features,) whether a leaf reads the feature."""
    used = np.zeros(len(tree.features), dtype=bool)
    used[tree.nodes["op"][tree.nodes["op"] >= 0]] = True
    return used


def _narrowed(tree: Tree, keep: NDArray[np.bool_], columns: tuple[Column, ...] | None) -> Tree:
    """The tree with the features ``keep`` (features,), which are all that it reads."""
    nodes, place = tree.nodes.copy(), np.cumsum(keep) - 1
    leaf = nodes["op"] >= 0
    nodes["op"][leaf] = place[nodes["op"][leaf]]
    reach, middle = (None if part is None else part[keep] for part in (tree.input_range, tree.input_middle))
    return replace(
        tree,
        nodes=nodes,
        features=tuple(name for name, is_kept in zip(tree.features, keep.tolist(), strict=True) if is_kept),
        scaler=None if tree.scaler is None else Scaler(tree.scaler.mean[keep], tree.scaler.scale[keep]),
        input_range=reach,
        input_middle=middle,
        columns=columns,
    )
