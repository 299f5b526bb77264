"""Bytes of training a part of a tree, and the choice of nodes under a budget of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.compress.pruning.lesson import Lesson, lesson_of
from neuraltree.export.c.training.device_step import training_step
from neuraltree.tree.nodes import count_weights
from neuraltree.tree.tree import Tree
from neuraltree.updating.evolved_choice import contributions, evolved
from neuraltree.updating.selection import SELECTORS, Situation, greedy, select
from neuraltree.updating.single_rows import Parameters, losses, row_by_row
from neuraltree.updating.training_state import TrainingState
from tests.export.test_export_train import make_rows, make_tree, oracle_step, value_of
from tests.helpers.random_models import IDENTITY, RELU, record

# Node 0 reads 1 and 4; 1 reads leaves 2 and 3; 4 reads 5 and leaf 8; 5 reads leaves 6 and 7.
SMALL = record(
    [
        *[(0, IDENTITY, 0.0, 0.1), (1, RELU, 0.5, 0.2), (2, 0, 1.0, 0.0), (2, 1, -1.0, 0.0)],
        *[(1, RELU, -0.7, 0.3), (2, RELU, 0.9, 0.1), (3, 2, 1.5, 0.0), (3, 0, 0.4, 0.0), (2, 1, 0.8, 0.0)],
    ]
)
# By hand: trained weights, and the nodes whose numbers wait for the backward pass.
COUNTED = {
    (): (0, ()),
    (0,): (3, (0, 1, 4)),
    (1,): (3, (0, 1)),
    (4,): (3, (0, 4, 5)),
    (5,): (3, (0, 4, 5)),
    (0, 1): (6, (0, 1, 4)),
    (1, 5): (6, (0, 1, 4, 5)),
    (0, 1, 4, 5): (12, (0, 1, 4, 5)),
}
BUDGETS = st.integers(0, 400)


def chosen(nodes: np.ndarray, which: tuple[int, ...]) -> np.ndarray:
    return np.isin(np.arange(len(nodes)), which)


@pytest.mark.parametrize("which", COUNTED)
def test_bytes_of_a_tree_counted_by_hand(which: tuple[int, ...]) -> None:
    state, (weights, kept) = TrainingState(SMALL), COUNTED[which]
    assert np.flatnonzero(state.visited(chosen(SMALL, which))).tolist() == list(kept)
    assert state.bytes(chosen(SMALL, which)) == 4 * weights + 4 * len(kept)


def counted(nodes: np.ndarray, which: tuple[int, ...]) -> int:
    """The bytes of trained nodes, from what the delta rule reads, node by node."""
    depth, op = nodes["depth"].tolist(), nodes["op"].tolist()
    parent = [next((j for j in range(i - 1, -1, -1) if depth[j] < depth[i]), None) for i in range(len(nodes))]
    weights, kept = 0, set()
    for node in which:
        children = [i for i in range(len(nodes)) if parent[i] == node]
        weights += 1 + len(children)
        kept |= {i for i in children if op[i] < 0}
        above: int | None = node
        while above is not None:
            kept.add(above)
            above = parent[above]
    return 4 * weights + 4 * len(kept)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_bytes_of_all_choices_of_small_trees(seed: int) -> None:
    nodes = make_tree("softmax", seed, nodes=14).nodes
    state, inner = TrainingState(nodes), np.flatnonzero(nodes["op"] < 0).tolist()
    for size in range(min(len(inner), 6) + 1):
        for which in combinations(inner[:7], size):
            assert state.bytes(chosen(nodes, which)) == counted(nodes, which)
    assert state.most_bytes == 4 * count_weights(nodes) + 4 * len(inner)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), budget=BUDGETS)
def test_greedy_keeps_the_budget_and_cannot_be_extended(seed: int, budget: int) -> None:
    nodes, rng = make_tree("regression", seed, nodes=30).nodes, np.random.default_rng(seed)
    state, scores = TrainingState(nodes), rng.normal(size=len(nodes))
    live = greedy(state, scores, budget, rng)
    taken = tuple(np.flatnonzero(live).tolist())
    assert counted(nodes, taken) <= budget or not taken
    assert not live[nodes["op"] >= 0].any()
    for other in np.flatnonzero((nodes["op"] < 0) & ~live).tolist():
        assert counted(nodes, (*taken, other)) > budget


def test_greedy_skips_what_does_not_fit_and_takes_the_best_first() -> None:
    state, rng = TrainingState(SMALL), np.random.default_rng(0)
    scores = np.array([1.0, 2, 9, 9, 4, 3, 9, 9, 9])
    assert np.flatnonzero(greedy(state, scores, 24, rng)).tolist() == [4]
    assert np.flatnonzero(greedy(state, scores, 23, rng)).tolist() == [1]  # 4, 5 and 0 take 24
    assert np.flatnonzero(greedy(state, scores, 36, rng)).tolist() == [4, 5]


def lesson(tree: Tree, rows: int = 60, seed: int = 1) -> Lesson:
    X, y = zip(*make_rows(tree, rows, seed), strict=True)
    labels = list(y) if tree.classes is None else [tree.classes[int(k)] for k in y]
    return lesson_of(tree, np.array(X), labels)


@pytest.mark.parametrize("name", SELECTORS)
@pytest.mark.parametrize("case", ["regression", "softmax"])
def test_every_selector_keeps_every_budget(name: str, case: str) -> None:
    tree = make_tree(case, 4, nodes=30)
    state, whole = TrainingState(tree.nodes), TrainingState(tree.nodes).most_bytes
    budgets = (whole,) if name == "full" else (60, whole // 3, whole)
    for budget in budgets:
        live = select(tree.nodes, budget, name, lesson(tree), seed=3)
        assert 0 < state.bytes(live) <= budget
        assert np.array_equal(live, select(tree.nodes, budget, name, lesson(tree), seed=3))
    if name in ("full", "output", "gradient", "velocity", "random"):
        assert np.array_equal(live, state.function)  # of the last budget, which holds all nodes


def test_the_nearest_to_the_output_come_first() -> None:
    assert np.flatnonzero(select(SMALL, 40, "output")).tolist() == [0, 1]  # 24 B, then 36 B; 4 would take 52 B


def test_the_gradient_is_that_of_differences() -> None:
    tree = make_tree("regression", 2, activations=("tanh", "sigmoid"))
    rows, nodes, step = lesson(tree), tree.nodes, 1e-6
    state = TrainingState(nodes)

    def loss_with(field: str, node: int, change: float) -> float:
        moved = nodes.copy()
        moved[field][node, 0] += change
        return float(losses(moved, Parameters(moved["weight"], moved["bias"]), rows)[0])

    wanted = np.zeros(len(nodes))
    for field, node, owner in [
        *(("bias", i, i) for i in np.flatnonzero(state.function)),
        *(("weight", i, state.parent[i]) for i in np.flatnonzero(state.parent >= 0)),
    ]:
        wanted[owner] += ((loss_with(field, node, step) - loss_with(field, node, -step)) / (2 * step)) ** 2
    found = SELECTORS["gradient"].scores(Situation(nodes, rows, np.random.default_rng(0)))
    inner = state.function
    np.testing.assert_allclose(found[inner], np.sqrt(wanted[inner] / state.weights[inner]), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("case", ["regression", "binary", "softmax", "sigmoids"])
def test_many_ways_are_the_steps_of_the_device(case: str) -> None:
    tree = make_tree(case, 3)
    function = tree.nodes["op"] < 0
    live = np.array([function, function & (np.random.default_rng(0).random(len(function)) < 0.3)])
    rates, rows = np.array([0.01, 0.03]), make_rows(tree, 12)
    order = np.random.default_rng(5).permutation(12)
    (found,) = row_by_row(tree.nodes, lesson(tree, 12), live, rates, 1, np.random.default_rng(5))
    for way in range(2):
        device = tree
        for row in order:
            device = training_step(device, *rows[row], rates[way], live[way])[1]
        for field, values in zip(("weight", "bias"), found, strict=True):
            np.testing.assert_allclose(values[:, way], device.nodes[field][:, 0], rtol=1e-9, atol=1e-12)


def test_velocity_is_that_of_centred_outputs_after_three_epochs() -> None:
    tree = make_tree("regression", 6, nodes=15)
    rows, inner = make_rows(tree, 8), np.flatnonzero(tree.nodes["op"] < 0)

    def outputs(of: Tree) -> np.ndarray:
        z = tree.scaler.transform(np.array([x for x, _ in rows]))
        found = np.array([[value_of(of.nodes, i, row) for row in z] for i in inner])
        return found - found.mean(axis=1, keepdims=True)

    rng, device, before = np.random.default_rng(3), tree, outputs(tree)
    angle, velocity = np.zeros((2, len(inner)))
    for _ in range(3):
        for row in rng.permutation(8):
            device = training_step(device, *rows[row], 0.01)[1]
        now = outputs(device)
        size = np.linalg.norm(now, axis=1) * np.linalg.norm(before, axis=1)
        cosine = (now * before).sum(axis=1) / size
        velocity, angle, before = cosine - angle - 0.5 * velocity, cosine, now
    found = SELECTORS["velocity"].scores(Situation(tree.nodes, lesson(tree, 8), np.random.default_rng(3)))
    np.testing.assert_allclose(found[inner], np.abs(velocity), rtol=1e-6, atol=1e-9)


def test_the_search_finds_the_best_sum_of_gains() -> None:
    """Against all choices of a small tree; nodes that do harm are left out."""
    nodes = make_tree("regression", 1, nodes=22).nodes
    inner = np.flatnonzero(nodes["op"] < 0).tolist()[:10]
    state, rng = TrainingState(nodes), np.random.default_rng(0)
    gains = np.full(len(nodes), -1.0)
    gains[inner] = rng.normal(size=len(inner))
    for budget in (80, 140, 1000):
        fitting = [
            which
            for size in range(len(inner) + 1)
            for which in combinations(inner, size)
            if counted(nodes, which) <= budget
        ]
        best = max(float(gains[list(which)].sum()) for which in fitting)
        live = evolved(state, gains, budget, np.random.default_rng(1))
        assert gains[live].sum() == pytest.approx(best)


def test_gains_are_falls_of_the_loss_on_held_back_rows() -> None:
    """Of every node alone, by the device's step on three rows of four, and the recursion's loss on the fourth."""
    tree = make_tree("regression", 1, nodes=20)
    rows = make_rows(tree, 16)
    held, fitted = rows[3::4], [row for i, row in enumerate(rows) if i % 4 != 3]

    def mean_loss(of: Tree) -> float:
        return float(np.mean([oracle_step(of, x, y, 0.0)[0] for x, y in held]))

    found = contributions(tree.nodes, lesson(tree, 16), np.random.default_rng(2))
    assert not found[tree.nodes["op"] >= 0].any()
    for node in np.flatnonzero(tree.nodes["op"] < 0).tolist():
        rng, device = np.random.default_rng(2), tree
        for _ in range(3):
            for row in rng.permutation(len(fitted)):
                device = training_step(device, *fitted[row], 0.01, chosen(tree.nodes, (node,)))[1]
        assert found[node] == pytest.approx(mean_loss(tree) - mean_loss(device), rel=1e-6, abs=1e-9)


def test_words_of_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="there is no selector 'best'; there are output, gradient"):
        select(SMALL, 100, "best")
    with pytest.raises(ValueError, match="or take one that needs none: output, random, full"):
        select(SMALL, 100, "gradient")
    with pytest.raises(ValueError, match="in 19 B: the smallest takes 20 B"):
        select(SMALL, 19, "output")
    with pytest.raises(ValueError, match="all nodes takes 64 B, more than 63 B"):
        select(SMALL, 63, "full")
