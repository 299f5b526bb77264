"""ONNX models that take columns, in onnxruntime, against the tree on the same frames."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from neuraltree.compress import dequantized
from neuraltree.export import export_onnx
from neuraltree.export.needed import needed
from neuraltree.inputs.encoders import Category, Column, Flag, Number
from neuraltree.inputs.encoding import feature_names
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, record
from tests.helpers.table_models import frame, plain_numbers, table_models

onnx = pytest.importorskip("onnx", reason="ONNX export needs onnx: pip install 'neuraltree[export]'")
runtime = pytest.importorskip("onnxruntime", reason="its tests need onnxruntime: pip install 'neuraltree[dev]'")

MODELS = table_models(6)


def run(content: bytes, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    assert {given.name for given in session.get_inputs()} == set(inputs)
    found = session.run(None, inputs)
    return dict(zip([output.name for output in session.get_outputs()], found, strict=True))


def text(cell: Any) -> str:
    return "" if cell is None else cell.strip()


def inputs(tree: Tree, table: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    """The inputs of the model from raw cells: texts of categories, else numbers."""
    small = needed(tree)
    assert small.columns is not None
    numbers = plain_numbers(small, table).astype(np.float32)
    return {
        column.name: np.array([text(cell) for cell in table[column.name]], dtype=object)[:, None]
        if isinstance(column, Category)
        else numbers[:, [i]]
        for i, column in enumerate(small.columns)
    }


def equal(tree: Tree, table: dict[str, list[Any]], found: dict[str, np.ndarray], within: float) -> None:
    outputs = tree.outputs(table)
    if tree.classes is None:
        size = 1.0 if tree.target_scaler is None else tree.target_scaler.scale
        assert (np.abs(found["variable"] - outputs) < within * (size + np.abs(outputs))).all()
        return
    wanted = tree.predict_proba(table)
    np.testing.assert_allclose(found["probabilities"], wanted, atol=within)
    order = np.sort(wanted, axis=1)
    clear = order[:, -1] - order[:, -2] > 2 * within
    assert [*found["label"][clear]] == [*tree.predict(table)[clear]]


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("i", range(len(MODELS)))
def test_a_thousand_rows_with_holes_and_unknown_levels(i: int, precision: str) -> None:
    tree, table = MODELS[i], frame(1000, i)
    source = needed(dequantized(needed(tree)) if precision == "int8" else tree)
    content = export_onnx(tree, precision)
    equal(source, table, run(content, inputs(source, table)), within=1e-4)
    assert export_onnx(tree, precision) == content
    model = onnx.load_from_string(content)
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == 13
    props = {entry.key: entry.value for entry in model.metadata_props}
    assert [column["name"] for column in json.loads(props["columns"])] == [column.name for column in source.columns]


def sum_of(columns: tuple[Column, ...]) -> Tree:
    names = feature_names(columns)
    rows = [(0, IDENTITY, 0.0, 0.0), *((1, i, 2.0**i, 0.0) for i in range(len(names)))]
    return Tree(record(rows), "regression", names, columns=columns)


def test_a_result_by_hand() -> None:
    tree = sum_of((Number("a", 5.0, indicator=True), Category("c", ("x", "y"), missing=True), Flag("f", 0.5)))
    given = {
        "a": np.array([[1.5], [math.nan], [0], [2]], np.float32),
        "c": np.array([["x"], ["y"], [""], ["z"]], dtype=object),
        "f": np.array([[1], [math.nan], [0], [1]], np.float32),
    }
    found = run(export_onnx(tree), given)["variable"][:, 0]
    assert found.tolist() == [1.5 + 4 + 32, 5 + 2 + 8 + 16, 0 + 16, 2 + 32]


def test_an_empty_level_is_no_hole() -> None:
    tree = sum_of((Category("c", ("", "y"), missing=True),))
    given = {"c": np.array([[""], ["y"], ["z"]], dtype=object)}
    assert run(export_onnx(tree), given)["variable"][:, 0].tolist() == [1, 2, 0]


def test_columns_with_the_names_of_values() -> None:
    """Names inside the model step aside; a column named as an output gets a word before its name."""
    names = ["variable", "v0", "c0", "_v0", "__", "", "X", "column variable", "ü", "a b"]
    tree = sum_of(tuple(Number(name) for name in names))
    given = dict(zip(["column column variable", "v0", "c0", "_v0", "__", "column", *names[6:]], range(10), strict=True))
    found = run(export_onnx(tree), {name: np.array([[x]], np.float32) for name, x in given.items()})
    assert found["variable"].tolist() == [[sum(2.0**i * i for i in range(10))]]


def test_a_name_or_a_level_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(ValueError, match="the name of a column is not"):
        export_onnx(sum_of((Number("\ud800"),)))
    with pytest.raises(ValueError, match="a level of column 'c' is not"):
        export_onnx(sum_of((Category("c", ("a", "\ud800")),)))
