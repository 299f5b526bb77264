"""Trees and their columns as named arrays, for files and messages."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from neuraltree.tree.nodes import Nodes, join

COLUMN = "column "  # begins the names of columns
Arrays = dict[str, NDArray]


def trees_to_arrays(trees: list[Nodes]) -> Arrays:
    nodes, starts = join(trees)
    return {"nodes": nodes, "starts": starts}


def trees_from_arrays(arrays: Mapping[str, NDArray]) -> list[Nodes]:
    return np.split(arrays["nodes"], arrays["starts"][1:-1])


def columns_to_arrays(columns: Mapping[str, NDArray]) -> Arrays:
    return {COLUMN + name: values for name, values in columns.items()}


def columns_from_arrays(arrays: Mapping[str, NDArray]) -> Arrays:
    return named(arrays, COLUMN)


def named(arrays: Mapping[str, NDArray], prefix: str) -> Arrays:
    """The arrays whose names begin with a prefix, by what follows it."""
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
