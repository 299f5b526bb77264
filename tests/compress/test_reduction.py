"""Exact depth reduction: fewer nodes, and the function of a plain recursion within the ranges of the inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.activations import ACTIVATIONS, NAMES
from neuraltree.compress.reduction.reduce_nodes import reduce_nodes, reduced
from neuraltree.compress.reduction.sum_intervals import (
    Ends,
    ends_everywhere,
    ends_of_int8,
    ends_of_rows,
    image_of,
    sum_ends,
)
from neuraltree.tree.nodes import Nodes
from tests.helpers import plain_tree
from tests.helpers.random_models import IDENTITY, RELU, SIGMOID, TANH, record, regression, scaler
from tests.helpers.strategies import node_arrays, sparse, steady

HARD_TANH = ~NAMES.index("hard_tanh")
WIDTH = 4
EVERYWHERE = Ends(np.full(WIDTH, -np.inf), np.full(WIDTH, np.inf))


@st.composite
def ranges(draw: st.DrawFn) -> Ends:
    """Four ranges, some of them of one value, some on one side of 0."""
    ends = draw(st.lists(st.tuples(st.floats(-3, 3), st.sampled_from([0.0, 0.5, 4.0])), min_size=WIDTH, max_size=WIDTH))
    low = np.array([end for end, _ in ends])
    return Ends(low, low + np.array([width for _, width in ends]))


def rows_within(ends: Ends, rows: int = 60) -> np.ndarray:
    """Rows at random within the ranges, and their corners."""
    rng = np.random.default_rng(len(ends.low))
    low, high = np.maximum(ends.low, -100), np.minimum(ends.high, 100)
    inside = rng.uniform(low, high, size=(rows, WIDTH))
    corners = rng.integers(0, 2, size=(rows // 2, WIDTH))
    return np.concatenate([inside, np.where(corners, low, high)])


def assert_same_function(nodes: Nodes, after: Nodes, ends: Ends) -> None:
    rows = rows_within(ends)
    for fold in range(nodes["weight"].shape[1]):
        parts = [(each, rows, each["weight"][:, fold], each["bias"][:, fold]) for each in (nodes, after)]
        with np.errstate(invalid="ignore"):
            before, now = (plain_tree.evaluate(*part) for part in parts)
        np.testing.assert_allclose(now, before, rtol=1e-12, atol=1e-12)


@steady
@given(node_arrays(n_outputs=2, folds=2, max_arity=3, values=sparse), ranges())
def test_the_function_is_the_same_within_the_ranges(nodes: Nodes, ends: Ends) -> None:
    after = reduce_nodes(nodes, ends)
    assert_same_function(nodes, after, ends)
    assert len(after) <= len(nodes)
    assert after["depth"].max() <= nodes["depth"].max()
    np.testing.assert_array_equal(reduce_nodes(after, ends), after)


@steady
@given(node_arrays(max_arity=3))
def test_the_function_is_the_same_everywhere_and_no_identity_is_left_inside(nodes: Nodes) -> None:
    after = reduce_nodes(nodes, EVERYWHERE)
    assert_same_function(nodes, after, EVERYWHERE)
    assert not ((after["op"] == IDENTITY) & (after["depth"] > 0)).any()


@steady
@given(node_arrays(folds=2, max_arity=3), ranges())
def test_sums_lie_within_their_ends(nodes: Nodes, ends: Ends) -> None:
    found = sum_ends(nodes, ends)
    for fold in range(2):
        for i in np.flatnonzero(nodes["op"] < 0).tolist():
            later = nodes["depth"][i + 1 :] <= nodes["depth"][i]
            below = nodes[i : i + 1 + int(later.argmax()) if later.any() else None].copy()
            below["depth"] -= nodes["depth"][i]
            below["op"][0] = IDENTITY
            values = plain_tree.evaluate(below, rows_within(ends), below["weight"][:, fold], below["bias"][:, fold])
            assert found.low[i, fold] - 1e-12 <= values.min()
            assert values.max() <= found.high[i, fold] + 1e-12


@pytest.mark.parametrize("row", ACTIVATIONS, ids=NAMES)
def test_the_image_of_an_interval_is_that_of_a_fine_grid(row) -> None:
    rng = np.random.default_rng(1)
    low = rng.uniform(-9, 6, size=300)
    ends = Ends(low, low + rng.choice([0.0, 0.1, 2.0, 8.0], size=300))
    image = image_of(row, ends)
    for i in range(300):
        values = row.value(np.linspace(ends.low[i], ends.high[i], 4001))
        assert values.min() == pytest.approx(image.low[i], abs=1e-4)
        assert values.max() == pytest.approx(image.high[i], abs=1e-4)
        assert image.low[i] <= values.min() + 1e-15
        assert image.high[i] >= values.max() - 1e-15
    whole = image_of(row, Ends(np.array([-np.inf]), np.array([np.inf])))
    assert (whole.low[0], whole.high[0]) == row.bounds


@pytest.mark.parametrize("row", ACTIVATIONS, ids=NAMES)
def test_the_pieces_are_the_activation(row) -> None:
    sums = np.linspace(-5, 5, 1001)
    values = row.value(sums)
    for low, high, slope, intercept in row.pieces:
        there = (sums >= low) & (sums <= high)
        np.testing.assert_allclose(slope * sums[there] + intercept, values[there], atol=1e-15)
    straight = np.isin(row.derivative(sums, values), (0, 1)).all()
    assert bool(row.pieces) == straight


PLANTED = record(
    [
        (0, IDENTITY, 0.0, 0.5),
        (1, RELU, 2.0, -9.0),  # never above 0 for |x| <= 1
        (2, 0, 3.0, 0.0),
        (2, TANH, 1.0, 0.0),
        (3, 1, 1.0, 0.0),
        (1, RELU, -0.5, 9.0),  # always above 0
        (2, HARD_TANH, 4.0, 0.1),  # always between -1 and 1
        (3, 0, 0.5, 0.0),
        (2, 1, 1.0, 0.0),
        (1, SIGMOID, 1.0, 0.2),
        (2, 1, 1.0, 0.0),
        (2, RELU, 1.0, -8.0),  # the constant 0, by its range alone
        (3, 2, 7.0, 0.0),
    ]
)


def test_planted_nodes_are_found() -> None:
    ends = Ends(np.array([-1.0, -1, 1, 0]), np.array([1.0, 1, 1, 0]))
    after = reduce_nodes(PLANTED, ends)
    assert_same_function(PLANTED, after, ends)
    expected = [
        (0, IDENTITY, 0.0, 0.5 - 0.5 * (9 + 4 * 0.1)),
        (1, 0, -0.5 * 4 * 0.5, 0.0),
        (1, 1, -0.5, 0.0),
        (1, SIGMOID, 1.0, 0.2),
        (2, 1, 1.0, 0.0),
    ]
    assert after["depth"].tolist() == [depth for depth, *_ in expected]
    assert after["op"].tolist() == [op for _, op, *_ in expected]
    np.testing.assert_allclose(after["weight"][:, 0], [weight for *_, weight, _ in expected])
    np.testing.assert_allclose(after["bias"][:, 0], [bias for *_, bias in expected])
    assert len(reduce_nodes(PLANTED, EVERYWHERE)) == len(PLANTED)


def test_an_output_keeps_a_child() -> None:
    nodes = record([(0, IDENTITY, 0.0, 0.5), (1, RELU, 1.0, -5.0), (2, 0, 1.0, 0.0)])
    after = reduce_nodes(nodes, Ends(np.array([-1.0]), np.array([1.0])))
    assert after["op"].tolist() == [IDENTITY, 0]
    assert after["bias"][0, 0] == 0.5


def test_a_tree_is_reduced_by_the_ranges_of_its_raw_rows() -> None:
    rng = np.random.default_rng(0)
    tree = regression(PLANTED_ROWS, scaler=scaler([50.0, 0.0, 3.0], [10.0, 1.0, 2.0]), int8_loss=0.1)
    X = np.column_stack([rng.uniform(40, 60, 50), rng.uniform(-1, 1, 50), np.full(50, 5.0)])
    after = reduced(tree, ends_of_rows(tree, X))
    assert after.depth == 2
    assert after.num_nodes == 5
    assert after.int8_loss is None
    np.testing.assert_allclose(after.outputs(X), tree.outputs(X), rtol=1e-12, atol=1e-12)
    assert reduced(tree, ends_everywhere(tree)) is tree
    np.testing.assert_allclose(ends_of_int8(tree), [[-4, -4, -4], [4, 4, 4]])


PLANTED_ROWS = [(int(n["depth"]), int(n["op"]), float(n["weight"][0]), float(n["bias"][0])) for n in PLANTED]


def test_rows_without_a_range_are_refused() -> None:
    tree = regression(PLANTED_ROWS)
    with pytest.raises(ValueError, match=r"X has shape \(2, 2\); the tree needs \(rows, 3\)"):
        ends_of_rows(tree, np.zeros((2, 2)))
    with pytest.raises(ValueError, match="not finite"):
        ends_of_rows(tree, np.full((2, 3), np.nan))
