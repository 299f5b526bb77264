"""Columns of a table as inputs of an ONNX model, and their features.

Each column is an input (rows, 1) with its name: of texts for a category, where "" is a hole unless it is a level;
otherwise the number of each cell in float32, where NaN is a hole. A category's texts must be its levels letter for
letter; any other text is none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

from neuraltree.export.needed import Read
from neuraltree.export.onnx.onnx_graph import Graph
from neuraltree.inputs.encoders import Category, Column
from neuraltree.inputs.features import RULES

LEVELS_SET = "ai.onnx.ml", 2  # has LabelEncoder from texts to floats
OUTPUTS = ("", "variable", "label", "probabilities")  # names that no input can have


def input_names(columns: Sequence[Column]) -> list[str]:
    """The names of the inputs: those of the columns, with "column " before one that ONNX or an output has already.

    ``ValueError`` for a name or a level that is not UTF-8.
    """
    names = {column.name for column in columns}
    made = []
    for column in columns:
        name = column.name
        _check_text(name, "the name of a column")
        for level in getattr(column, "levels", ()):
            _check_text(level, f"a level of column {name!r}")
        while name in OUTPUTS or (name != column.name and name in names):
            name = f"column {name}".strip()
        made.append(name)
    return made


def _check_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"ONNX texts are UTF-8; {what} is not: {error}; rename it") from None


def prefix_beside(names: Sequence[str]) -> str:
    """A beginning for the names of values that no input's name has."""
    prefix = "_" if names else ""
    while any(prefix and name.startswith(prefix) for name in names):
        prefix += "_"
    return prefix


def column_inputs(graph: Graph, columns: Sequence[Column], names: Sequence[str]) -> list[Any]:
    """The declarations of the inputs."""
    types, make = graph.onnx.TensorProto, graph.onnx.helper.make_tensor_value_info
    kinds = [types.STRING if isinstance(column, Category) else types.FLOAT for column in columns]
    return [make(name, kind, ["rows", 1]) for name, kind in zip(names, kinds, strict=True)]


def add_features(graph: Graph, columns: Sequence[Column], names: Sequence[str], reads: Sequence[Read]) -> str:
    """(rows, features): the features that are read, in their order."""
    numbers = [_number(graph, column, name) for column, name in zip(columns, names, strict=True)]
    found = [RULES[read.feature.rule].onnx(graph, numbers[read.column], *read.feature.numbers) for read in reads]
    return graph.add("Concat", *found, axis=1)


def _number(graph: Graph, column: Column, name: str) -> str:
    """(rows, 1) the numbers of a column."""
    if not isinstance(column, Category):
        return name
    places = {"": nan} | {level: float(i) for i, level in enumerate(column.levels)}
    options: dict[str, Any] = {"keys_strings": list(places), "values_floats": list(places.values())}
    return graph.add("LabelEncoder", name, domain=LEVELS_SET[0], default_float=float(len(column.levels)), **options)
