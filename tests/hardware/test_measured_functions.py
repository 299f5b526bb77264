"""Functions of a model measured one by one: flash has what is called and no more, and each gives the tree's results."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuraltree.compress import quantize_tree
from neuraltree.export import export_c
from neuraltree.hardware.measure import Call, available_compilers, measure
from neuraltree.hardware.measured_functions import FUNCTIONS, model_of
from neuraltree.hardware.measured_models import measure_model
from neuraltree.tree.tree import Tree
from tests.helpers.random_models import IDENTITY, KINDS, random_model, record
from tests.helpers.table_models import table_model

pytestmark = pytest.mark.skipif(
    "clang" not in available_compilers(), reason="no clang: pip install neuraltree[measure]"
)
TREE = random_model(304, "multiclass", "identity", 3)


def linked(precision: str, *functions: str) -> int:
    """Flash of a program with these functions as its roots."""
    files = {name: text for name, text in export_c(TREE, precision=precision).items() if name.startswith("model.")}
    row = (np.ones(len(TREE.features), np.float32), np.zeros(16, np.float32))
    return measure(files, [Call(f"model_{name}", [row]) for name in functions], "cortex-m0plus").flash_bytes


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_flash_is_that_of_what_is_called(precision: str) -> None:
    found = {
        name: measure_model(TREE, "cortex-m0plus", precision=precision, style="straight", function=name)
        for name in ("predict", "probabilities", "predict_q")[: 2 + (precision == "int8")]
    }
    assert all(one.agrees for one in found.values())
    for name, one in found.items():
        assert one.flash_bytes == linked(precision, *dict.fromkeys((name, "predict")))
    added = found["probabilities"].flash_bytes - found["predict"].flash_bytes
    assert added > (2000 if precision == "int8" else 100), "e^x and soft floats, which only probabilities need"
    if precision == "int8":
        assert 0 < found["predict_q"].flash_bytes - found["predict"].flash_bytes < 40
        assert found["predict_q"].cycles < found["predict"].cycles < found["probabilities"].cycles


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("kind", [row for row in KINDS if row[0] != "regression"])
def test_probabilities_of_a_core_are_those_of_python(kind: tuple[str, str, int], precision: str) -> None:
    tree = random_model(9, *kind)
    assert measure_model(tree, "cortex-m4f", precision=precision, style="table", function="probabilities").agrees


def test_a_wrong_result_does_not_agree() -> None:
    trees = {name: random_model(1, *KINDS[0]) if name == "predict_fixed" else TREE for name in FUNCTIONS}
    for name, row in FUNCTIONS.items():
        tree = trees[name]
        model = model_of(tree, "int8", fine=False)
        files = {file: text for file, text in export_c(tree, precision="int8").items() if file.startswith("model.")}
        (cost,) = measure(files, [row.call(model)], "cortex-m0plus").costs
        assert row.agrees(model, cost)
        results = None if cost.results is None else cost.results + 1
        wrong = dataclasses.replace(cost, results=results, arrays=tuple(part + 1e-3 for part in cost.arrays))
        assert not row.agrees(model, wrong), name


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_probabilities_from_columns(precision: str) -> None:
    tree = table_model(3, "binary")
    found = measure_model(tree, "cortex-m4f", precision=precision, style="straight", function="probabilities")
    assert found.agrees


@pytest.mark.parametrize(
    ("function", "precision", "kind", "allowed"),
    [
        ("probability", "float32", KINDS[3], "allowed: predict, probabilities$"),
        ("predict_q", "float32", KINDS[3], "allowed: predict, probabilities$"),
        ("probabilities", "int8", KINDS[0], "allowed: predict, predict_q, predict_fixed$"),
        ("confidence", "int8", KINDS[0], "allowed: predict, predict_q, predict_fixed$"),
        ("predict_fixed", "int8", KINDS[3], "allowed: predict, predict_q, probabilities, confidence$"),
    ],
)
def test_a_function_that_is_not_there_is_refused(
    function: str, precision: str, kind: tuple[str, str, int], allowed: str
) -> None:
    with pytest.raises(ValueError, match=allowed):
        measure_model(random_model(1, *kind), "cortex-m4f", precision=precision, style="table", function=function)


def test_an_early_exit_takes_fewer_instructions() -> None:
    """Of a tree that reads many inputs; the classes stay the same."""
    rng = np.random.default_rng(0)
    leaves = [(1, i, float(w), 0.0) for i, w in enumerate(rng.normal(size=20) ** 3)]
    nodes = record([(0, IDENTITY, 0.0, 0.1), *leaves])
    tree = Tree(nodes, "binary", tuple(f"x{i}" for i in range(20)), ("no", "yes"))
    rows = rng.normal(size=(30, 20)).astype(np.float32)
    costs = {}
    for early in (False, True):
        files = export_c(tree, precision="int8", early_exit=early)
        files = {name: text for name, text in files.items() if name.startswith("model.")}
        (cost,) = measure(files, [Call("model_predict", [(row,) for row in rows], "int")], "cortex-m0plus").costs
        assert cost.results is not None
        assert np.array_equal(cost.results, quantize_tree(tree).predict(rows) == "yes")
        costs[early] = cost.cycles_lo
    assert costs[True].mean() < 0.8 * costs[False].mean()
    assert costs[True].max() < 1.1 * costs[False].max()
