"""A finished tree: its forward pass, what it predicts, and the scalers folded into it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.compress import quantize_tree
from neuraltree.compress.int8.finetune import finetune
from neuraltree.hardware import Code, load_device
from neuraltree.hardware.predict import predict_tree
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.prediction import evaluate
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.space import TreeError
from neuraltree.tree.tree import Tree
from tests.helpers.oracle import evaluate_recursive, sigmoid
from tests.helpers.strategies import IDENTITY, SIGMOID, node_arrays, steady, trees, unit

ROWS = np.random.default_rng(1).normal(size=(6, 5)) * 2


def make(rows: list[tuple[int, int, float, float]]) -> Nodes:
    return np.array(rows, dtype=node_dtype())


def linear(weights: list[float], output: int = IDENTITY) -> Nodes:
    """One output per weight; output ``i`` is f(weight_i x0)."""
    return make([row for w in weights for row in ((0, ~output, 0.0, 0.0), (1, 0, w, 0.0))])


@steady
@given(node_arrays(n_features=5, n_outputs=2, folds=2, min_arity=0))
def test_evaluate_is_the_recursive_evaluator(nodes: Nodes) -> None:
    for fold in (0, 1):
        expected = [evaluate_recursive(nodes, x, fold) for x in ROWS]
        np.testing.assert_allclose(evaluate(nodes, ROWS, fold), expected, rtol=1e-12, atol=1e-12)


def test_a_deep_chain_needs_no_recursion() -> None:
    depth = 5000
    nodes = np.zeros(depth + 1, dtype=node_dtype())
    nodes["depth"], nodes["op"], nodes["weight"] = np.arange(depth + 1), ~IDENTITY, 1.0
    nodes["op"][-1] = 0
    assert evaluate(nodes, np.array([[3.0], [4.0]])).tolist() == [[3.0], [4.0]]


@steady
@given(trees(values=unit, max_targets=3))
def test_folded_nodes_take_raw_inputs(tree: Tree) -> None:
    X = ROWS[:, : len(tree.features)]
    folded = tree.folded()
    # Rounding is relative to the largest term of a sum, not to the sum, which may cancel.
    size = max(1.0, np.abs(folded["weight"]).max(), np.abs(folded["bias"]).max()) ** 2
    np.testing.assert_allclose(evaluate(folded, X), tree.outputs(X), rtol=1e-9, atol=1e-12 * size)


@pytest.mark.parametrize("output", [SIGMOID, IDENTITY])
def test_folding_by_hand(output: int) -> None:
    nodes = make([(0, ~output, 0, 0.5), (1, 0, 2.0, 0), (1, ~1, -1.5, 0.25), (2, 1, 3.0, 0)])
    scaler, target = Scaler(np.array([10.0, -4.0]), np.array([2.0, 0.5])), Scaler(np.array([100.0]), np.array([7.0]))
    tree = Tree(nodes, "regression", ("a", "b"), None, scaler, target)
    for x0, x1 in ((11.0, -4.25), (8.5, -3.75)):
        total = 0.5 + 2.0 * (x0 - 10) / 2 - 1.5 * math.tanh(0.25 + 3.0 * (x1 + 4) / 0.5)
        expected = 100 + 7 * (sigmoid(total) if output == SIGMOID else total)
        X = np.array([[x0, x1]])
        np.testing.assert_allclose(tree.outputs(X), [[expected]], rtol=1e-12)
        np.testing.assert_allclose(evaluate(tree.folded(), X), [[expected]], rtol=1e-9)
    assert len(tree.folded()) == len(nodes) + (output == SIGMOID)
    assert not tree.folded()["bias"][tree.folded()["op"] >= 0].any()


@pytest.mark.parametrize("output", [SIGMOID, IDENTITY])
def test_several_targets_by_hand(output: int) -> None:
    nodes = make([*linear([2.0], output).tolist(), (0, ~output, 0, -0.5), (1, 1, 3.0, 0), (1, 0, 0.25, 0)])
    scaler, target = (
        Scaler(np.array([10.0, -4.0]), np.array([2.0, 0.5])),
        Scaler(np.array([100.0, -1.0]), np.array([7.0, 0.1])),
    )
    tree = Tree(nodes, "regression", ("a", "b"), None, scaler, target)
    a, b = (11.0 - 10) / 2, (-4.25 + 4) / 0.5
    link = sigmoid if output == SIGMOID else float
    expected = [100 + 7 * link(2 * a), -1 + 0.1 * link(-0.5 + 3 * b + 0.25 * a)]
    X = np.array([[11.0, -4.25], [11.0, -4.25]])
    assert tree.num_outputs == 2
    np.testing.assert_allclose(tree.predict(X), [expected] * 2, rtol=1e-12)
    np.testing.assert_allclose(evaluate(tree.folded(), X), [expected] * 2, rtol=1e-12)
    for i in range(2):
        np.testing.assert_allclose(tree.target(i).predict(X), [expected[i]] * 2, rtol=1e-12)
        np.testing.assert_allclose(evaluate(tree.target(i).folded(), X)[:, 0], [expected[i]] * 2, rtol=1e-12)


@steady
@given(trees(values=unit, kinds=("regression",), max_targets=3))
def test_a_target_alone_is_the_same_bits(tree: Tree) -> None:
    X = ROWS[:, : len(tree.features)]
    alone = [tree.target(i) for i in range(tree.num_outputs)]
    assert tree.predict(X).shape == ((6,) if tree.num_outputs == 1 else (6, tree.num_outputs))
    assert np.stack([one.predict(X) for one in alone], axis=1).tobytes() == tree.outputs(X).tobytes()
    assert sum(one.num_weights for one in alone) == tree.num_weights
    if tree.num_outputs == 1:
        assert alone[0] == tree


def test_a_target_that_is_not_there() -> None:
    tree = Tree(linear([1.0, 2.0]), "regression", ("x0",))
    for i in (2, -1):
        with pytest.raises(ValueError, match=f"there is no target {i}; the tree's targets are 0 to 1"):
            tree.target(i)
    with pytest.raises(ValueError, match="a multiclass tree has classes"):
        Tree(linear([1.0, 2.0]), "multiclass", ("x0",), (0, 1)).target(0)


def test_what_takes_one_target_says_so() -> None:
    tree = Tree(linear([1.0, 2.0]), "regression", ("x0",), None, None, scaler([1, 2], [3, 4]))
    device, code = load_device("cortex-m4f"), Code("float32", "straight", "clang")
    actions = (
        quantize_tree,
        lambda tree: finetune([tree], ROWS[:, :1], epochs=1),
        lambda tree: predict_tree("a.json", tree, device, code),
    )
    for act in actions:
        with pytest.raises(ValueError, match=r"takes one target; this tree has 2, so use tree\.target\(i\)"):
            act(tree)
        act(tree.target(1))


def test_without_scalers_outputs_are_the_nodes_values() -> None:
    tree = Tree(linear([2.0]), "regression", ("x0",))
    assert tree.outputs([[3.0]]).tolist() == [[6.0]]
    assert tree.predict([[3.0], [1.0]]).tolist() == [6.0, 2.0]
    assert tree.folded().tobytes() == tree.nodes.tobytes()


CLASSIFIERS = [
    # kind, output, weights, x0, probabilities
    ("binary", IDENTITY, [1.0], 0.7, [1 - sigmoid(0.7), sigmoid(0.7)]),
    ("binary", IDENTITY, [1.0], 0.0, [0.5, 0.5]),
    ("binary", IDENTITY, [1.0], -900.0, [1.0, 0.0]),
    ("multiclass", IDENTITY, [1.0, 1.0, 0.0], 1.0, [math.e / (2 * math.e + 1)] * 2 + [1 / (2 * math.e + 1)]),
    ("multiclass", IDENTITY, [1.0, 0.0], 2000.0, [1.0, 0.0]),
    ("multiclass", SIGMOID, [0.0, 1.0], 2.0, [0.5 / (0.5 + sigmoid(2.0)), sigmoid(2.0) / (0.5 + sigmoid(2.0))]),
    ("multiclass", SIGMOID, [-1.0, -1.0], 2000.0, [0.5, 0.5]),
]


@pytest.mark.parametrize(("kind", "output", "weights", "x", "expected"), CLASSIFIERS)
def test_probabilities(kind: str, output: int, weights: list[float], x: float, expected: list[float]) -> None:
    tree = Tree(linear(weights, output), kind, ("x0",), ("no", "yes", "perhaps")[: len(expected)])
    np.testing.assert_allclose(tree.predict_proba([[x]]), [expected], rtol=1e-12)
    assert tree.predict([[x]])[0] == tree.classes[int(np.argmax(expected))]


@pytest.mark.parametrize("classes", [("b", "a"), (5, -3), (0.5, 0.25), (False, True)])
def test_predictions_are_labels(classes: tuple) -> None:
    tree = Tree(linear([1.0]), "binary", ("x0",), classes)
    assert tree.predict([[-1.0], [1.0]]).tolist() == list(classes)


def test_numpy_labels_become_plain_ones() -> None:
    tree = Tree(linear([1.0]), "binary", ("x0",), tuple(np.array([3, 4])))
    assert tree.classes == (3, 4)
    assert {type(label) for label in tree.classes} == {int}


def test_regression_has_no_probabilities() -> None:
    with pytest.raises(ValueError, match="use predict"):
        Tree(linear([1.0]), "regression", ("x0",)).predict_proba([[1.0]])


@pytest.mark.parametrize("X", [[1.0], [[1.0, 2.0]], [[[1.0]]]])
def test_a_wrong_shape_is_named(X: Any) -> None:
    with pytest.raises(ValueError, match=r"the tree needs \(rows, 1\)"):
        Tree(linear([1.0]), "regression", ("x0",)).outputs(X)


def test_sizes() -> None:
    nodes = make([(0, ~5, 0, 0), (1, ~1, 1, 0), (2, 0, 1, 0), (2, 1, 1, 0), (1, 0, 1, 0), (0, ~5, 0, 0), (1, 1, 1, 0)])
    tree = Tree(nodes, "multiclass", ("a", "b"), (0, 1))
    assert (tree.num_nodes, tree.num_outputs, tree.depth, tree.num_weights) == (7, 2, 2, 5 + 3)


def test_equality_is_bit_for_bit_and_nodes_are_its_own() -> None:
    nodes = linear([1.0])
    tree, twin = (Tree(nodes, "regression", ("x0",), None, None, Scaler(np.zeros(1), np.ones(1))) for _ in range(2))
    assert tree == twin
    assert hash(tree) == hash(twin)
    assert tree != Tree(linear([np.nextafter(1, 2)]), "regression", ("x0",), None, None, tree.target_scaler)
    assert tree != Tree(nodes, "regression", ("x0",))
    assert Tree(nodes, "binary", ("x0",), (0, 1)) != Tree(nodes, "binary", ("x0",), (False, True))
    nodes["weight"] = 9
    assert tree == twin
    with pytest.raises(ValueError, match="read-only"):
        tree.nodes["weight"] = 9


def scaler(mean: Any, scale: Any) -> Scaler:
    return Scaler(np.array(mean, dtype=float), np.array(scale, dtype=float))


ONE, TWO = linear([1.0]), linear([1.0, 1.0])
BROKEN = [
    ({"kind": "ranking"}, "unknown kind 'ranking'"),
    ({"features": (3,)}, "feature names must be strings"),
    ({"features": ("a", "a")}, "feature names must differ"),
    ({"classes": ("a", "b")}, "a regression has none"),
    ({"kind": "binary"}, "a classifier needs classes"),
    ({"kind": "binary", "classes": ("a", "b", "c")}, "has 2 classes, not 3"),
    ({"kind": "multiclass", "classes": ("a",)}, "needs 2 classes or more, not 1"),
    ({"kind": "binary", "classes": ("a", 1)}, "all text or all numbers alike"),
    ({"kind": "binary", "classes": ((1,), (2,))}, "all text or all numbers alike"),
    ({"kind": "binary", "classes": (1.0, math.nan)}, "must be finite"),
    ({"kind": "binary", "classes": ("a", "a")}, "must differ"),
    ({"kind": "binary", "classes": (0, 1), "target_scaler": scaler([0], [1])}, "only a regression has a target_scaler"),
    ({"scaler": scaler([0, 0], [1, 1])}, "scaler has mean (2,) and scale (2,); both must be (1,)"),
    ({"target_scaler": scaler([0], [0])}, "target_scaler needs finite means and finite scales above 0"),
    ({"scaler": scaler([math.nan], [1])}, "scaler needs finite means"),
    ({"nodes": np.zeros(2, dtype=node_dtype(2))}, "one fold"),
    ({"nodes": TWO, "kind": "binary", "classes": (0, 1)}, "has 2 output nodes; the task needs 1"),
    (
        {"nodes": TWO, "target_scaler": scaler([0], [1])},
        "target_scaler has mean (1,) and scale (1,); both must be (2,)",
    ),
    ({"kind": "multiclass", "classes": (0, 1)}, "has 1 output nodes; the task needs 2"),
    ({"threshold": 0.3}, "a regression tree has no threshold, and this one has 0.3; only a binary tree compares"),
    (
        {"nodes": TWO, "kind": "multiclass", "classes": (0, 1), "threshold": 0.3},
        "a multiclass tree has no threshold, and this one has 0.3; only a binary tree compares",
    ),
    *(
        (
            {"kind": "binary", "classes": (0, 1), "threshold": threshold},
            f"threshold is {threshold!r}; it must be a probability above 0 and below 1",
        )
        for threshold in (0, 1, -0.25, 1.25, math.nan, math.inf)
    ),
    *(
        ({"band": band}, f"band is {band!r}; for a target it must be a finite half-width, 0 or more, or None")
        for band in (-0.1, math.nan, math.inf)
    ),
    *(
        ({"kind": "binary", "classes": (0, 1), "band": band}, f"band is {band!r}; for classes it must be a probability")
        for band in (-0.1, 1.1, math.nan)
    ),
    ({"nodes": TWO, "band": 1.0}, "a tree of 2 targets has no band, and this one has 1.0; leave it at None"),
    ({"nodes": ONE[:1]}, "fewer than 1 children"),
    ({"nodes": ONE[:0]}, "has no nodes"),
    ({"nodes": ONE[1:]}, "prefix order"),
    ({"nodes": make([(0, 0, 0, 0)])}, "is an output but reads a feature"),
    ({"nodes": make([(0, ~99, 0, 0), (1, 0, 0, 0)])}, "activation 99"),
    ({"nodes": make([(0, ~5, 0, 0), (1, 7, 0, 0)])}, "reads a feature beyond the 1 allowed"),
    ({"nodes": linear([1.0], SIGMOID), "kind": "binary", "classes": (0, 1)}, "has identity outputs, not sigmoid"),
    (
        {"nodes": linear([1.0, 1.0], 1), "kind": "multiclass", "classes": (0, 1)},
        "identity or sigmoid outputs, not tanh",
    ),
]


@pytest.mark.parametrize(("change", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_a_tree_that_does_not_fit_together_is_refused(change: dict, message: str) -> None:
    with pytest.raises(TreeError) as error:
        Tree(**{"nodes": ONE, "kind": "regression", "features": ("x0",), **change})
    assert message in str(error.value)


# The sources' activations with their parameters a and b, and the numbers (p, q, r, t) that write each one as
# p f(q s + r) + t for an f of our table (by code): q and r go into the node's own edges and bias, p and t into
# its edge to the parent and the parent's bias.
Kind = tuple[Callable[[float, float, float], float], int, Callable[[float, float], tuple[float, float, float, float]]]
SOURCES: dict[str, Kind] = {
    "gaussian": (lambda s, a, b: math.exp(-(((s - a) / b) ** 2)), 2, lambda a, b: (1, 1 / b, -a / b, 0)),
    "tanh": (lambda s, a, b: math.tanh(s), 1, lambda a, b: (1, 1, 0, 0)),
    "fermi": (lambda s, a, b: 1 / (1 + math.exp(-s)), 0, lambda a, b: (1, 1, 0, 0)),
    "linear fermi": (lambda s, a, b: a / (1 + math.exp(-s)) + b, 0, lambda a, b: (a, 1, 0, b)),
    "linear tanh": (lambda s, a, b: a * math.tanh(s) + b, 1, lambda a, b: (a, 1, 0, b)),
    "bipolar sigmoid": (
        lambda s, a, b: (1 - math.exp(-2 * s * a)) / (a * (1 + math.exp(-2 * s * a))),
        1,
        lambda a, b: (1 / a, a, 0, 0),
    ),
    "unipolar sigmoid": (
        lambda s, a, b: 2 * abs(a) / (1 + math.exp(-2 * abs(a) * s)),
        0,
        lambda a, b: (2 * abs(a), 2 * abs(a), 0, 0),
    ),
}


def source_value(node: Any, x: np.ndarray) -> float:
    """The sources' tree: an input index, or (kind, a, b, bias, [(edge, child), ...])."""
    if isinstance(node, int):
        return float(x[node])
    kind, a, b, bias, children = node
    return SOURCES[kind][0](bias + sum(edge * source_value(child, x) for edge, child in children), a, b)


def absorbed(node: Any, depth: int = 1, edge: float = 1.0) -> tuple[list[tuple[int, int, float, float]], float]:
    """Rows of the same subtree without a and b, and the constant it adds to its parent's sum."""
    if isinstance(node, int):
        return [(depth, node, edge, 0.0)], 0.0
    kind, a, b, bias, children = node
    p, q, r, t = SOURCES[kind][2](a, b)
    below = [absorbed(child, depth + 1, q * weight) for weight, child in children]
    own = (depth, ~SOURCES[kind][1], p * edge, q * bias + r + sum(constant for _, constant in below))
    return [own, *(row for rows, _ in below for row in rows)], t * edge


parameter = st.floats(0.25, 2) | st.floats(-2, -0.25)
source_trees = st.recursive(
    st.integers(0, 4),
    lambda children: st.tuples(
        st.sampled_from(sorted(SOURCES)),
        parameter,
        parameter,
        unit,
        st.lists(st.tuples(unit, children), min_size=1, max_size=3),
    ),
    max_leaves=12,
)


def check_absorption(node: Any) -> None:
    rows, constant = absorbed(node)
    nodes = make([(0, ~IDENTITY, 0.0, constant), *rows])
    np.testing.assert_allclose(evaluate(nodes, ROWS)[:, 0], [source_value(node, x) for x in ROWS], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", SOURCES)
def test_each_source_activation_is_one_of_ours(kind: str) -> None:
    inner = (kind, 0.6, -1.3, 0.2, [(0.7, 0), (-0.4, 1)])
    check_absorption((kind, -0.8, 1.7, -0.1, [(0.9, inner), (0.3, 2)]))


@steady
@given(source_trees)
def test_edges_and_biases_absorb_the_sources_parameters(node: Any) -> None:
    check_absorption(node)


def test_a_tree_is_shown_in_a_line() -> None:
    nodes = np.array([(0, ~5, 0, 0.5), (1, 1, -1.5, 0)], dtype=node_dtype())
    assert repr(Tree(nodes, "regression", ("a", "b"))) == "Tree(regression: 2 inputs, 2 weights, 2 nodes, depth 1)"
    both = Tree(np.concatenate([nodes, nodes]), "regression", ("a", "b"))
    assert repr(both) == "Tree(regression: 2 inputs, 2 outputs, 4 weights, 4 nodes, depth 1)"
