"""The types of the inputs of the code that a search looks for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neuraltree.activations import code_of as activation
from neuraltree.arrays import FloatArray
from neuraltree.compress.formats import InputSpec
from neuraltree.compress.input_types import in_units, sources
from neuraltree.compress.int8.integer_tree import input_kinds
from neuraltree.inputs.encoders import Number
from neuraltree.tree.nodes import IntArray, node_dtype
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from search.errors import InputError
from search.table.data import Table


class TypedInputs(NamedTuple):
    """``spec``: as for ``export_c``. ``kinds`` (features,): see ``integer_tree.input_kinds``; None: all are floats.
    ``reach`` (features,): the 8-bit ranges of the code."""

    spec: InputSpec
    kinds: IntArray | None
    reach: FloatArray


def typed_inputs(spec: InputSpec, table: Table, rows: IntArray, scaler: Scaler, reach: FloatArray) -> TypedInputs:
    """``reach`` (features,): the ranges of floats. ``InputError`` for an unknown column or type, and for a column whose
    numbers in ``rows`` its type cannot hold."""
    X = table.X[rows]
    seen = zip(table.features, X.min(axis=0).tolist(), X.max(axis=0).tolist(), strict=True)
    columns = table.columns or tuple(Number(name, low=low, high=high) for name, low, high in seen)
    nodes = np.zeros(2, dtype=node_dtype())
    nodes["depth"], nodes["op"], nodes["weight"] = [0, 1], [~activation("identity"), 0], 1.0
    tree = Tree(nodes, "regression", table.features, None, scaler, None, reach, columns=columns)
    try:
        kinds = input_kinds(tree, spec)
        adapted = in_units(tree, sources(tree, spec)).input_range
    except ValueError as error:
        raise InputError(f"hardware.input: {str(error).removeprefix('input: ')}") from None
    return TypedInputs(spec, kinds if (kinds >= 0).any() else None, reach if adapted is None else adapted)
