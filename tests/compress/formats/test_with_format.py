"""Trees with weights of few bits: the integers are those of a plain recursion, the float tree has the same weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.compress import quantize_tree
from neuraltree.compress.narrow.with_format import weight_bits, with_weight_format
from neuraltree.compress.weights.weight_formats import WEIGHT_FORMATS, quantized_weights
from neuraltree.tree.nodes import parents
from neuraltree.tree.simplify import simplify
from neuraltree.tree.tree import Tree
from tests.helpers.integer_oracle import IntegerOracle
from tests.helpers.oracle import evaluate_recursive
from tests.helpers.plain_snaps import PLAIN_SNAPS
from tests.helpers.random_models import IDENTITY, RELU, TANH, edge_models, models, random_model, raw_inputs, regression
from tests.helpers.strategies import steady, trees

NARROW = [name for name in PLAIN_SNAPS if name != "int8"]
EDGES = edge_models()
MODELS = models(3)


def plain(tree: Tree, name: str, outputs: str = "int8") -> IntegerOracle:
    """The recursion, of the tree with merged inputs."""
    snap = PLAIN_SNAPS[name]
    return IntegerOracle(merged(tree), snaps=(snap, snap if outputs == "same" else PLAIN_SNAPS["int8"]))


def merged(tree: Tree) -> Tree:
    return replace(tree, nodes=simplify(tree.nodes))


def check_equal(tree: Tree, name: str) -> None:
    made, expected = quantize_tree(merged(tree), weights=name), plain(tree, name)
    kept = [node for node in expected.nodes if node.keep]
    assert made.nodes["depth"].tolist() == [node.depth for node in kept]
    assert made.numbers.weight.tolist() == [node.weight for node in kept]
    assert made.numbers.bias.tolist() == [node.bias for node in kept]
    X = raw_inputs(tree, 40)
    q = made.quantize(X)
    assert made.scores(q).tolist() == [expected.scores(row) for row in q.tolist()]


@pytest.mark.parametrize("name", NARROW)
def test_integers_of_random_trees_equal_the_recursion(name: str) -> None:
    for tree in MODELS:
        check_equal(tree, name)


@pytest.mark.parametrize("name", EDGES)
def test_integers_of_edge_trees_equal_the_recursion(name: str) -> None:
    for precision in ("int4", "ternary", "binary"):
        check_equal(EDGES[name], precision)


@pytest.mark.parametrize("name", PLAIN_SNAPS)
@pytest.mark.parametrize("outputs", ["int8", "same"])
@settings(steady, max_examples=15)
@given(tree=trees(values=st.floats(-3, 3)), middle=st.sampled_from((None, 0.0, 1.5)))
def test_the_float_tree_has_the_weights_of_the_recursion(
    name: str, outputs: str, tree: Tree, middle: float | None
) -> None:
    """Its outputs are those of a recursion over the snapped weights and exact biases."""
    if middle is not None:
        tree = replace(tree, input_middle=np.full(len(tree.features), middle))
    found, expected = with_weight_format(tree, name, outputs=outputs), plain(tree, name, outputs)
    nodes = merged(tree).nodes.copy()
    drop = len(expected.nodes) - len(nodes)  # a linear output on top
    nodes["weight"][:, 0] = [node.edge for node in expected.nodes[drop:]]
    centres = np.zeros(len(tree.features)) if tree.input_middle is None else tree.input_middle
    above = parents(nodes["depth"])
    for i in np.flatnonzero(nodes["op"] >= 0).tolist():  # a weight moves about the middle of its input
        moved = merged(tree).nodes["weight"][i, 0] - nodes["weight"][i, 0]
        nodes["bias"][above[i]] += moved * centres[nodes["op"][i]]
    for x in np.random.default_rng(0).normal(size=(5, len(tree.features))):
        assert evaluate_recursive(found.nodes, x) == pytest.approx(evaluate_recursive(nodes, x), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("name", NARROW)
def test_the_float_tree_keeps_its_integers(name: str) -> None:
    for tree in MODELS:
        made = with_weight_format(tree, name)
        X = raw_inputs(tree, 60)
        first, second = (quantize_tree(each, weights=name) for each in (merged(tree), made))
        a, b = (each.outputs.values(each.scores(each.quantize(X))) for each in (first, second))
        # A constant that is folded into a bias exactly may round to another integer there.
        assert np.abs(a - b).max() <= 0.02 * np.abs(a).max()
        # A bias that is much larger than all weights needs a coarser scale, on which they are no levels.
        small = np.abs(second.numbers.bias[parents(second.nodes["depth"])]) < 8 * 127 * 127
        weights = second.numbers.weight[small & (second.nodes["depth"] > 1)]
        assert {*np.abs(weights).tolist()} <= {*levels(name)}


def levels(name: str) -> list[int]:
    if name.startswith("int"):
        return list(range(2 ** (int(name[3:]) - 1)))
    return {"power_of_two": [0, 1, 2, 4, 8, 16, 32]}.get(name, [0, 1])


def test_every_parent_has_a_scale_of_its_own() -> None:
    rows = [
        (0, IDENTITY, 0.0, 0.1),
        (1, TANH, 0.5, 0.0),
        (2, 0, 1.0, 0.0),
        (2, 1, -0.2, 0.0),
        (1, TANH, -2.0, 0.0),
        (2, 0, 0.01, 0.0),
        (2, 1, 0.03, 0.0),
    ]
    tree = with_weight_format(regression(rows), "binary")
    assert tree.nodes["weight"][[2, 3, 5, 6], 0] == pytest.approx([0.6, -0.6, 0.02, 0.02])
    assert tree.nodes["weight"][[1, 4], 0] == pytest.approx([0.5, -2.0], rel=1 / 100)


def test_formats_of_floats_and_shared_weights_take_the_weights_as_they_are() -> None:
    tree = merged(random_model(4, "multiclass", "identity", 3))
    assert tree.scaler is None
    assert with_weight_format(tree, "bf16").nodes["weight"][:, 0] == pytest.approx(
        quantized_weights(tree.nodes["weight"][:, 0], "bf16")
    )
    wide = merged(EDGES["features_300"])
    shared = with_weight_format(wide, "shared3", outputs="same")
    assert len(set(shared.nodes["weight"][1:, 0].tolist())) == 8
    with pytest.raises(ValueError, match="has 0 weights that could share values; below 100"):
        with_weight_format(wide, "shared3")


def test_bits_of_weights() -> None:
    rows = [(0, IDENTITY, 0.0, 0.0), (1, RELU, 1.0, 0.0), (2, 0, 1.0, 0.0), (2, 1, 1.0, 0.0), (1, 0, 1.0, 0.0)]
    tree = regression(rows)
    assert weight_bits(tree, "int4") == 2 * 4 + 2 * 8
    assert weight_bits(tree, "int4", outputs="same") == 4 * 4
    assert weight_bits(tree, "fp16") == 4 * 16
    assert weight_bits(tree, "shared2") == 2 * 2 + 2 * 8 + 4 * 32
    assert all(weight_bits(tree, name) > 0 for name in WEIGHT_FORMATS)


def test_what_cannot_be_is_refused() -> None:
    tree = regression([(0, IDENTITY, 0.0, 0.0), (1, 0, 1.0, 0.0)])
    with pytest.raises(ValueError, match="unknown format of weights 'int1'"):
        with_weight_format(tree, "int1")
    with pytest.raises(ValueError, match="outputs must be one of int8, same, not 'float'"):
        with_weight_format(tree, "int4", outputs="float")
    with pytest.raises(ValueError, match="weights in fp16 are no integers; allowed: int8, "):
        quantize_tree(tree, weights="fp16")


@pytest.mark.parametrize("name", NARROW)
def test_many_children_stay_within_32_bits(name: str) -> None:
    """The recursion refuses any product beyond them."""
    rng = np.random.default_rng(0)
    for bias, weights in ((0.0, np.ones(2000)), (50.0, rng.normal(size=2000)), (-3e4, rng.normal(size=9) * 1e-3)):
        rows = [(0, IDENTITY, 0.0, 0.0), (1, RELU, 1.0, bias)]
        rows += [(2, i, float(weight), 0.0) for i, weight in enumerate(weights)]
        tree = regression(rows)
        ends = np.full((2, len(weights)), 127) * np.array([[1], [-1]])
        signs = np.sign(weights).astype(int) * 127
        made, expected = quantize_tree(tree, weights=name), plain(tree, name)
        for row in (*ends, signs, -signs):
            q = row[made.inputs.features]
            assert made.scores(q[None].astype(np.int8)).tolist() == [expected.scores(q.tolist())]
