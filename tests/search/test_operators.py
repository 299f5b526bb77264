"""The operators' table: every row keeps the laws, does what its name says, and does it most of the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, node_dtype
from neuraltree.tree.space import Space, check
from search.errors import InputError
from search.variation.edge_operators import SPREADS
from search.variation.operators import OPERATORS, REDRAWS, UNCHANGED, Operator, crossover, make_child, make_toolbox
from search.variation.slices import extents
from tests.helpers.strategies import steady

SPACES = {
    "default": Space(8),
    "three outputs": Space(5, 3, activations=("tanh", "relu"), max_nodes=40, max_arity=3),
    "at least two children": Space(6, min_arity=2, max_nodes=30),
    "three outputs, two children": Space(4, 3, min_arity=2, max_arity=3, max_nodes=33, max_depth=3),
    "smallest": Space(2, max_nodes=2, max_depth=1),
    "tiny": Space(2, activations=("sigmoid",), max_nodes=5, max_depth=2, max_arity=2),
    "tiny, two children": Space(3, 2, min_arity=2, max_arity=2, max_nodes=7, max_depth=2),
    "one feature": Space(1, max_nodes=12),
    "chains": Space(3, max_arity=1, max_nodes=8, max_depth=6),
}
NAMES = [row.name for row in OPERATORS]
BY_NAME = {row.name: row for row in OPERATORS}
every_row = pytest.mark.parametrize("row", OPERATORS, ids=NAMES)
spaces = st.sampled_from(sorted(SPACES)).map(SPACES.__getitem__)
seeds = st.integers(0, 2**32 - 1)

SIGMOID, TANH, OUTPUT = ~0, ~1, ~5


def rng_of(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def grown(rng: np.random.Generator, space: Space, folds: int = 2) -> Nodes:
    """A random tree of up to the whole space, with different weights in every fold."""
    tree = random_tree(rng, space, folds=folds, max_nodes=space.max_nodes)
    tree["weight"] *= rng.uniform(0.5, 1.5, tree["weight"].shape)
    tree["bias"] *= rng.uniform(0.5, 1.5, tree["bias"].shape)
    return tree


def slopes_of(tree: Nodes, space: Space) -> np.ndarray:
    """Slopes (nodes, features, folds) for a guided operator, the same ones for the same tree."""
    return rng_of(len(tree)).normal(size=(len(tree), space.n_features, tree["weight"].shape[1]))


def guide(row: Operator, tree: Nodes, space: Space) -> dict[str, np.ndarray]:
    return {"slopes": slopes_of(tree, space)} if row.guided else {}


def apply(row: Operator, rng: np.random.Generator, trees: list[Nodes], space: Space) -> Nodes:
    """The child of an operator, for every number of parents."""
    child: Nodes = row.function(rng, *trees[: row.parents], space, **guide(row, trees[0], space))
    return child


def made(*rows: tuple[int, int, float]) -> Nodes:
    """A tree of (depth, op, weight)."""
    return np.array([(depth, op, weight, 0.5 if op < 0 else 0.0) for depth, op, weight in rows], node_dtype())


def end_of(nodes: Nodes, start: int) -> int:
    depth = nodes["depth"].tolist()
    return next((i for i in range(start + 1, len(depth)) if depth[i] <= depth[start]), len(depth))


def cut(nodes: Nodes, start: int) -> tuple[bytes, bytes, bytes]:
    """What comes before, in and after the subtree at ``start``; the subtree as if it were a tree by itself."""
    end, inside = end_of(nodes, start), nodes.copy()
    inside["depth"] -= nodes["depth"][start]
    return nodes[:start].tobytes(), inside[start:end].tobytes(), nodes[end:].tobytes()


def replacements(parent: Nodes, child: Nodes) -> list[tuple[int, int]]:
    """Every (start, end of the child's new subtree) such that a subtree at ``start`` is all that differs."""
    found = []
    for start in np.flatnonzero(parent["depth"][: len(child)] > 0).tolist():
        before, _, after = cut(parent, start)
        if child["depth"][start] == parent["depth"][start] and cut(child, start)[::2] == (before, after):
            found.append((start, end_of(child, start)))
    return found


def differing(parent: Nodes, child: Nodes) -> list[int]:
    """The nodes whose op differs; everything else must be equal."""
    same = parent.copy()
    same["op"] = child["op"]
    assert same.tobytes() == child.tobytes()
    return np.flatnonzero(parent["op"] != child["op"]).tolist()


# --- laws


@every_row
@steady
@given(space=spaces, seed=seeds, folds=st.integers(1, 3))
def test_laws(row: Operator, space: Space, seed: int, folds: int) -> None:
    rng = rng_of(seed)
    trees = [grown(rng, space, folds) for _ in range(2)]
    before = [tree.tobytes() for tree in trees]
    child = apply(row, rng_of(seed), trees, space)
    assert [tree.tobytes() for tree in trees] == before, "an argument was written into"
    check(child, space)
    assert child.dtype == trees[0].dtype
    assert np.count_nonzero(child["depth"] == 0) == space.n_outputs
    assert not child["weight"][child["depth"] == 0].any()
    assert not child["bias"][child["op"] >= 0].any()
    assert child is trees[0] or not any(np.shares_memory(child, tree) for tree in trees)
    assert apply(row, rng_of(seed), trees, space).tobytes() == child.tobytes()


@every_row
def test_another_seed_gives_another_child(row: Operator) -> None:
    trees = [grown(rng_of(seed), SPACES["default"]) for seed in (1, 2)]
    children = {apply(row, rng_of(seed), trees, SPACES["default"]).tobytes() for seed in range(30)}
    assert len(children) >= 5 or row.name == "remove_weakest_edge"


@every_row
@pytest.mark.parametrize("outputs", [1, 3])
def test_most_trees_are_really_changed(row: Operator, outputs: int) -> None:
    rng, space, changed = rng_of(), Space(8, outputs), 0
    for _ in range(200):
        # Up to half of the limit, as in a first population.
        trees = [random_tree(rng, space) for _ in range(2)]
        changed += apply(row, rng, trees, space).tobytes() != trees[0].tobytes()
    assert changed > 0.75 * 200


@every_row
def test_where_no_change_is_legal_the_parent_itself_comes_back(row: Operator) -> None:
    # An output with one leaf on the only feature, in a space that allows nothing else.
    space = Space(1, activations=("sigmoid",), max_nodes=2, max_depth=1)
    trees = [random_tree(rng_of(seed), space) for seed in range(2)]
    for seed in range(10):
        child = apply(row, rng_of(seed), trees, space)
        free = row.name in ("crossover", "perturb_weights")
        assert (child is trees[0]) != free


@steady
@given(space=spaces, seed=seeds)
def test_extents_are_those_of_every_subtree(space: Space, seed: int) -> None:
    tree = grown(rng_of(seed), space)
    sizes, heights = extents(tree["depth"].tolist())
    for i in range(len(tree)):
        below = tree["depth"][i : end_of(tree, i)]
        assert (sizes[i], heights[i]) == (len(below), below.max() - below[0])


# --- what the names say


@steady
@given(space=spaces, seed=seeds)
def test_crossover_brings_one_subtree_of_the_second_parent(space: Space, seed: int) -> None:
    rng = rng_of(seed)
    first, second = grown(rng, space), grown(rng, space)
    child = crossover(rng, first, second, space)
    pieces = {cut(second, i)[1] for i in np.flatnonzero(second["depth"] > 0).tolist()}
    assert child is first or any(cut(child, start)[1] in pieces for start, _ in replacements(first, child))


def test_crossover_moves_function_nodes_nine_times_in_ten() -> None:
    rng, space, functions = rng_of(), Space(8, max_nodes=200), 0
    first = made((0, OUTPUT, 0), (1, TANH, 0.1), (2, 0, 0.2), (2, 1, 0.3), (1, 2, 0.4))
    second = made((0, OUTPUT, 0), (1, SIGMOID, 0.5), (2, 3, 0.6), (2, 4, 0.7), (1, 5, 0.8))
    for _ in range(1000):
        functions += SIGMOID in crossover(rng, first, second, space)["op"]
    assert functions / 1000 == pytest.approx(0.9, abs=0.04)


def test_crossover_finds_the_only_point_that_fits() -> None:
    space = Space(8, max_nodes=5, max_depth=2)
    full = made((0, OUTPUT, 0), (1, TANH, 0.1), (2, 0, 0.2), (2, 1, 0.3), (1, 2, 0.4))
    small = made((0, OUTPUT, 0), (1, 6, 0.5), (1, 7, 0.6))
    for seed in range(50):
        check(crossover(rng_of(seed), full, small, space), space)
        check(crossover(rng_of(seed), small, full, space), space)
    # A subtree of two levels fits only where the other has one.
    deep = made((0, OUTPUT, 0), (1, SIGMOID, 0.7), (2, 3, 0.8))
    moved = [crossover(rng_of(seed), deep, full, space) for seed in range(50)]
    assert {child["op"][1:].tolist() == [TANH, 0, 1] for child in moved} == {True, False}


def one_leaf(parent: Nodes, child: Nodes, space: Space) -> None:
    (changed,) = differing(parent, child)
    assert parent["op"][changed] >= 0
    assert child["op"][changed] >= 0


def all_leaves(parent: Nodes, child: Nodes, space: Space) -> None:
    changed = differing(parent, child)
    assert changed
    assert min(parent["op"][changed].min(), child["op"][changed].min()) >= 0


def subtree_insertion(parent: Nodes, child: Nodes, space: Space) -> None:
    assert len(child) > len(parent)
    assert any(
        parent["op"][start] >= 0
        and child["op"][start] < 0
        and (child["weight"][start] == parent["weight"][start]).all()
        for start, _ in replacements(parent, child)
    )


def subtree_deletion(parent: Nodes, child: Nodes, space: Space) -> None:
    assert len(child) < len(parent)
    assert any(
        parent["op"][start] < 0
        and child["op"][start] >= 0
        and (child["weight"][start] == parent["weight"][start]).all()
        for start, _ in replacements(parent, child)
    )


def subtree_replacement(parent: Nodes, child: Nodes, space: Space) -> None:
    assert any((child["weight"][start] == parent["weight"][start]).all() for start, _ in replacements(parent, child))


def change_activation(parent: Nodes, child: Nodes, space: Space) -> None:
    (changed,) = differing(parent, child)
    assert parent["depth"][changed] > 0
    assert parent["op"][changed] < 0
    assert ~child["op"][changed] in space.codes


def new_edge(parent: Nodes, child: Nodes) -> tuple[int, int, int]:
    """The leaf that is all the child has besides the parent's nodes, the node that reads it, and the input."""
    assert len(child) == len(parent) + 1
    new = next(
        i
        for i in range(1, len(child))
        if child["op"][i] >= 0 and np.delete(child, i).tobytes() == parent.tobytes() and not child["bias"][i].any()
    )
    top = max(i for i in range(new) if child["depth"][i] < child["depth"][new])
    inputs = [
        int(child["op"][i])
        for i in range(top + 1, end_of(child, top))
        if child["depth"][i] == child["depth"][top] + 1 and child["op"][i] >= 0
    ]
    assert inputs.count(int(child["op"][new])) == 1
    return new, top, int(child["op"][new])


def insert_edge(parent: Nodes, child: Nodes, space: Space) -> None:
    new, *_ = new_edge(parent, child)
    assert 0 < np.abs(child["weight"][new]).max() < 0.6
    assert np.ptp(child["weight"][new]) == 0


def grow_edge(parent: Nodes, child: Nodes, space: Space) -> None:
    new, *place = new_edge(parent, child)
    slopes = slopes_of(parent, space)[tuple(place)]
    np.testing.assert_allclose(child["weight"][new], -0.1 * slopes / np.sqrt(np.mean(slopes**2)), rtol=1e-12)


# The standard deviation of f(s) for a standard normal s, in closed form, by activation code; a leaf has 1.
CLOSED_FORM = {
    1: 0.6279,  # tanh: no closed form; by quadrature elsewhere
    2: sqrt(1 / sqrt(5) - 1 / 3),
    3: sqrt(1 / 2 - 1 / (2 * pi)),
    4: sqrt((1 - np.exp(-2)) / 2),
    5: 1.0,
    0: 0.2083,  # sigmoid: no closed form; by quadrature elsewhere
}


def remove_weakest_edge(parent: Nodes, child: Nodes, space: Space) -> None:
    options = []
    for i in np.flatnonzero(parent["depth"] > 0).tolist():
        top = max(j for j in range(i) if parent["depth"][j] < parent["depth"][i])
        below = parent["depth"][top + 1 : end_of(parent, top)] == parent["depth"][top] + 1
        spread = CLOSED_FORM[~int(parent["op"][i])] if parent["op"][i] < 0 else 1.0
        if np.count_nonzero(below) > space.min_arity:
            options.append((spread * sum(abs(w) for w in parent["weight"][i]), i))
    weakest = min(options)[1]
    before, _, after = cut(parent, weakest)
    assert child.tobytes() == before + after


def hoist(parent: Nodes, child: Nodes, space: Space) -> None:
    assert len(child) < len(parent)
    assert any(
        parent["op"][start] < 0
        and cut(child, start)[1] in {cut(parent, i)[1] for i in range(start + 1, end_of(parent, start))}
        for start, _ in replacements(parent, child)
    )


def perturb_weights(parent: Nodes, child: Nodes, space: Space) -> None:
    same = child.copy()
    same["weight"], same["bias"] = parent["weight"], parent["bias"]
    assert same.tobytes() == parent.tobytes()
    for name, used in (("weight", parent["depth"] > 0), ("bias", parent["op"] < 0)):
        change = np.abs(child[name] - parent[name])
        assert ((change > 0) == used[:, None]).all()
        assert (change <= 6 * (0.1 * np.abs(parent[name]) + 0.05)).all()


Answer = Callable[[Nodes, Nodes, Space], None]


def swap_input(parent: Nodes, child: Nodes, space: Space) -> None:
    """All leaves on one input read one other."""
    del space
    changed = np.flatnonzero(child["op"] != parent["op"])
    (old,), (new,) = (set(tree["op"][changed].tolist()) for tree in (parent, child))
    assert old >= 0
    assert new >= 0
    assert old not in child["op"]
    assert child["depth"].tolist() == parent["depth"].tolist()


def merge_inputs(parent: Nodes, child: Nodes, space: Space) -> None:
    """The other input was read before, so that one less is."""
    swap_input(parent, child, space)
    before, after = (set(tree["op"][tree["op"] >= 0].tolist()) for tree in (parent, child))
    assert after < before


ANSWERS: tuple[Answer, ...] = (
    one_leaf,
    all_leaves,
    subtree_insertion,
    subtree_deletion,
    subtree_replacement,
    change_activation,
    insert_edge,
    grow_edge,
    remove_weakest_edge,
    hoist,
    perturb_weights,
    swap_input,
    merge_inputs,
)


def test_every_mutation_has_an_answer() -> None:
    assert ["crossover", *(answer.__name__ for answer in ANSWERS)] == NAMES


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.__name__)
@steady
@given(space=spaces, seed=seeds)
def test_a_mutation_does_what_its_name_says(answer: Answer, space: Space, seed: int) -> None:
    rng = rng_of(seed)
    parent = grown(rng, space)
    child = apply(BY_NAME[answer.__name__], rng, [parent], space)
    if child is not parent:
        answer(parent, child, space)


def test_remove_weakest_edge_on_a_tree_made_by_hand() -> None:
    space = Space(8, max_nodes=20)
    tree = made(
        (0, OUTPUT, 0),
        (1, TANH, 0.5),  # 0.31
        (2, 0, 0.1),  # the lightest, but an only child
        (1, SIGMOID, 0.9),  # 0.19: the weakest, as a sigmoid varies little
        (2, 1, -3.0),
        (2, 2, 0.3),
        (1, 3, 0.25),
    )
    child = BY_NAME["remove_weakest_edge"].function(rng_of(), tree, space)
    assert child["op"].tolist() == [OUTPUT, TANH, 0, 3]
    again = BY_NAME["remove_weakest_edge"].function(rng_of(), child, space)
    assert again["op"].tolist() == [OUTPUT, TANH, 0]
    assert BY_NAME["remove_weakest_edge"].function(rng_of(), again, space) is again


def test_the_mean_over_folds_decides_which_edge_is_weakest() -> None:
    tree = np.zeros(3, node_dtype(2))
    tree["depth"], tree["op"] = (0, 1, 1), (OUTPUT, 0, 1)
    tree["weight"] = ((0, 0), (-0.9, 0.8), (0.3, 0.4))
    child = BY_NAME["remove_weakest_edge"].function(rng_of(), tree, Space(2))
    assert child["op"].tolist() == [OUTPUT, 0]


def test_a_grown_edge_is_the_steepest_of_a_random_half_of_the_absent_ones() -> None:
    space = Space(3, max_arity=3, max_nodes=20)
    tree = made((0, OUTPUT, 0), (1, TANH, 0.5), (2, 0, 0.3), (1, 1, 0.2))
    slopes = np.full((4, 3, 1), 99.0)  # also where there is no such edge to add
    slopes[0, :, 0], slopes[1, :, 0] = (1, 99, -2), (99, 0, 3)
    found = Counter()
    for seed in range(4000):
        child = BY_NAME["grow_edge"].function(rng_of(seed), tree, space, slopes)
        _, *place = new_edge(tree, child)
        found[tuple(place)] += 1
    # One draw in eight leaves out all three, and then the steepest is taken.
    for place, share in {(1, 2): 5 / 8, (0, 2): 2 / 8, (0, 0): 1 / 8}.items():
        assert found.pop(place) / 4000 == pytest.approx(share, abs=0.025)
    assert not found


@pytest.mark.parametrize("slope", [0.0, np.nan, np.inf])
def test_where_no_slope_says_where_an_edge_is_inserted_by_chance(slope: float) -> None:
    space = SPACES["three outputs"]
    tree = grown(rng_of(), space)
    slopes = np.full((len(tree), space.n_features, 2), slope)
    child = BY_NAME["grow_edge"].function(rng_of(4), tree, space, slopes)
    assert child.tobytes() == BY_NAME["insert_edge"].function(rng_of(4), tree, space).tobytes()


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_slopes_of_any_size_lead_to_the_same_edge(size: float) -> None:
    space = SPACES["three outputs"]
    tree = grown(rng_of(), space)
    slopes = slopes_of(tree, space)
    children = [BY_NAME["grow_edge"].function(rng_of(4), tree, space, s) for s in (slopes, size * slopes)]
    np.testing.assert_array_equal(children[0]["op"], children[1]["op"])
    np.testing.assert_allclose(children[0]["weight"], children[1]["weight"], rtol=1e-12)


def test_the_spread_of_an_activation_is_that_on_normal_sums() -> None:
    assert SPREADS.tolist()[:6] == pytest.approx([CLOSED_FORM[code] for code in range(6)], abs=2e-4)


def test_perturbation_has_its_stated_size() -> None:
    tree = made((0, OUTPUT, 0), *[(1, 0, weight) for weight in (0.0, 2.0) for _ in range(2000)])
    change = BY_NAME["perturb_weights"].function(rng_of(), tree, Space(1))["weight"][1:, 0] - tree["weight"][1:, 0]
    assert np.std(change[:2000]) == pytest.approx(0.05, rel=0.06)
    assert np.std(change[2000:]) == pytest.approx(sqrt(0.2**2 + 0.05**2), rel=0.06)


# --- the toolbox


def test_defaults_sum_to_one_and_crossover_has_two_fifths() -> None:
    assert sum(row.default_probability for row in OPERATORS) == pytest.approx(1)
    assert BY_NAME["crossover"].default_probability == 0.4
    assert {row.name for row in OPERATORS if not row.default_probability} == {"swap_input", "merge_inputs"}
    assert all(row.usual(signals=True) > 0 for row in OPERATORS)
    assert all(row.doc for row in OPERATORS)


@every_row
def test_the_toolbox_has_every_operator_with_the_space_bound(row: Operator) -> None:
    space = SPACES["three outputs"]
    trees = [grown(rng_of(seed), space) for seed in range(2)]
    registered = getattr(make_toolbox(space, {}), row.name)
    child = registered(rng_of(3), *trees[: row.parents], **guide(row, trees[0], space))
    assert child.tobytes() == apply(row, rng_of(3), trees, space).tobytes()


@pytest.mark.parametrize("probabilities", [{}, {"hoist": 1, "one_leaf": 3}], ids=["defaults", "given"])
def test_operators_are_drawn_by_their_probability(probabilities: dict[str, float]) -> None:
    toolbox, rng = make_toolbox(Space(8), probabilities), rng_of()
    drawn = Counter(toolbox.draw(rng) for _ in range(20_000))
    expected = probabilities or {row.name: row.default_probability for row in OPERATORS if row.default_probability}
    assert set(drawn) == set(expected)
    for name, share in expected.items():
        assert drawn[name] / 20_000 == pytest.approx(share / sum(expected.values()), abs=0.012)


def test_the_order_of_the_probabilities_changes_nothing() -> None:
    given_order = {"hoist": 0.2, "one_leaf": 0.5, "insert_edge": 0.3}
    other_order = dict(reversed(given_order.items()))
    names = [[make_toolbox(Space(8), p).draw(rng_of(i)) for i in range(30)] for p in (given_order, other_order)]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ({"croxover": 1.0}, r"unknown operator 'croxover'; allowed: crossover, one_leaf"),
        ({"hoist": -0.1, "one_leaf": 1.0}, "0 or more"),
        ({"hoist": 0.0}, "not all 0"),
        ({"hoist": float("nan")}, "finite"),
    ],
)
def test_probabilities_that_cannot_work_are_refused(probabilities: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_toolbox(Space(8), probabilities)


def test_children_are_legal_named_and_reproducible() -> None:
    space, rng = SPACES["three outputs"], rng_of()
    toolbox, trees = make_toolbox(space, {}), [grown(rng, space) for _ in range(300)]
    runs = []
    for _ in range(2):
        rng = rng_of(5)
        runs.append([make_child(rng, trees[i - 1], trees[i], toolbox) for i in range(300)])
    for (child, name), (twin, same) in zip(*runs, strict=True):
        check(child, space)
        assert (child.tobytes(), name) == (twin.tobytes(), same)
    assert {name for _, name in runs[0]} == {row.name for row in OPERATORS if row.default_probability}


def test_a_child_of_crossover_grows_from_the_first_parent() -> None:
    rng, space = rng_of(), Space(8)
    first, second = grown(rng, space), grown(rng, space)
    toolbox = make_toolbox(space, {"crossover": 1})
    for _ in range(20):
        child, name = make_child(rng, first, second, toolbox)
        assert (child[0].tobytes(), name) == (first[0].tobytes(), "crossover")


def test_a_no_op_is_drawn_again_and_then_given_up() -> None:
    flat = made((0, OUTPUT, 0), (1, 0, 0.5), (1, 1, 0.5))
    rng, space = rng_of(), Space(2)
    # Hoisting is impossible without hidden nodes: half of the draws are lost, six in a row are 1 in 64.
    toolbox = make_toolbox(space, {"hoist": 1, "one_leaf": 1})
    names = Counter(make_child(rng, flat, flat, toolbox)[1] for _ in range(3000))
    assert set(names) == {"one_leaf", UNCHANGED}
    assert names[UNCHANGED] / 3000 == pytest.approx(0.5 ** (1 + REDRAWS), abs=0.008)
    # No room either, for an edge whose place would wait for slopes.
    assert make_child(rng, flat, flat, make_toolbox(space, {"grow_edge": 1})) == (flat, UNCHANGED)
    child, name = make_child(rng, flat, flat, make_toolbox(space, {"hoist": 1}))
    assert child is flat
    assert name == UNCHANGED
