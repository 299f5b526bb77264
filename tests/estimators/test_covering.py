"""Random trees that read every input: legal, complete where there is room, and as random as their seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.estimators.covering import covering_tree
from neuraltree.tree.space import Space, check
from tests.helpers.strategies import steady

SPACES = {
    "many inputs": Space(40, max_nodes=120),
    "three outputs": Space(9, 3, max_nodes=90, output_activation="sigmoid"),
    "two children": Space(30, max_nodes=200, max_arity=2, max_depth=8),
    "one input": Space(1, max_nodes=20),
    "flat": Space(20, max_nodes=60, max_depth=1, max_arity=25),
}
TIGHT = {
    "few nodes": Space(50, max_nodes=20),
    "few places": Space(50, max_nodes=500, max_depth=2, max_arity=3),
    "smallest": Space(5, max_nodes=2, max_depth=1),
}


@steady
@given(st.sampled_from(sorted(SPACES)), st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_a_tree_is_legal_and_reads_every_input(name: str, seed: int, size: int) -> None:
    space = SPACES[name]
    tree = covering_tree(np.random.default_rng(seed), space, size=size)
    check(tree, space)
    assert set(tree["op"][tree["op"] >= 0].tolist()) == set(range(space.n_features))


@steady
@given(st.sampled_from(sorted(TIGHT)), st.integers(0, 2**32 - 1))
def test_without_room_it_is_full_and_legal(name: str, seed: int) -> None:
    space = TIGHT[name]
    tree = covering_tree(np.random.default_rng(seed), space, size=10)
    check(tree, space)
    full = {"few nodes": len(tree) >= 19, "few places": len(tree) >= 8, "smallest": len(tree) == 2}
    assert full[name]


def test_inputs_without_room_are_left_out_at_random() -> None:
    trees = [covering_tree(np.random.default_rng(seed), TIGHT["few nodes"], size=10) for seed in range(40)]
    read = {op for tree in trees for op in tree["op"].tolist() if op >= 0}
    assert read == set(range(50))


def test_the_seed_decides_and_seeds_differ() -> None:
    first, again, other = (covering_tree(np.random.default_rng(s), SPACES["many inputs"], size=30) for s in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize(("size", "least", "most"), [(10, 20, 30), (60, 40, 105)])
def test_the_size_is_about_what_was_asked_for(size: int, least: float, most: float) -> None:
    trees = [covering_tree(np.random.default_rng(s), Space(20, max_nodes=300), size=size) for s in range(50)]
    assert least <= np.mean([len(tree) for tree in trees]) <= most
