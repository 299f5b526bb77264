"""The layout of a tree: by hand, and as laws that any tree's must obey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.plot.drawing import edge_paths, positions
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.tree import Tree
from tests.helpers.strategies import node_arrays, steady

any_tree = st.integers(1, 3).flatmap(lambda outputs: node_arrays(n_outputs=outputs, min_arity=0))


def record(*rows: tuple[int, int]) -> Nodes:
    """Nodes of (depth, op)."""
    nodes = np.zeros(len(rows), dtype=node_dtype(1))
    nodes["depth"], nodes["op"] = zip(*rows, strict=True)
    return nodes


# Two outputs: f(g(x0, x1, x2), x3), and f(x4).
BY_HAND = record((0, -1), (1, -2), (2, 0), (2, 1), (2, 2), (1, 3), (0, -1), (1, 4))


def children_of(nodes: Nodes) -> dict[int, list[int]]:
    """By walking: the nodes one deeper, up to the next one that is not deeper."""
    found: dict[int, list[int]] = {}
    path: list[int] = []
    for i, depth in enumerate(nodes["depth"].tolist()):
        del path[depth:]
        if path:
            found.setdefault(path[-1], []).append(i)
        path.append(i)
    return found


def test_by_hand() -> None:
    # Inputs at 0, 1, 2, 3 and, after a free column, 5.
    wanted = [(2, 2), (1, 1), (0, 0), (1, 0), (2, 0), (3, 0), (5, 2), (5, 0)]
    np.testing.assert_array_equal(positions(BY_HAND), wanted)


def test_the_edges_by_hand() -> None:
    paths = edge_paths(BY_HAND)
    assert np.isnan(paths[[0, 6]]).all()
    np.testing.assert_array_equal(paths[1], [(2, 2), (1, 1), (1, 1)])
    np.testing.assert_array_equal(paths[5], [(2, 2), (3, 1), (3, 0)])  # slanted for one row, then straight down
    np.testing.assert_array_equal(paths[7], [(5, 2), (5, 1), (5, 0)])


def test_a_tree_and_its_nodes_are_drawn_alike() -> None:
    nodes = record((0, ~5), (1, 0), (1, 1))
    tree = Tree(nodes, "regression", ("a", "b"))
    np.testing.assert_array_equal(positions(tree), positions(nodes))
    np.testing.assert_array_equal(edge_paths(tree), edge_paths(nodes, positions(nodes)))


@steady
@given(any_tree)
def test_inputs_at_the_bottom_outputs_on_top_each_depth_a_row(nodes: Nodes) -> None:
    x, y = positions(nodes).T
    top = nodes["depth"].max()
    leaf = nodes["op"] >= 0
    assert (y[leaf] == 0).all()
    np.testing.assert_array_equal(y[~leaf], top - nodes["depth"][~leaf])
    assert x.min() == 0


@steady
@given(any_tree)
def test_no_two_nodes_of_a_row_are_nearer_than_one_and_order_is_kept(nodes: Nodes) -> None:
    x, y = positions(nodes).T
    for row in set(y.tolist()):
        assert (np.diff(x[y == row]) >= 1).all()


@steady
@given(any_tree)
def test_a_node_stands_in_the_middle_of_its_first_and_last_child(nodes: Nodes) -> None:
    x = positions(nodes)[:, 0]
    for parent, children in children_of(nodes).items():
        assert x[parent] == (x[children[0]] + x[children[-1]]) / 2


@steady
@given(any_tree)
def test_edges_end_at_parent_and_child_and_none_cross(nodes: Nodes) -> None:
    at = positions(nodes)
    paths = edge_paths(nodes)
    for parent, children in children_of(nodes).items():
        for child in children:
            np.testing.assert_array_equal(paths[child, 0], at[parent])
            np.testing.assert_array_equal(paths[child, 2], at[child])
    edges = paths[nodes["depth"] > 0]
    for row in range(int(nodes["depth"].max())):  # the band between this row and the one above
        slanted = edges[:, 0, 1] == row + 1
        straight = (edges[:, 1, 1] >= row + 1) & (edges[:, 2, 1] <= row)
        above = np.concatenate([edges[slanted, 0, 0], edges[straight, 1, 0]])
        below = np.concatenate([edges[slanted, 1, 0], edges[straight, 2, 0]])
        order = np.lexsort((above, below))
        assert (np.diff(above[order]) >= 0).all()


@pytest.mark.parametrize(
    ("depth", "op"),
    [
        (np.minimum(np.arange(20_000), 19_999), np.where(np.arange(20_000) < 19_999, -1, 0)),
        (np.minimum(np.arange(20_000), 1), np.where(np.arange(20_000) < 1, -1, 0)),
    ],
    ids=["deep", "wide"],
)
def test_large_trees(depth: np.ndarray, op: np.ndarray) -> None:
    nodes = np.zeros(len(depth), dtype=node_dtype(1))
    nodes["depth"], nodes["op"] = depth, op
    at = positions(nodes)
    assert at[:, 0].max() == np.count_nonzero(op >= 0) - 1
    assert at[0].tolist() == [(np.count_nonzero(op >= 0) - 1) / 2, depth.max()]
