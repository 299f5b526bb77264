"""Random trees: legal everywhere, of all sizes, with the weights and the published sizes they should have."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.tree.generate import (
    random_subtree,
    random_tree,
    redraw_weights,
    reference_space,
    reference_tree,
    varied_tree,
    wide_tree,
)
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.space import Space, TreeError, check
from tests.helpers.strategies import steady

SPACES = {
    "default": Space(8),
    "three outputs": Space(6, 3, activations=("tanh", "relu"), output_activation="sigmoid"),
    "at least two children": Space(5, min_arity=2, max_nodes=40),
    "two classes, two children": Space(5, 2, min_arity=2, max_arity=2, max_nodes=31),
    "one feature": Space(1, max_nodes=30),
    "one feature, twice": Space(1, 2, min_arity=2, max_nodes=30),
    "smallest": Space(3, max_nodes=2, max_depth=1),
    "smallest of three outputs": Space(3, 3, min_arity=2, max_nodes=9),
    "only chains": Space(4, max_arity=1, max_nodes=12),
    "flat and wide": Space(12, max_depth=1, max_arity=20),
    "deep": Space(20, max_nodes=300, max_depth=12),
    "a search's": Space(13, 3, max_nodes=105, max_arity=64),
    "many features": Space(200, 2, max_arity=64),
    "many children at least": Space(9, 2, min_arity=7, max_arity=64, max_nodes=200),
}
NO_WIDE_TREES = SPACES["one feature, twice"]  # two children at least, and one input to read
GENERATORS = (random_tree, wide_tree, varied_tree)
spaces = st.sampled_from(sorted(SPACES)).map(SPACES.__getitem__)
seeds = st.integers(0, 2**32 - 1)
generators = st.sampled_from(GENERATORS)


def rng_of(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def children_of(nodes: Nodes) -> dict[int, list[int]]:
    """Every function node's children, by a stack of open nodes."""
    children: dict[int, list[int]] = {}
    path: list[int] = []
    for i, (depth, op) in enumerate(zip(nodes["depth"].tolist(), nodes["op"].tolist(), strict=True)):
        del path[depth:]
        if path:
            children[path[-1]].append(i)
        if op < 0:
            children[i] = []
        path.append(i)
    return children


def repeats(nodes: Nodes) -> int:
    """How many leaves read what an earlier leaf under the same parent reads."""
    read = ([int(nodes["op"][i]) for i in below if nodes["op"][i] >= 0] for below in children_of(nodes).values())
    return sum(len(ops) - len(set(ops)) for ops in read)


@steady
@given(generators, spaces, seeds, st.integers(1, 4))
def test_every_tree_is_legal_and_the_seed_decides_it(
    generate: Callable[..., Nodes], space: Space, seed: int, folds: int
) -> None:
    tree = generate(rng_of(seed), space, folds=folds)
    check(tree, space)
    assert tree["weight"].shape == (len(tree), folds)
    assert tree.tobytes() == generate(rng_of(seed), space, folds=folds).tobytes()
    for name in ("weight", "bias"):
        assert (tree[name] == tree[name][:, :1]).all()
    assert not tree["weight"][tree["depth"] == 0].any()
    assert not tree["bias"][tree["op"] >= 0].any()
    if space.min_arity <= space.n_features:
        assert repeats(tree) == 0


@pytest.mark.parametrize("outputs", [1, 3])
def test_sizes_spread_from_the_smallest_to_half_of_the_limit(outputs: int) -> None:
    space, rng = Space(8, outputs), rng_of()
    sizes = np.array([len(random_tree(rng, space)) for _ in range(1000)])
    assert sizes.min() == 2 * outputs
    assert sizes.max() == 30
    share = np.histogram(sizes, np.linspace(2 * outputs, 31, 5))[0] / len(sizes)
    assert share.min() > 0.15
    assert len({len(random_tree(rng, space, max_nodes=9)) for _ in range(200)} - set(range(10))) == 0
    assert max(len(random_tree(rng, space, max_nodes=60)) for _ in range(400)) > 50
    assert max(len(random_tree(rng, space, max_nodes=600)) for _ in range(100)) <= 60


def test_every_output_gets_its_share() -> None:
    rng, space = rng_of(), Space(8, 4, max_nodes=240)
    sizes = []
    for _ in range(500):
        tree = random_tree(rng, space)
        sizes.append(np.diff([*np.flatnonzero(tree["depth"] == 0), len(tree)]) / len(tree))
    assert np.mean(sizes, axis=0) == pytest.approx([0.25] * 4, abs=0.02)
    assert np.mean(np.min(sizes, axis=1)) > 0.15


def test_many_features_and_activations_are_all_used() -> None:
    rng, seen = rng_of(), Counter()
    for _ in range(300):
        seen.update(random_tree(rng, Space(10))["op"].tolist())
    assert {op for op in seen if op >= 0} == set(range(10))
    hidden = [seen[~code] for code in Space(10).codes]
    assert min(hidden) > 0.8 * max(hidden)


def fresh_weights(generate: Callable[..., Nodes], space: Space) -> tuple[dict[int, list[float]], list[float]]:
    """The weights of many trees by the arity of their parent, and the biases."""
    rng = rng_of()
    weights, biases = defaultdict(list), []
    for _ in range(1500):
        tree = generate(rng, space)
        redrawn = redraw_weights(rng, tree)
        for nodes in (tree, redrawn):
            for below in children_of(nodes).values():
                weights[len(below)] += nodes["weight"][below, 0].tolist()
            biases += nodes["bias"][nodes["op"] < 0, 0].tolist()
    return weights, biases


@pytest.mark.parametrize(
    ("generate", "space", "widest"), [(random_tree, Space(8), 5), (wide_tree, Space(8, max_arity=64), 14)]
)
def test_weights_and_biases_have_their_spread(generate: Callable[..., Nodes], space: Space, widest: int) -> None:
    weights, biases = fresh_weights(generate, space)
    assert sorted(weights) == list(range(1, widest + 1))
    for arity, values in weights.items():
        error = np.sqrt(2 / len(values))  # relative, one standard error of a normal variable's variance
        assert np.mean(values) == pytest.approx(0, abs=4 * np.sqrt(2 / arity / len(values)))
        assert np.var(values) == pytest.approx(2 / arity, rel=4 * error)
    assert np.mean(biases) == pytest.approx(0, abs=0.01)
    assert np.std(biases) == pytest.approx(0.3, rel=0.05)


def inputs_and_hidden(nodes: Nodes) -> list[tuple[int, int]]:
    """How many inputs and how many hidden nodes each output has below it, directly."""
    children = children_of(nodes)
    hidden = [sum(int(nodes["op"][i]) < 0 for i in children[top]) for top in np.flatnonzero(nodes["depth"] == 0)]
    return [
        (len(children[top]) - below, below)
        for top, below in zip(np.flatnonzero(nodes["depth"] == 0), hidden, strict=True)
    ]


@steady
@given(spaces.filter(lambda space: space is not NO_WIDE_TREES), seeds)
def test_all_outputs_of_a_wide_tree_are_alike(space: Space, seed: int) -> None:
    tree = wide_tree(rng_of(seed), space)
    ((inputs, hidden),) = set(inputs_and_hidden(tree))
    assert inputs >= 1
    assert hidden <= 6
    assert tree["depth"].max() <= 2
    assert (tree["op"] < 0).sum() == space.n_outputs * (1 + hidden)
    assert repeats(tree) == 0


def test_half_of_wide_trees_read_all_features_where_there_is_room() -> None:
    rng, space = rng_of(), Space(8, 3, max_nodes=105, max_arity=64)
    drawn = [inputs_and_hidden(wide_tree(rng, space))[0] for _ in range(2000)]
    inputs = Counter(inputs for inputs, _ in drawn)
    assert sorted(inputs) == [1, 2, 3, 4, 5, 6, 7, 8]
    # One in eight of the others reads all, too.
    assert inputs[8] / 2000 == pytest.approx(0.5 + 0.5 / 8, abs=0.04)
    assert min(inputs.values()) > 0.5 * 2000 / 16
    hidden = Counter(hidden for _, hidden in drawn)
    assert sorted(hidden) == [0, 1, 2, 3, 4, 5, 6]
    assert min(hidden.values()) > 0.8 * 2000 / 7


@pytest.mark.parametrize(
    ("space", "most"), [(Space(200, max_arity=64), 59), (Space(200, max_nodes=999, max_arity=64), 64), (Space(200), 5)]
)
def test_wide_trees_read_as_many_features_as_there_is_room_for(space: Space, most: int) -> None:
    rng = rng_of()
    drawn = [inputs_and_hidden(wide_tree(rng, space))[0] for _ in range(200)]
    assert max(inputs + hidden for inputs, hidden in drawn) == most
    assert np.mean([inputs + hidden == most for inputs, hidden in drawn]) >= 0.5
    read = {op for _ in range(400) for op in wide_tree(rng, space)["op"].tolist() if op >= 0}
    assert len(read) == 200, "none is left out"


def test_where_no_tree_is_wide_another_is_drawn() -> None:
    rng = rng_of()
    trees = [wide_tree(rng, NO_WIDE_TREES) for _ in range(200)]
    assert max(tree["depth"].max() for tree in trees) > 2
    # What is left to draw is drawn: with fewer children than two there would be no such tree.
    space = Space(5, min_arity=2, max_nodes=40, max_depth=1)
    assert Counter(inputs_and_hidden(wide_tree(rng, space))[0] for _ in range(400)).keys() == {
        (inputs, 0) for inputs in (2, 3, 4, 5)
    }


def test_a_varied_population_has_wide_and_deep_trees() -> None:
    rng, space = rng_of(), Space(8, max_arity=64)
    trees = [varied_tree(rng, space) for _ in range(2000)]
    full = [inputs_and_hidden(tree)[0][0] == 8 for tree in trees]  # a random tree's nodes have five children at most
    assert np.mean(full) == pytest.approx(0.5 * (0.5 + 0.5 / 8), abs=0.03)
    assert np.mean([tree["depth"].max() > 2 for tree in trees]) > 0.25


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"max_arity": 64}, {1, 2, 3, 4, 5}),
        ({"max_arity": 3}, {1, 2, 3}),
        ({"max_arity": 64, "min_arity": 7}, {7}),
        ({"max_arity": 9, "min_arity": 4}, {4, 5}),
    ],
)
def test_drawn_nodes_have_five_children_at_most(limits: dict[str, int], expected: set[int]) -> None:
    rng, space = rng_of(), Space(12, max_nodes=200, **limits)
    trees = [random_tree(rng, space) for _ in range(200)]
    below = [random_subtree(rng, space, depth=1, max_nodes=60, folds=1, min_nodes=20) for _ in range(200)]
    for drawn in (trees, below):
        arities = {len(children) for nodes in drawn for children in children_of(_lifted(nodes)).values()}
        assert arities == expected if drawn is trees else arities <= expected


def _lifted(nodes: Nodes) -> Nodes:
    """A subtree as a tree of its own: its root at depth 0."""
    lifted = nodes.copy()
    lifted["depth"] -= nodes["depth"][0]
    return lifted


@steady
@given(generators, spaces, seeds)
def test_redrawing_weights_changes_all_weights_and_nothing_else(
    generate: Callable[..., Nodes], space: Space, seed: int
) -> None:
    rng = rng_of(seed)
    tree = generate(rng, space, folds=2)
    before = tree.tobytes()
    redrawn = redraw_weights(rng, tree)
    assert tree.tobytes() == before
    check(redrawn, space)
    assert redrawn["depth"].tolist() == tree["depth"].tolist()
    assert redrawn["op"].tolist() == tree["op"].tolist()
    assert ((redrawn["weight"] != tree["weight"]) == (tree["depth"] > 0)[:, None]).all()
    assert ((redrawn["bias"] != tree["bias"]) == (tree["op"] < 0)[:, None]).all()


@steady
@given(spaces, seeds, st.integers(1, 40), st.data())
def test_a_subtree_fits_the_room_it_is_given(space: Space, seed: int, room: int, data: st.DataObject) -> None:
    depth = data.draw(st.integers(1, space.max_depth))
    subtree = random_subtree(rng_of(seed), space, depth=depth, max_nodes=room, folds=3)
    assert 1 <= len(subtree) <= room
    assert subtree["depth"][0] == depth
    assert (subtree["depth"][1:] > depth).all()
    # Under an output, moved up: legal but for the limit of nodes.
    output = np.zeros(1, subtree.dtype)
    output["op"] = ~space.output_code
    tree = np.concatenate([output, subtree])
    tree["depth"][1:] += 1 - depth
    limits = {"max_nodes": room + 1, "max_depth": space.max_depth + 1 - depth}
    if space.min_arity == 1:
        check(tree, replace(space, n_outputs=1, **limits))
    assert len(children_of(tree)[0]) == 1


def test_a_subtree_is_a_leaf_or_a_function_node_as_asked() -> None:
    rng, space = rng_of(), Space(8, min_arity=2)
    roots = [random_subtree(rng, space, depth=2, max_nodes=20, folds=1)["op"][0] < 0 for _ in range(200)]
    assert 0.2 < np.mean(roots) < 0.9
    for minimum, depth, function in ((3, 2, True), (20, 4, True), (3, 5, False), (1, 5, False)):
        drawn = [random_subtree(rng, space, depth=depth, max_nodes=20, folds=1, min_nodes=minimum) for _ in range(50)]
        assert {bool(subtree["op"][0] < 0) for subtree in drawn} == {function}


@pytest.mark.parametrize("generate", GENERATORS)
@pytest.mark.parametrize("limits", [{"max_nodes": 5}, {"max_depth": 0}, {"min_arity": 3, "max_nodes": 11}])
def test_a_space_without_room_for_a_tree_is_refused(generate: Callable[..., Nodes], limits: dict[str, int]) -> None:
    with pytest.raises(TreeError, match="leave no room"):
        generate(rng_of(), replace(Space(4, 3), **limits))


# Mean sizes published for BNeuralT: (leaf probability, classes) -> nodes with the root; 1 class is a regression.
PUBLISHED = {
    (0.4, 1): 124,
    (0.4, 2): 137,
    (0.4, 3): 206,
    (0.4, 4): 274,
    (0.4, 6): 408,
    (0.5, 2): 82,
    (0.6, 1): 31,
    (0.6, 2): 48,
    (0.6, 3): 71,
}


@pytest.mark.parametrize(("case", "mean"), PUBLISHED.items(), ids=str)
def test_the_reference_has_its_published_mean_size(case: tuple[float, int], mean: float) -> None:
    probability, classes = case
    rng = rng_of(classes)
    sizes = [
        len(reference_tree(rng, 8, classes, leaf_probability=probability, minimum_nodes=1)) + (classes > 1)
        for _ in range(2500)
    ]
    # Four standard errors of our mean, and half a node for the rounding of the published one.
    assert np.mean(sizes) == pytest.approx(mean, abs=0.5 + 4 * np.std(sizes) / np.sqrt(len(sizes)))


@pytest.mark.parametrize("classes", [1, 3])
def test_reference_trees_have_the_published_shape(classes: int) -> None:
    rng, space = rng_of(), reference_space(8, classes)
    trees = [reference_tree(rng, 8, classes, folds=2) for _ in range(300)]
    arity: Counter[int] = Counter()
    for tree in trees:
        check(tree, space)
        arity.update(len(below) for below in children_of(tree).values())
    assert sorted(arity) == [2, 3, 4]
    assert min(arity.values()) > 0.3 * arity.total()
    # Six edges from the reference's root: the class nodes are one below it.
    assert max(tree["depth"].max() for tree in trees) == space.max_depth == (6 if classes == 1 else 5)
    assert {int(op) for tree in trees for op in tree["op"]} == {-1, *range(8)}
    assert sum(repeats(tree) for tree in trees) > 100


@pytest.mark.parametrize("classes", [1, 2])
def test_reference_weights_are_uniform_and_positive(classes: int) -> None:
    rng = rng_of()
    tree = np.concatenate([reference_tree(rng, 8, classes) for _ in range(100)])
    for used in (tree["weight"][tree["depth"] > 0], tree["bias"][tree["op"] < 0]):
        assert np.histogram(used, 4, (0, 1))[0] / used.size == pytest.approx([0.25] * 4, abs=0.02)
    assert not tree["weight"][tree["depth"] == 0].any()
    assert not tree["bias"][tree["op"] >= 0].any()


def test_a_regression_tree_of_the_reference_has_more_than_seven_nodes() -> None:
    rng = rng_of()
    assert min(len(reference_tree(rng, 8, 1)) for _ in range(400)) == 8
    small = [len(reference_tree(rng, 8, 1, minimum_nodes=1)) for _ in range(2000)]
    assert min(small) == 3
    assert np.mean(np.array(small) <= 7) == pytest.approx(0.11, abs=0.03)
    # A classifier is not drawn again, however small.
    assert min(len(reference_tree(rng, 8, 2, leaf_probability=0.9)) for _ in range(200)) == 6


def test_reference_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="max_children = 2"):
        reference_tree(rng_of(), 8, 2, max_children=2)
    with pytest.raises(ValueError, match="at most 5 nodes"):
        reference_tree(rng_of(), 8, 1, leaf_probability=1.0)
    largest = reference_tree(rng_of(), 8, 1, leaf_probability=0.0, max_children=3, max_depth=2, minimum_nodes=15)
    assert len(largest) == 15
    with pytest.raises(ValueError, match="at most 15 nodes"):
        reference_tree(rng_of(), 8, 1, max_children=3, max_depth=2, minimum_nodes=16)
