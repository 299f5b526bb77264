"""A tree as an ONNX model that takes raw inputs.

Values are (nodes, rows): a level is one Gather of every node's inputs, one product, one sum, and one operator for each
of its activations. All operators are of set 13 and in single floats, so that old and small runtimes can run them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

import neuraltree
from neuraltree.compress.formats import number_format
from neuraltree.compress.int8.dequantize import dequantized
from neuraltree.export.extras import need
from neuraltree.export.names import MARK
from neuraltree.export.needed import needed, reads
from neuraltree.export.onnx.levels import Level, levels, used_features
from neuraltree.export.onnx.onnx_columns import (
    LEVELS_SET,
    add_features,
    column_inputs,
    input_names,
    prefix_beside,
)
from neuraltree.export.onnx.onnx_graph import Graph, single
from neuraltree.export.onnx.onnx_link import add_classes
from neuraltree.inputs.encoders import Category
from neuraltree.tree.tree import Tree

OPSET, IR = 13, 7  # of ONNX 1.8 (2020), the first with the present form of Split and ReduceSum


def export_onnx(tree: Tree, precision: str = "float32", *, name: str = "model") -> bytes:
    """A serialised ONNX model, the same bytes for the same tree.

    Input ``X``: (rows, features) float32, raw, any number of rows; for a tree with columns, an input for each column of
    which it reads a feature, see ``onnx_columns``. Output of a regression: ``variable`` (rows, targets)
    float32. Outputs of a classifier: ``label`` (rows,), strings or int64 (or bool or double, if the classes are), and
    ``probabilities`` (rows, classes) float32. ``precision`` "int8" writes ``compress.dequantized(tree)``: the weights
    of 8-bit code, but arithmetic in single floats. Feature and class names are JSON lists in the metadata, and so are
    columns, as a model file has them.
    ``ValueError`` if the package onnx is missing, the precision is unknown, or ONNX cannot hold a number or a label.
    """
    is_integer = number_format(precision).is_integer
    onnx = need("onnx", "ONNX export")
    need("onnx.checker", "ONNX export")
    source = needed(dequantized(needed(tree)) if is_integer else tree)
    names = input_names(source.columns or ())
    graph = Graph(onnx, prefix_beside(names))
    sums = _add_nodes(graph, source, names)
    outputs = _add_targets(graph, source, sums) if tree.classes is None else add_classes(graph, source, sums)
    if source.columns is None:
        inputs = [onnx.helper.make_tensor_value_info("X", onnx.TensorProto.FLOAT, ["rows", len(tree.features)])]
    else:
        inputs = column_inputs(graph, source.columns, names)
    body = onnx.helper.make_graph(graph.nodes, name, inputs, outputs, graph.constants)
    model = onnx.helper.make_model(
        body,
        opset_imports=[onnx.helper.make_opsetid(domain, version) for domain, version in _operator_sets(source)],
        ir_version=IR,
        producer_name="neuraltree",
        producer_version=neuraltree.__version__,
        doc_string=f"{MARK}; do not edit.",
    )
    onnx.helper.set_model_props(model, _metadata(source, precision))
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _metadata(tree: Tree, precision: str) -> dict[str, str]:
    known = {"kind": tree.kind, "precision": precision, "features": json.dumps(tree.features)}
    if tree.columns is not None:
        known["columns"] = json.dumps(msgspec.to_builtins(tree.columns))
    return known if tree.classes is None else {**known, "classes": json.dumps(tree.classes)}


def _operator_sets(tree: Tree) -> list[tuple[str, int]]:
    """The sets of operators and their versions: ONNX's own, and that of texts if a column has texts."""
    return [("", OPSET), *[LEVELS_SET] * any(isinstance(column, Category) for column in tree.columns or ())]


def _add_nodes(graph: Graph, tree: Tree, names: Sequence[str]) -> str:
    """Add all nodes up to the weighted sums of the outputs, (outputs, rows); of a binary tree the pair (0, logit)."""
    inputs = _add_inputs(graph, tree, names)
    *hidden, top = levels(tree.nodes)
    below = [inputs]
    for level in hidden:
        below = [inputs, *graph.activate_all(_add_sums(graph, level, below), level.kinds)]
    return _add_sums(graph, _pair(top) if tree.kind == "binary" else top, below)


def _add_inputs(graph: Graph, tree: Tree, names: Sequence[str]) -> str:
    """(1 + used, rows): a row of zeros, and the used features standardised. ``names``: those of the columns' inputs.

    A mean is subtracted in two parts, each a single float: together they give the mean to 48 bits, and the first
    difference is exact near the mean, where precision matters.
    """
    used = used_features(tree.nodes)
    if tree.columns is None:
        rows = graph.add("Gather", "X", graph.constant(used), axis=1)
    else:
        rows = add_features(graph, tree.columns, names, reads(tree)[1])
    value = graph.add("Transpose", rows, perm=[1, 0])
    if tree.scaler is not None:
        mean, scale = (part[used, None] for part in (tree.scaler.mean, tree.scaler.scale))
        first = single(mean, "a mean")
        rest = single(mean - first, "a mean")
        value = graph.add("Sub", value, graph.constant(first))
        value = graph.add("Sub", value, graph.constant(rest)) if rest.any() else value
        value = graph.add("Div", value, graph.constant(_divisor(scale)))
    return graph.add("Pad", value, graph.constant(np.array([1, 0, 0, 0], dtype=np.int64)))


def _divisor(scale: Any) -> Any:
    rounded = single(scale, "a scale")
    if (rounded < np.finfo(np.float32).tiny).any():
        raise ValueError(
            f"a scale of {scale.min():g} is too small for single floats (1.2e-38); change the feature's unit"
        )
    return rounded


def _add_sums(graph: Graph, level: Level, below: list[str]) -> str:
    """Add the weighted sums of a level's nodes, (nodes, rows)."""
    values = below[0] if len(below) == 1 else graph.add("Concat", *below, axis=0)
    weight, bias = single(level.weight, "a weight"), single(level.bias, "a bias")
    gathered = graph.add("Gather", values, graph.constant(level.source), axis=0)
    products = graph.add("Mul", gathered, graph.constant(weight[:, :, None]))
    total = graph.add("ReduceSum", products, graph.constant(np.array([1], dtype=np.int64)), keepdims=0)
    return graph.add("Add", total, graph.constant(bias[:, None]))


def _pair(level: Level) -> Level:
    """The level of a single logit as a level of the pair (0, logit)."""
    zero = Level(0 * level.source, 0 * level.weight, 0 * level.bias, level.kinds)
    source, weight, bias = (np.concatenate(pair) for pair in zip(zero[:3], level[:3], strict=True))
    return Level(source, weight, bias, ((level.kinds[0][0], 2),))


def _add_targets(graph: Graph, tree: Tree, sums: str) -> list[Any]:
    (code, _), *_ = levels(tree.nodes)[-1].kinds
    value = graph.add("Transpose", graph.activate(code, sums), perm=[1, 0])
    if tree.target_scaler is not None:
        scaler = tree.target_scaler
        value = graph.add("Mul", value, graph.constant(single(scaler.scale, "a target's scale")))
        value = graph.add("Add", value, graph.constant(single(scaler.mean, "a target's mean")))
    graph.add("Identity", value, to="variable")
    shape = ["rows", tree.num_outputs]
    return [graph.onnx.helper.make_tensor_value_info("variable", graph.onnx.TensorProto.FLOAT, shape)]
