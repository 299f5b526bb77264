"""Counts against recursive counters over nested tuples, and live values against every order of evaluation.

A tree here is a list of outputs; a node is ``(activation, children)`` and a leaf is a feature index.
"""

from itertools import permutations, product
from math import factorial, prod

import numpy as np
import pytest

from neuraltree.activations import ACTIVATIONS, NAMES
from neuraltree.hardware import count
from neuraltree.tree.nodes import join, node_dtype

FLOPS = {"sigmoid": 13, "tanh": 15, "gaussian": 9, "relu": 1, "sine": 8, "identity": 0}
FLOPS |= {row.name: row.flops for row in ACTIVATIONS if row.name not in FLOPS}
HIDDEN = tuple(FLOPS)


def record(outputs, folds=1):
    """The node records of a tree, in prefix order."""
    rows = []

    def visit(node, depth):
        rows.append((depth, node if isinstance(node, int) else ~NAMES.index(node[0])))
        for child in () if isinstance(node, int) else node[1]:
            visit(child, depth + 1)

    for output in outputs:
        visit(output, 0)
    nodes = np.zeros(len(rows), node_dtype(folds))
    nodes["depth"], nodes["op"] = zip(*rows, strict=True)
    return nodes


def random_node(rng, depth, arity=4, features=7, leaf=0.5):
    if depth == 0 or rng.random() < leaf:
        return int(rng.integers(features))
    children = [random_node(rng, depth - 1, arity, features, leaf) for _ in range(rng.integers(1, arity + 1))]
    return (HIDDEN[rng.integers(len(HIDDEN))], children)


def random_tree(rng, depth=5, outputs=None, **shape):
    outputs = outputs or int(rng.integers(1, 4))
    return [
        (HIDDEN[rng.integers(len(HIDDEN))], [random_node(rng, depth - 1, **shape) for _ in range(rng.integers(1, 5))])
        for _ in range(outputs)
    ]


def walk(node, depth=0):
    """Every node below and with ``node``, with its depth."""
    yield node, depth
    if not isinstance(node, int):
        for child in node[1]:
            yield from walk(child, depth + 1)


def plain_counts(outputs):
    every = [pair for output in outputs for pair in walk(output)]
    leaves = [node for node, _ in every if isinstance(node, int)]
    functions = [node for node, _ in every if not isinstance(node, int)]
    kinds = [sum(node[0] == name for node in functions) for name in NAMES]
    inner_edges = sum(not isinstance(child, int) for node in functions for child in node[1])
    edges = sum(len(node[1]) for node in functions)
    return {
        "nodes": len(every),
        "function_nodes": len(functions),
        "hidden_nodes": len(functions) - len(outputs),
        "outputs": len(outputs),
        "leaf_edges": len(leaves),
        "node_edges": inner_edges,
        "edges": edges,
        "macs": edges,
        "weights": edges + len(functions),
        "training_bytes": 4 * edges + 8 * len(functions),
        "total_activations": len(functions),
        "depth": max(depth for _, depth in every),
        "kinds": kinds,
        "distinct_activations": len({node[0] for node in functions} - {"identity"}),
        "features_used": len(set(leaves)),
        "flops": 2 * edges + len(functions) + sum(FLOPS[node[0]] for node in functions),
    }


@pytest.mark.parametrize("folds", [1, 3])
def test_counts_are_those_of_a_recursive_walk(folds):
    rng = np.random.default_rng(folds)
    trees = [random_tree(rng) for _ in range(120)]
    counts = count(*join([record(tree, folds) for tree in trees]))
    expected = [plain_counts(tree) for tree in trees]
    for name in expected[0]:
        np.testing.assert_array_equal(getattr(counts, name), [row[name] for row in expected], err_msg=name)
        assert np.issubdtype(getattr(counts, name).dtype, np.integer), name


def test_hand_counted_tree():
    tree = [("identity", [("tanh", [0, 1, ("relu", [1])]), 4]), ("identity", [("tanh", [4]), ("sigmoid", [0, 2])])]
    counts = count(*join([record(tree)]))
    hand = {
        "nodes": 13, "function_nodes": 6, "hidden_nodes": 4, "outputs": 2, "leaf_edges": 7, "node_edges": 4,
        "weights": 17, "macs": 11, "depth": 3, "distinct_activations": 3, "features_used": 4, "peak_live": 2,
        "flops": 22 + 6 + 15 + 15 + 1 + 13,
    }  # fmt: skip
    assert {name: int(getattr(counts, name)[0]) for name in hand} == hand


def test_a_tree_alone_counts_as_in_a_population():
    rng = np.random.default_rng(5)
    trees = [record(random_tree(rng)) for _ in range(40)]
    together, alone = count(*join(trees)), [count(*join([tree])) for tree in trees]
    assert together.narrow is None
    for name in vars(together).keys() - {"narrow"}:
        np.testing.assert_array_equal(getattr(together, name), np.concatenate([getattr(c, name) for c in alone]))


def test_every_activation_is_tried_here():
    assert set(HIDDEN) == set(NAMES)


def test_no_tree_counts_nothing():
    counts = count(np.zeros(0, node_dtype()), np.array([0]))
    assert counts.kinds.shape == (0, len(NAMES))
    assert all(len(getattr(counts, name)) == 0 for name in vars(counts).keys() - {"narrow"})


# Live values.


def path(length):
    return ("tanh", [0, 1] if length == 1 else [2, path(length - 1)])


def perfect(height):
    return ("tanh", [0, 1] if height == 1 else [perfect(height - 1), perfect(height - 1)])


def peak_live(outputs):
    return int(count(*join([record(outputs)])).peak_live[0])


@pytest.mark.parametrize("length", [1, 2, 9])
def test_a_path_keeps_one_value_live(length):
    assert peak_live([path(length)]) == 1


@pytest.mark.parametrize("height", [1, 2, 3, 6])
def test_a_perfect_binary_tree_keeps_its_height_live(height):
    assert peak_live([perfect(height)]) == height


HAND = [
    ([perfect(2), perfect(2), perfect(2)], 3),  # siblings that need 2: the later ones meet a partial sum
    ([perfect(3), perfect(2), perfect(2)], 3),  # the heaviest first, alone
    ([path(4), path(2), 5], 2),
    ([3, perfect(3)], 3),
]


@pytest.mark.parametrize(("children", "live"), HAND)
def test_hand_computed_needs(children, live):
    assert peak_live([("identity", children)]) == live


def test_finished_outputs_have_places_of_their_own():
    assert peak_live([path(1), path(1), perfect(3)]) == 3
    assert peak_live([perfect(3), perfect(3), perfect(3)]) == 3
    assert peak_live([path(1)] * 4) == 1


def test_the_signs_of_weights_by_hand():
    """An output's own weight is no edge's, and a weight of zero has no sign."""
    trees = [record([("identity", [0, ("tanh", [1])])]) for _ in range(4)]
    for tree, weights in zip(trees, ([-9, 1, 2, 0], [9, -1, -2, 0], [0, 1, -2, 3], [5, 0, 0, 0]), strict=True):
        tree["weight"][:, 0] = weights
    counts = count(*join(trees))
    assert counts.adds.tolist() == [True, False, True, False]
    assert counts.subtracts.tolist() == [False, True, True, False]


def test_inner_nodes_by_hand():
    assert count(
        *join([record([path(3)]), record([perfect(3)]), record([path(1), perfect(2)])])
    ).inner_nodes.tolist() == [2, 3, 1]


def orders(node):
    """The node with its children, and theirs, in every order."""
    if isinstance(node, int):
        return [node]
    ways = [orders(child) for child in node[1]]
    return [(node[0], [ways[i][c] for i, c in zip(order, choice, strict=True)])
            for order in permutations(range(len(ways)))
            for choice in product(*(range(len(ways[i])) for i in order))]  # fmt: skip


def traced_peak(outputs):
    """The most values alive while a machine evaluates the tree as written, adding each child as it comes."""
    live = peak = 0

    def allocate():
        nonlocal live, peak
        live += 1
        peak = max(peak, live)

    def evaluate(node):
        nonlocal live
        has_sum = False
        for child in node[1]:
            if isinstance(child, int):
                if not has_sum:
                    allocate()
            else:
                evaluate(child)
                live -= has_sum  # the child's value is added to the sum, or becomes it
            has_sum = True

    for output in outputs:
        evaluate(output)
        live -= 1  # its value is put among the outputs
    return peak


def least_peak(outputs):
    ways = [orders(output) for output in outputs]
    return min(
        traced_peak([ways[i][c] for i, c in zip(order, choice, strict=True)])
        for order in permutations(range(len(ways)))
        for choice in product(*(range(len(ways[i])) for i in order))
    )


@pytest.mark.parametrize("outputs", [1, 2])
def test_peak_live_is_the_least_over_all_orders(outputs):
    rng = np.random.default_rng(outputs)
    seen = []
    while len(seen) < 40:
        tree = random_tree(rng, depth=4, outputs=outputs, arity=3, leaf=0.25)
        arities = [len(node[1]) for output in tree for node, _ in walk(output) if not isinstance(node, int)]
        if len(arities) >= 4 * outputs and prod(map(factorial, arities)) <= 800:
            seen.append(peak_live(tree))
            assert seen[-1] == least_peak(tree), tree
    assert len(set(seen)) > 1


def test_the_worst_order_can_need_more():
    tree = [("tanh", [path(1), perfect(3)])]
    assert traced_peak(tree) == 4 > peak_live(tree) == 3
