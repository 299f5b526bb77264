"""The end of a classifier in ONNX: from the sums of the output nodes to labels and probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from neuraltree.export.onnx.onnx_graph import Graph
from neuraltree.tree.labels import Label
from neuraltree.tree.tree import Tree


def add_classes(graph: Graph, tree: Tree, sums: str) -> list[Any]:
    """Add labels and probabilities from the sums (classes, rows); returns the declarations of both outputs."""
    assert tree.classes is not None
    types, make = graph.onnx.TensorProto, graph.onnx.helper.make_tensor_value_info
    sums = graph.add("Transpose", sums, perm=[1, 0])
    link, kind = LINKS[tree.output_activation]
    values, probabilities = link(graph, sums, len(tree.classes))
    if tree.logit_threshold:  # the pair (0, logit) becomes (threshold, logit)
        values = graph.add("Add", values, graph.constant(np.array([tree.logit_threshold, 0], dtype=np.float32)))
    where = _first_largest(graph, values, kind)
    graph.add("Identity", probabilities, to="probabilities")
    labels, kind = _labels(graph, tree.classes)
    graph.add("Gather", labels, where, to="label", axis=0)
    return [
        make("label", getattr(types, kind), ["rows"]),
        make("probabilities", types.FLOAT, ["rows", len(tree.classes)]),
    ]


def _softmax(graph: Graph, logits: str, classes: int) -> tuple[str, str]:
    return logits, graph.add("Softmax", logits, axis=1)


def _shares(graph: Graph, sums: str, classes: int) -> tuple[str, str]:
    """The sigmoids, and each divided by their sum; equal shares if the sum is 0.

    They are in double precision: in single floats every sigmoid from 17 on is 1, so the larger of two could not be
    told. They are written out because the double Sigmoid of onnxruntime is 0 below -37.
    """
    one, even = graph.constant(1.0), graph.constant(1 / classes)
    powers = graph.add("Exp", graph.add("Neg", graph.cast(sums, "DOUBLE")))
    shares = graph.add("Div", one, graph.add("Add", powers, one))
    total = graph.add("ReduceSum", shares, graph.constant(np.array([1], dtype=np.int64)), keepdims=1)
    some = graph.add("Greater", total, graph.constant(0.0))
    probabilities = graph.add("Where", some, graph.add("Div", shares, total), even)
    return shares, graph.cast(probabilities, "FLOAT")


# By output activation: a function that adds the outputs to compare and the probabilities, and the type of the outputs.
LINKS: dict[str, tuple[Callable[[Graph, str, int], tuple[str, str]], str]] = {
    "identity": (_softmax, "FLOAT"),
    "sigmoid": (_shares, "DOUBLE"),
}


def _first_largest(graph: Graph, values: str, kind: str) -> str:
    """(rows,) positions as NumPy's argmax gives them: the first of equals, and the first NaN before any number.

    ONNX does not define the largest among numbers and NaN, so a row with NaN is replaced by the flags that mark its
    NaNs.
    """
    unknown = graph.cast(graph.add("IsNaN", values), kind)
    any_unknown = graph.cast(graph.add("ReduceMax", unknown, axes=[1], keepdims=1), "BOOL")
    return graph.add("ArgMax", graph.add("Where", any_unknown, unknown, values), axis=1, keepdims=0)


# By the type of the class labels: the type in ONNX and the type of the array.
LABELS: dict[type, tuple[str, type]] = {
    int: ("INT64", np.int64),
    bool: ("BOOL", np.bool_),
    float: ("DOUBLE", np.float64),
}


def _labels(graph: Graph, classes: tuple[Label, ...]) -> tuple[str, str]:
    """A constant that holds all labels, and its type in ONNX."""
    try:
        if isinstance(classes[0], str):
            return graph.strings([str(label) for label in classes]), "STRING"
        kind, dtype = LABELS[type(classes[0])]
        return graph.constant(np.array(classes, dtype=dtype)), kind
    except (UnicodeEncodeError, OverflowError) as error:
        raise ValueError(f"ONNX labels are UTF-8 texts or 64-bit integers; a class is neither: {error}") from None
