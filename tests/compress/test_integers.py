"""Trees in integers: equal to a plain recursion bit for bit, within 32 bits, close to the tree in doubles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.compress import effective_trees, fit_input_range, quantize_tree
from neuraltree.compress.int8.integers import MOST_CHILDREN, quantize
from neuraltree.compress.int8.lookup_tables import DOMAINS, FINE, KINDS, TURNS, fine_values, values
from neuraltree.tree.nodes import join
from neuraltree.tree.tree import Tree
from tests.helpers.integer_oracle import SINGLE_MAX, IntegerOracle, kind_value
from tests.helpers.random_models import IDENTITY as LINEAR
from tests.helpers.random_models import RELU, TANH, edge_models, models, random_model, raw_inputs, regression, scaler
from tests.helpers.strategies import steady, trees

OF_A_NODE = ("weight", "low", "high")
OF_A_FUNCTION = ("bias", "multiplier", "shift", "index_low", "index_high")
MODELS = models(12)
EDGES = edge_models()


def options(tree: Tree) -> tuple[bool, ...]:
    return (False, True) if tree.kind == "regression" else (False,)


def check_equal(tree: Tree, fine: bool, rows: int = 60) -> None:
    """Every number of the integer tree, and what it does with odd inputs, as the recursion has it."""
    made, plain = quantize_tree(tree, fine=fine), IntegerOracle(tree, fine)
    kept = [node for node in plain.nodes if node.keep]
    assert made.nodes["depth"].tolist() == [node.depth for node in kept]
    for name in OF_A_NODE + OF_A_FUNCTION:
        found = getattr(made.numbers, name).tolist()
        compared = [
            (a, getattr(node, name))
            for a, node in zip(found, kept, strict=True)
            # A sum of fine values is an output's; it has no index.
            if name in ("weight", "bias") or not (fine and node.depth == 0)
            if name in OF_A_NODE or node.code >= 0
        ]
        assert all(a == b for a, b in compared), name
    X = raw_inputs(tree, rows)
    q = made.quantize(X)
    assert q.tolist() == [plain.quantize(row) for row in X.astype(float).tolist()]
    scores = made.scores(q)
    assert scores.tolist() == [plain.scores(row) for row in q.tolist()]
    assert made.outputs.values(scores).tolist() == [plain.values(row) for row in scores.tolist()]
    assert made.predict_q(q).tolist() == [plain.predict_q(row) for row in q.tolist()]


@pytest.mark.parametrize("place", range(len(MODELS)))
def test_random_trees_equal_the_recursion(place: int) -> None:
    for fine in options(MODELS[place]):
        check_equal(MODELS[place], fine)


@pytest.mark.parametrize("name", EDGES)
def test_edge_trees_equal_the_recursion(name: str) -> None:
    for fine in options(EDGES[name]):
        check_equal(EDGES[name], fine)


@pytest.mark.parametrize("tree", [tree for tree in MODELS if tree.kind == "binary"][:6])
def test_a_score_is_the_second_class_above_one_integer(tree: Tree) -> None:
    """For thresholds at the logits of scores themselves, and between them."""
    X = raw_inputs(tree, 60)
    made = quantize_tree(tree)
    q = made.quantize(X)
    scores = np.unique(made.scores(q))
    for score in scores[:: max(1, len(scores) // 10)].tolist():
        for logit in (score * float(made.outputs.gain), (score + 0.5) * float(made.outputs.gain)):
            threshold = min(max(1 / (1 + np.exp(-logit)), 1e-300), 1 - 1e-16)
            moved = quantize_tree(replace(tree, threshold=threshold))
            plain = IntegerOracle(moved.source)
            found = moved.predict_q(q)
            assert found.tolist() == [plain.predict_q(row) for row in q.tolist()]
            assert found.tolist() == (made.scores(q)[:, 0] > moved.score_threshold).tolist()
            assert moved.predict_proba(X).tobytes() == made.predict_proba(X).tobytes()


@steady
@given(trees(values=st.floats(-5, 5)))
def test_small_trees_equal_the_recursion(tree: Tree) -> None:
    for fine in options(tree):
        check_equal(tree, fine, rows=20)


# ---- dead edges, intervals, 32 bits ----


def all_inputs(tree: Tree, rows: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    q = rng.integers(-127, 128, size=(rows, len(tree.features)))
    q[0], q[1], q[2] = 0, 127, -127
    return q


@pytest.mark.parametrize("tree", [*MODELS, *EDGES.values()])
def test_dead_edges_change_nothing_and_values_stay_in_their_intervals(tree: Tree) -> None:
    """The recursion asserts the intervals at every node of every row."""
    for fine in options(tree):
        made, plain = quantize_tree(tree, fine=fine), IntegerOracle(tree, fine)
        for row in all_inputs(tree, 20).tolist():
            short = np.array([[row[i] for i in plain.used]], dtype=np.int8).reshape(1, -1)
            assert made.scores(short).tolist()[0] == plain.scores(row, everything=True)


def test_there_are_dead_edges_to_test() -> None:
    lost = sum(len(tree.nodes) - len(quantize_tree(tree).nodes) for tree in MODELS)
    assert lost > 100


def too_large(tree: Tree) -> bool:
    """Whether a sum can go beyond single floats, in real numbers."""
    return any(not node.reach <= SINGLE_MAX for node in IntegerOracle(tree).nodes)


@given(
    trees(values=st.floats(-5, 5)),
    st.lists(st.floats(-30, 30), min_size=8, max_size=8),
    st.lists(st.sampled_from([0.0, 1.0, 1.0]), min_size=8, max_size=8),
)
@settings(steady, max_examples=150)
def test_extreme_weights_stay_within_32_bits(tree: Tree, powers: list[float], zeros: list[float]) -> None:
    """The recursion asserts it for every product, at the ends of the intervals and at every row."""
    nodes = tree.nodes.copy()
    count = len(nodes)
    nodes["weight"][:, 0] *= np.resize(10.0 ** np.array(powers) * zeros, count)
    nodes["bias"][:, 0] *= np.resize((10.0 ** np.array(powers))[::-1], count)
    tree = replace(tree, nodes=nodes)
    if too_large(tree):
        with pytest.raises(ValueError, match="beyond single floats"):
            quantize_tree(tree)
        return
    for fine in options(tree):
        check_equal(tree, fine, rows=20)


@pytest.mark.parametrize("arity", [1, 2, 100, MOST_CHILDREN])
@pytest.mark.parametrize("kind", [TANH, RELU, LINEAR])
@pytest.mark.parametrize("spread", [0.0, 5.0])
def test_many_children_stay_within_32_bits(arity: int, kind: int, spread: float) -> None:
    rng = np.random.default_rng(arity)
    sizes = np.exp(rng.normal(scale=spread, size=arity))
    rows = [(0, LINEAR, 0.0, 0.3), (1, kind, 1.0, -0.5)] + [(2, i % 7, float(w), 0.0) for i, w in enumerate(sizes)]
    flat = [(0, LINEAR, 0.0, 0.3)] + [(1, i % 7, float(w), 0.0) for i, w in enumerate(sizes)]
    for tree in (regression(rows), regression(flat)):
        for fine in (False, True):
            check_equal(tree, fine, rows=20)
            for row in all_inputs(tree, 4).tolist():
                IntegerOracle(tree, fine).scores(row, everything=True)


def test_too_many_children_are_refused() -> None:
    rows = [(0, LINEAR, 0.0, 0.3)] + [(1, 0, 1.0, 0.0)] * (MOST_CHILDREN + 1)
    with pytest.raises(ValueError, match="a node has 2001 children; in int8 it can have 2000 at most"):
        quantize_tree(regression(rows))


def test_a_sum_beyond_single_floats_is_refused() -> None:
    for rows in ([(0, LINEAR, 0.0, 1e39)], [(0, LINEAR, 0.0, 0.0), (1, RELU, 1e200, 0.0), (2, 0, 1e200, 0.0)]):
        with pytest.raises(ValueError, match="beyond single floats"):
            quantize_tree(regression([*rows, (1, 0, 1.0, 0.0)]))


def test_fine_values_are_for_regression() -> None:
    with pytest.raises(ValueError, match="this is a binary tree"):
        quantize_tree(random_model(0, "binary"), fine=True)


# ---- tables ----


@pytest.mark.parametrize("code", range(len(KINDS)))
@pytest.mark.parametrize("fine", [False, True])
def test_values_of_any_index_equal_the_recursions_and_rise_and_fall_where_they_should(code: int, fine: bool) -> None:
    size = FINE if fine else 1
    t = np.arange(-600 * size, 600 * size, 1 if not fine else 7)
    found = (fine_values if fine else values)(code, t)
    assert found.tolist() == [kind_value(code, i, fine) for i in t.tolist()]
    assert np.abs(found).max() <= 127 * size
    inside = (t >= -128 * size) & (t < 128 * size)
    turns = np.array([place * size for place, _ in TURNS[code]])
    piece = (t[inside][:, None] >= turns).sum(axis=1)
    for number in np.unique(piece):
        steps = np.diff(found[inside][piece == number])
        assert (steps >= 0).all() or (steps <= 0).all()


def test_table_values_are_the_functions() -> None:
    from neuraltree.activations import ACTIVATIONS

    for code in np.flatnonzero(DOMAINS).tolist():
        t = np.arange(-128 * FINE, 128 * FINE)
        exact = ACTIVATIONS[code].value(t / FINE * DOMAINS[code] / 128)
        assert np.abs(values(code, t[::FINE] // FINE) / 127 - exact[::FINE]).max() <= 0.5 / 127 + 1e-12
        assert np.abs(fine_values(code, t) / (127 * FINE) - exact).max() < 4e-4


# ---- populations ----


def test_trees_quantised_together_are_those_quantised_alone() -> None:
    population = [tree.nodes for tree in MODELS]
    nodes, starts = join(population)
    reach = np.linspace(1, 5, int(nodes["op"].max()) + 1)
    together = quantize(nodes, reach)
    effective, cuts = effective_trees(nodes, starts, reach)
    for i, tree in enumerate(population):
        alone = quantize(tree, reach)
        for name, all_of_them, own in zip(alone._fields, together, alone, strict=True):
            assert all_of_them[starts[i] : starts[i + 1]].tolist() == own.tolist(), name
        assert effective[cuts[i] : cuts[i + 1]].tobytes() == tree[alone.keep].tobytes()


def test_effective_trees_are_those_of_the_integer_trees() -> None:
    for tree in MODELS:
        if tree.kind == "regression" and tree.output_activation != "identity":
            continue  # these get an output above them
        nodes, _ = effective_trees(tree.nodes, np.array([0, len(tree.nodes)]), tree.input_range)
        if tree.input_range is None or len(tree.input_range) == len(tree.features):
            assert nodes.tobytes() == quantize_tree(tree).nodes.tobytes()


# ---- accuracy ----


def relative_error(tree: Tree, fine: bool) -> float:
    """Root mean square error over the standard deviation, inputs within the range."""
    Z = np.clip(np.random.default_rng(1).normal(size=(300, len(tree.features))), -3, 3)
    X = Z if tree.scaler is None else tree.scaler.inverse(Z)
    exact = tree.predict(X)
    return float(np.sqrt(np.mean((quantize_tree(tree, fine=fine).predict(X) - exact) ** 2)) / (exact.std() + 1e-9))


def test_errors_are_small() -> None:
    found = [replace(random_model(seed), input_range=None) for seed in range(60)]
    coarse, fine = (np.array([relative_error(tree, wide) for tree in found]) for wide in (False, True))
    assert np.median(coarse) < 0.05
    assert np.median(fine) < np.median(coarse)
    assert np.quantile(coarse, 0.9) < 0.5


def test_classes_and_probabilities_follow_the_tree() -> None:
    for tree in MODELS:
        if tree.classes is None:
            continue
        X = raw_inputs(tree, 300)[60:]
        p, exact = quantize_tree(tree).predict_proba(X), tree.predict_proba(X)
        assert p.shape == exact.shape
        np.testing.assert_allclose(p.sum(axis=1), 1)
        assert np.median(np.abs(p - exact)) < 0.05
        assert set(quantize_tree(tree).predict(X)) <= set(tree.classes)


def test_a_regression_has_no_probabilities_and_shapes_are_checked() -> None:
    tree = quantize_tree(random_model(0))
    with pytest.raises(ValueError, match="no class probabilities"):
        tree.predict_proba(np.zeros((1, len(tree.source.features))))
    with pytest.raises(ValueError, match="the tree needs"):
        tree.quantize(np.zeros(3))


# ---- into integers and out ----

INNER = [(0, LINEAR, 0.0, 0.1), (1, TANH, 1.5, 0.2), (2, 0, 0.7, 0.0), (1, 0, 0.3, 0.0)]


@pytest.mark.parametrize("scale", [1e-24, 1e-6, 1e-3, 1.0, 1e6, 1e24])
@pytest.mark.parametrize("mean", [0.0, 1.0, -30.0])
def test_inputs_are_within_one_step_whatever_their_scale(mean: float, scale: float) -> None:
    """``mean`` in standard deviations."""
    tree = quantize_tree(regression(INNER, scaler=scaler([mean * scale], [scale])))
    z = np.linspace(-3.9, 3.9, 501)
    q = tree.quantize(((z + mean) * scale)[:, None])[:, 0]
    assert np.abs(q - z * 127 / 4).max() < 0.6
    assert (np.diff(q) >= 0).all()


def test_inputs_saturate_and_nan_is_the_mean() -> None:
    tree = quantize_tree(regression(INNER, scaler=scaler([3.0], [2.0])))
    odd = np.array([np.inf, -np.inf, np.nan, 1e38, -1e38, 3.0, 1e300, -1e300])
    assert tree.quantize(odd[:, None])[:, 0].tolist() == [127, -127, 0, 127, -127, 0, 127, -127]


@pytest.mark.parametrize(
    ("mean", "scale"), [(5.0, 2.0), (1e9, 1.0), (-1e9, 1.0), (0.0, 1e-30), (1e30, 1e30), (1e20, 1)]
)
def test_constants_come_out_in_natural_units(mean: float, scale: float) -> None:
    rows = [(depth, op, 0.0, 0.0) for depth, op, _, _ in INNER]
    for fine in (False, True):
        tree = quantize_tree(regression(rows, target_scaler=scaler(mean, scale)), fine=fine)
        np.testing.assert_allclose(tree.predict(np.zeros((1, 1)))[0], mean, rtol=1e-6)


def test_the_fitted_range_clamps_outliers_and_keeps_the_rest() -> None:
    rng = np.random.default_rng(0)
    Z = np.stack([rng.uniform(-2, 2, 5000), rng.normal(size=5000), np.zeros(5000)], axis=1)
    Z[0, 1] = 9.0
    reach = fit_input_range(Z)
    assert reach[0] == pytest.approx(2, abs=0.01)
    assert 8 < reach[1] < 9  # a little off the one outlier makes every step finer
    assert reach[2] == 1
