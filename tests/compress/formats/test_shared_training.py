"""Training of shared values: slopes are sums over the weights that share one, and these stay the same."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.compress import finetune_format, with_weight_format
from neuraltree.compress.narrow.shared_training import shared_slopes, sharing_of
from neuraltree.compress.pruning.lesson import lesson_of
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import count_weights
from neuraltree.tree.simplify import simplify
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from tests.helpers import plain_losses
from tests.helpers.jumps import CONTINUOUS

KINDS = {"regression": 1, "binary": 1, "multiclass": 3}
LOSSES = {"regression": "squared", "binary": "logistic", "multiclass": "softmax"}
X = np.random.default_rng(0).normal(size=(60, 5))


def tree_of(kind: str) -> Tree:
    rng, space = np.random.default_rng(2), Space(5, KINDS[kind], CONTINUOUS, "identity", max_nodes=300, max_depth=6)
    drawn = (simplify(random_tree(rng, space, max_nodes=300)) for _ in range(1000))
    nodes = next(each for each in drawn if count_weights(each) > 160)
    classes = None if kind == "regression" else tuple("pqr"[: max(2, KINDS[kind])])
    return Tree(nodes, kind, tuple("abcde"), classes)  # type: ignore[arg-type]


def answers(tree: Tree) -> np.ndarray:
    rng = np.random.default_rng(1)
    return (
        rng.normal(size=60)
        if tree.classes is None
        else np.array(tree.classes)[rng.integers(len(tree.classes), size=60)]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_slopes_are_finite_differences_by_the_shared_values(kind: str) -> None:
    tree = with_weight_format(tree_of(kind), "shared3")
    lesson = lesson_of(tree, X[:8], answers(tree)[:8])
    sharing, values = sharing_of(tree.nodes)
    assert 2 <= len(values) <= 8
    by_value, by_bias = shared_slopes(tree.nodes, lesson, sharing)

    def loss(field: str, where: np.ndarray, by: float) -> float:
        nodes = tree.nodes.copy()
        nodes[field][where, 0] += by
        return plain_losses.mean_loss(nodes, lesson.inputs, lesson.targets, LOSSES[kind])

    step = 1e-6
    for place in range(len(values)):
        members = np.flatnonzero((tree.nodes["depth"] > 1) & (tree.nodes["weight"][:, 0] == values[place]))
        ends = [loss("weight", members, sign * step) for sign in (1, -1)]
        assert by_value[place] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-5)
    for node in np.flatnonzero(tree.nodes["op"] < 0)[:4]:
        ends = [loss("bias", np.array([node]), sign * step) for sign in (1, -1)]
        assert by_bias[node] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_values_move_and_no_weight_changes_its_value_for_another(kind: str) -> None:
    tree = tree_of(kind)
    y = answers(tree)
    start, tuned = (finetune_format(tree, X, y, "shared3", epochs=epochs, seed=3) for epochs in (0, 6))
    assert start == with_weight_format(tree, "shared3")
    assert tuned.nodes["op"].tolist() == start.nodes["op"].tolist()
    (before, values), (after, moved) = sharing_of(start.nodes), sharing_of(tuned.nodes)
    assert len(moved) <= len(values)
    shared = [before.places == place for place in range(len(values))]
    assert all(len(set(after.places[members].tolist())) == 1 for members in shared)
    assert not np.allclose(tuned.nodes["weight"], start.nodes["weight"])
    into_outputs = start.nodes["depth"] <= 1
    np.testing.assert_array_equal(tuned.nodes["weight"][into_outputs], start.nodes["weight"][into_outputs])
    lesson = lesson_of(tree, X, y)
    given = lesson.inputs, lesson.targets, LOSSES[kind]
    losses = [plain_losses.mean_loss(each.nodes, *given) for each in (start, tuned)]
    assert losses[1] < 0.995 * losses[0]
    assert finetune_format(tree, X, y, "shared3", epochs=6, seed=3) == tuned
