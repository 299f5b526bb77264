"""ONNX exports in onnxruntime against the tree, plain arithmetic, and the specification of 8-bit weights."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings

from neuraltree.activations import NAMES
from neuraltree.compress import dequantized, quantize_tree
from neuraltree.export import export_onnx
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers.integer_oracle import UNIT, IntegerOracle, Node
from tests.helpers.jumps import clear_of_jumps
from tests.helpers.oracle import FUNCTIONS, evaluate_recursive
from tests.helpers.random_models import (
    IDENTITY,
    SIGMOID,
    TANH,
    edge_models,
    models,
    raw_inputs,
    record,
    regression,
    scaler,
)
from tests.helpers.strategies import steady, trees, unit

onnx = pytest.importorskip("onnx", reason="ONNX export needs onnx: pip install 'neuraltree[export]'")
runtime = pytest.importorskip("onnxruntime", reason="its tests need onnxruntime: pip install 'neuraltree[dev]'")

MODELS = models(12)
EDGES = {
    name: tree for name, tree in edge_models().items() if name not in ("target_huge", "features_huge", "features_tiny")
}
ODD = 33  # rows at the start of raw_inputs that hold infinities, NaN and numbers near the largest


def run(content: bytes, X: Any) -> dict[str, np.ndarray]:
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {"X": np.asarray(X, dtype=np.float32)})
    return dict(zip([output.name for output in session.get_outputs()], outputs, strict=True))


def equal(tree: Tree, X: Any, found: dict[str, np.ndarray], within: float = 1e-5) -> None:
    """Values to ``within`` of the target's scale, probabilities to it, labels where no other output is that near; on
    rows that are clear of jumps."""
    wide = np.asarray(X, dtype=np.float32).astype(np.float64)
    with np.errstate(all="ignore"):
        clear_rows = clear_of_jumps(tree.folded(), wide, 1e-5)
        wide, found = wide[clear_rows], {name: values[clear_rows] for name, values in found.items()}
        outputs = tree.outputs(wide)
        if tree.classes is None:
            assert list(found) == ["variable"]
            assert found["variable"].shape == (len(wide), tree.num_outputs)
            size = 1.0 if tree.target_scaler is None else tree.target_scaler.scale
            error = np.abs(found["variable"] - outputs) / (size + np.abs(outputs))
            assert ((error < within) | np.isnan(outputs) & np.isnan(found["variable"])).all()
            return
        wanted, labels = tree.predict_proba(wide), tree.predict(wide)
    assert list(found) == ["label", "probabilities"]
    np.testing.assert_allclose(found["probabilities"], wanted, atol=within)
    order = np.sort(wanted, axis=1)
    gap = order[:, -1] - order[:, -2] if tree.kind != "binary" else 2 * np.abs(wanted[:, 1] - tree.threshold)
    clear = (gap > 2 * within) | np.isnan(order).any(axis=1)
    assert [*found["label"][clear]] == [*labels[clear]]


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_random_models_are_equal(precision: str) -> None:
    for seed, tree in enumerate(MODELS):
        X = raw_inputs(tree, 150, seed)[ODD:]
        source = dequantized(tree) if precision == "int8" else tree
        equal(source, X, run(export_onnx(tree, precision), X), within=2e-5)


@pytest.mark.parametrize("name", EDGES)
def test_edge_models_are_equal(name: str) -> None:
    X = raw_inputs(EDGES[name], 100)[ODD:]
    equal(EDGES[name], X, run(export_onnx(EDGES[name]), X))


def test_a_result_by_plain_arithmetic() -> None:
    """Targets by the recursive oracle, with scalers by hand."""
    rows = [(0, SIGMOID, 0.0, 0.3), (1, TANH, 1.5, 0.2), (2, 0, 0.7, 0.0), (2, 1, -0.9, 0.0), (1, 1, 0.3, 0.0)]
    tree = regression(rows, scaler=scaler([3.0, -2.0], [0.5, 4.0]), target_scaler=scaler(10.0, 5.0))
    X = np.array([[3.25, 2.0], [2.0, -2.0], [0.0, 100.0]])
    for x, found in zip(X, run(export_onnx(tree), X)["variable"], strict=True):
        z = [(x[0] - 3.0) / 0.5, (x[1] + 2.0) / 4.0]
        assert found == pytest.approx([10 + 5 * evaluate_recursive(tree.nodes, z)[0]], rel=1e-6)


@pytest.mark.parametrize("code", range(len(NAMES)), ids=NAMES)
def test_each_activation_inside_and_as_output(code: int) -> None:
    tree = regression([(0, ~code, 0.0, 0.25), (1, ~code, 1.5, -0.5), (2, 0, 2.0, 0.0)])
    X = np.linspace(-3, 3, 41)[:, None]
    f = FUNCTIONS[code]
    wanted = [[f(1.5 * f(2.0 * float(np.float32(x)) - 0.5) + 0.25)] for (x,) in X]
    np.testing.assert_allclose(run(export_onnx(tree), X)["variable"], wanted, atol=2e-6)


@hypothesis_settings(steady, max_examples=60)
@given(trees(values=unit, max_targets=3))
def test_any_tree_with_any_names_for_any_number_of_rows(tree: Tree) -> None:
    assume(not any(type(label) is int and not -(2**63) <= label < 2**63 for label in tree.classes or ()))
    content = export_onnx(tree)
    rng = np.random.default_rng(0)
    for rows in (0, 1, 5):
        X = rng.normal(size=(rows, len(tree.features)))
        found = run(content, X)
        equal(tree, X, found, within=1e-4 if tree.scaler is None else 1e-3)  # scales of 0.001 magnify rounding
        for values in found.values():
            assert len(values) == rows
    props = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    assert tuple(json.loads(props["features"])) == tree.features
    assert props["kind"] == tree.kind
    assert (tuple(json.loads(props["classes"])) if "classes" in props else None) == tree.classes


def several() -> Tree:
    rows = [(0, IDENTITY, 0.0, 0.5), (1, 0, 2.0, 0.0), (0, IDENTITY, 0.0, -1.0), (1, TANH, 3.0, 0.1), (2, 1, 1.0, 0.0)]
    target = Scaler(np.array([100.0, -1.0, 0.0]), np.array([7.0, 0.1, 1.0]))
    return Tree(
        record([*rows, (0, IDENTITY, 0.0, 0.0), (1, 1, 1.0, 0.0)]), "regression", ("a", "b"), None, None, target
    )


def test_several_targets_are_columns() -> None:
    X = np.array([[1.0, 2.0], [-0.5, 0.0], [0.0, np.nan]])
    found = run(export_onnx(several()), X)["variable"]
    wanted = [[100 + 7 * (0.5 + 2 * a), -1 + 0.1 * (3 * math.tanh(b + 0.1) - 1), b] for a, b in X]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_features_far_from_zero_lose_no_digits() -> None:
    """1e6 ± 1: the mean is no single float, so a folded or a rounded one would be off by 0.03."""
    rng = np.random.default_rng(0)
    mean = np.array([1e6 + 0.3, -2e6 - 0.123456])
    rows = [(0, IDENTITY, 0.0, 0.1), (1, TANH, 1.5, 0.2), (2, 0, 0.7, 0.0), (2, 1, -0.9, 0.0), (1, 1, 0.3, 0.0)]
    tree = regression(rows, scaler=Scaler(mean, np.array([1.0, 0.7])))
    X = (mean + rng.uniform(-1, 1, size=(200, 2))).astype(np.float32)
    equal(tree, X, run(export_onnx(tree), X))


def test_inputs_that_are_no_numbers_give_what_the_tree_gives() -> None:
    """NaN and infinities, in whole rows and mixed: they reach the nodes that read them and no others."""
    for seed, tree in enumerate(MODELS):
        X = raw_inputs(tree, 200, seed)
        finite = np.abs(X, where=np.isfinite(X), out=np.zeros_like(X)).max(axis=1) < 1e6
        found = run(export_onnx(tree), X[finite])
        with np.errstate(all="ignore"):
            outputs = tree.outputs(X[finite].astype(np.float64))
            assert np.isnan(outputs).any()
            if tree.classes is None:
                np.testing.assert_array_equal(np.isnan(found["variable"]), np.isnan(outputs))
                continue
            wanted = tree.predict_proba(X[finite].astype(np.float64))
            labels = tree.predict(X[finite].astype(np.float64))
        np.testing.assert_array_equal(np.isnan(found["probabilities"]), np.isnan(wanted))
        unknown = np.isnan(outputs).any(axis=1)
        assert [*found["label"][unknown]] == [*labels[unknown]]


def logits(rows: list[tuple[int, int, float, float]], classes: tuple, width: int, kind: str = "multiclass") -> Tree:
    return Tree(record(rows), kind, tuple(f"x{i}" for i in range(width)), classes)


def test_the_first_of_equals_and_the_first_nan_win() -> None:
    three = [row for k in range(3) for row in ((0, IDENTITY, 0.0, 0.0), (1, k, 1.0, 0.0))]
    nan = math.nan
    X = [[1, 2, 2], [2, 2, 1], [0, 0, 0], [5, nan, nan], [nan, 9, 1], [3, 9, nan], [nan, math.inf, 0]]
    tree = logits(three, ("a", "b", "c"), 3)
    found = run(export_onnx(tree), X)["label"]
    assert [*found] == ["b", "a", "a", "b", "a", "c", "a"]
    assert [*found] == [*tree.predict(np.array(X))]
    two = logits([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)], ("no", "yes"), 1, "binary")
    assert [*run(export_onnx(two), [[0], [-0.0], [1e-30], [-1], [nan]])["label"]] == ["no", "no", "yes", "no", "yes"]


@pytest.mark.parametrize("threshold", [0.1, 0.9, 1e-6])
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_labels_follow_the_threshold_and_probabilities_do_not(precision: str, threshold: float) -> None:
    tree = logits([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)], ("no", "yes"), 1, "binary")
    level = np.float32(math.log(threshold / (1 - threshold)))
    X = [[level - 1e-3], [level], [np.nextafter(level, np.float32(99))], [math.nan], [-math.inf]]
    found = run(export_onnx(replace(tree, threshold=threshold), precision), X)
    if precision == "float32":
        assert [*found["label"]] == ["no", "no", "yes", "yes", "no"]
    p = found["probabilities"][:, 1]
    assert [*found["label"][[0, 3]]] == ["no", "yes"]
    assert p.tobytes() == run(export_onnx(tree, precision), X)["probabilities"][:, 1].tobytes()


def test_many_classes_keep_their_order() -> None:
    rng = np.random.default_rng(0)
    rows = [row for w in rng.normal(size=60) for row in ((0, IDENTITY, 0.0, 0.0), (1, 0, float(w), 0.0))]
    tree = logits(rows, tuple(range(60)), 1)
    X = rng.normal(size=(20, 1))
    equal(tree, X, run(export_onnx(tree), X))
    target = replace(tree, kind="regression", classes=None)
    equal(target, X, run(export_onnx(target), X))


def test_a_binary_logit_is_a_pair_of_probabilities() -> None:
    tree = logits([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)], (7, 9), 1, "binary")
    z = np.array([[-30.0], [-1.0], [0.0], [2.0], [80.0]])
    found = run(export_onnx(tree), z)
    p = [1 / (1 + math.exp(-v)) for (v,) in z]
    np.testing.assert_allclose(found["probabilities"], [[1 - v, v] for v in p], atol=1e-7)
    assert found["label"].tolist() == [7, 7, 7, 9, 9]
    assert found["label"].dtype == np.int64


def test_sigmoid_outputs_are_compared_where_single_floats_are_all_one_or_zero() -> None:
    rows = [row for k in range(2) for row in ((0, SIGMOID, 0.0, 0.0), (1, k, 1.0, 0.0))]
    tree = logits(rows, ("a", "b"), 2)
    X = [[18, 20], [20, 18], [40, 50], [-200, -201], [-201, -200], [-60, -59], [-2000, -1900]]
    found = run(export_onnx(tree), X)
    assert [*found["label"]] == ["b", "a", "a", "a", "b", "b", "a"]
    assert [*found["label"]] == [*tree.predict(X)]
    np.testing.assert_allclose(found["probabilities"], tree.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(found["probabilities"][[3, 6]], [[1 / (1 + math.exp(-1)), 1 / (1 + math.e)], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("classes", "dtype"),
    [(("ja", "größe"), object), ((3, -(2**40)), np.int64), ((True, False), np.bool_), ((0.5, 1.5), np.float64)],
)
def test_labels_have_the_type_of_the_classes(classes: tuple, dtype: type) -> None:
    tree = logits([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)], classes, 1, "binary")
    found = run(export_onnx(tree), [[-1.0], [1.0]])["label"]
    assert found.dtype == dtype
    assert found.tolist() == list(classes)


def test_the_graph_is_small() -> None:
    """At most seven nodes a level besides an activation's own, whatever the tree's width."""
    most = {"sigmoid": 1, "tanh": 1, "gaussian": 3, "relu": 1, "sine": 1, "identity": 0}
    most |= {name: 3 for name in NAMES if name not in most}
    for tree in [*MODELS, *EDGES.values()]:
        graph = onnx.load_from_string(export_onnx(tree)).graph
        levels = {int(depth) for depth in tree.nodes["depth"][tree.nodes["op"] < 0]}
        ends = 8 + (14 if tree.classes is not None else 3)
        assert len(graph.node) <= ends + len(levels) * (7 + sum(most.values()))
    wide = onnx.load_from_string(export_onnx(EDGES["features_300"])).graph
    assert len(wide.node) <= 9


def test_what_the_file_says_of_itself() -> None:
    tree = MODELS[2]
    model = onnx.load_from_string(export_onnx(tree, name="mine"))
    assert (model.producer_name, model.graph.name) == ("neuraltree", "mine")
    assert model.producer_version.count(".") == 2
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 13)]
    assert model.ir_version == 7
    assert export_onnx(tree) == export_onnx(tree)


def dequantised_value(node: Node, z: list[float]) -> float:
    """By the specification: what the integers of a node stand for, on values that are not rounded."""
    if node.code < 0:
        return z[node.feature]
    live = [child for child in node.children if child.keep]
    total = node.bias + sum(c.weight * UNIT * dequantised_value(c, z) / c.range for c in live)
    return FUNCTIONS[node.code](total * node.unit)


def test_weights_of_8_bits_by_their_specification() -> None:
    for seed, tree in enumerate(MODELS):
        X = raw_inputs(tree, 40, seed)[ODD:].astype(np.float64)
        Z = X if tree.scaler is None else (X - tree.scaler.mean) / tree.scaler.scale
        roots = IntegerOracle(tree).roots
        wanted = np.array([[dequantised_value(root, z) for root in roots] for z in Z.tolist()])
        if tree.target_scaler is not None:
            wanted = tree.target_scaler.mean + tree.target_scaler.scale * wanted
        # Two orders of adding the same numbers.
        np.testing.assert_allclose(dequantized(tree).outputs(X), wanted, rtol=1e-7, atol=1e-7)


def test_weights_of_8_bits_lie_near_the_integer_model() -> None:
    """On inputs that it does not clamp: the rest is the rounding of values, a step of which is 1/127."""
    rows = [(0, IDENTITY, 0.0, 0.1), (1, TANH, 1.0, 0.2), (2, 0, 0.7, 0.0), (2, 1, -0.9, 0.0), (1, 1, 0.3, 0.0)]
    tree = replace(regression(rows), input_range=np.array([2.0, 2.0]))
    X = np.random.default_rng(0).uniform(-2, 2, size=(300, 2)).astype(np.float32)
    error = np.abs(dequantized(tree).predict(X) - quantize_tree(tree).predict(X))
    assert 1e-4 < error.max() < 0.04


def test_a_tree_of_which_8_bits_leave_nothing() -> None:
    tree = regression([(0, IDENTITY, 0.0, 0.5), (1, TANH, 0.0, 0.2), (2, 0, 1.0, 0.0)])
    np.testing.assert_allclose(run(export_onnx(tree, "int8"), [[3.0]])["variable"], [[0.5]], rtol=1 / 127)


def far() -> Tree:
    return regression([(0, IDENTITY, 0.0, 0.0), (1, 0, 1e300, 0.0)])


REFUSED = [
    (far(), "float32", "a weight of 1e\\+300 is beyond single floats"),
    (
        regression([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)], scaler=scaler(1e200, 1.0)),
        "float32",
        "a mean of 1e\\+200 is beyond",
    ),
    (edge_models()["single_leaf"], "int4", "int4 is a format of C code alone: export it with --to c"),
    (several(), "int8", "takes one target; this tree has 3"),
    (logits([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)], (1, 2**70), 1, "binary"), "float32", "64-bit integers"),
    (logits([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)], ("a", "\ud800"), 1, "binary"), "float32", "UTF-8 texts"),
]


@pytest.mark.parametrize(("tree", "precision", "message"), REFUSED)
def test_what_onnx_cannot_hold_is_refused(tree: Tree, precision: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        export_onnx(tree, precision)


def test_a_scale_that_single_floats_lose_is_refused() -> None:
    tree = regression([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)], scaler=scaler(0.0, 1e-40))
    with pytest.raises(ValueError, match="a scale of 1e-40 is too small"):
        export_onnx(tree)


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match=r"ONNX export needs the package onnx: pip install 'neuraltree\[export\]'"):
        export_onnx(MODELS[0])
