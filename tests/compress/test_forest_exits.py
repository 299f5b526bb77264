"""Early exits of many trees by the kernel: those of one tree at a time, in the same integers."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.activations import NAMES
from neuraltree.compress.exits.early_exit import early_exit_of, walk_of
from neuraltree.compress.exits.forest_exits import plans, walks_of
from neuraltree.compress.exits.integer_forest import IntegerForest
from neuraltree.compress.exits.output_terms import read_costs
from neuraltree.compress.int8.integer_tree import IntegerTree, quantize_tree
from neuraltree.compress.int8.integers import Integers
from neuraltree.engine.kernel.binding import Exits, Kernel
from neuraltree.engine.lowering import kernel_in_use
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.space import Space
from neuraltree.tree.tree import Tree
from tests.helpers.strategies import steady

FEATURES = 6
REACH = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 4.0])


def kernel() -> Kernel:
    found = kernel_in_use()
    if not isinstance(found, Kernel):
        pytest.skip("there is no kernel")
    return found


def some_trees(seed: int, outputs: int, max_nodes: int = 80, count: int = 6) -> list[IntegerTree]:
    """Small and large weights, so that some edges are dead and some scores tie."""
    rng = np.random.default_rng(seed)
    space = Space(FEATURES, outputs, NAMES, "identity", max_nodes=max_nodes, max_depth=4, max_arity=9)
    names = tuple("abcdefgh"[: max(outputs, 2)])
    found = []
    for _ in range(count):
        nodes = random_tree(rng, space)
        nodes["weight"] *= rng.choice([0.003, 1, 30], size=(len(nodes), 1))
        kind = "binary" if outputs == 1 else "multiclass"
        tree = Tree(nodes, kind, tuple(f"x{i}" for i in range(FEATURES)), names, input_range=REACH)
        found.append(quantize_tree(tree))
    return found


def laid(trees: list[IntegerTree], input_cost: np.ndarray) -> IntegerForest:
    nodes, starts = join([tree.nodes for tree in trees])
    numbers = Integers._make(np.concatenate(parts) for parts in zip(*(tree.numbers for tree in trees), strict=True))
    scores = [(tree.outputs.multiplier, tree.outputs.shift) for tree in trees]
    one = np.ones((len(trees), 1), dtype=np.int64)
    stacked = (np.stack(part) for part in zip(*scores, strict=True)) if scores[0][0] is not None else (one, one)
    return IntegerForest(nodes, starts, numbers, *stacked, REACH, np.zeros(FEATURES), input_cost)


def any_codes(seed: int, rows: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    codes = np.rint(rng.normal(size=(FEATURES, rows)) * 40)
    return np.clip(np.where(rng.random(codes.shape) < 0.1, 1000, codes), -127, 127).astype(np.int8)


def check(trees: list[IntegerTree], codes: np.ndarray) -> int:
    """The number of looks in all trees, which are those of one tree at a time."""
    found = walks_of(kernel(), laid(trees, np.full(FEATURES, 55)), codes)
    for tree, walk in zip(trees, found, strict=True):
        exits = early_exit_of(tree)
        wanted = walk_of(exits, exits(codes[tree.inputs.features].T).terms)
        assert walk._replace(nodes=None) == wanted._replace(nodes=None)
        np.testing.assert_array_equal(walk.nodes, wanted.nodes)
    return sum(walk.looks for walk in found)


@steady
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 6]), st.sampled_from([1, 63, 200]))
def test_they_are_those_of_one_tree_at_a_time(seed: int, outputs: int, rows: int) -> None:
    check(some_trees(seed, outputs), any_codes(seed, rows))


@pytest.mark.parametrize(("outputs", "seed"), [(1, 0), (4, 1)])
def test_large_trees_and_single_ones(outputs: int, seed: int) -> None:
    trees = some_trees(seed, outputs, max_nodes=700, count=3)
    assert check(trees, any_codes(seed, 300)) > 2
    check(trees[:1], any_codes(seed, 5))


def test_inputs_that_cost_little_change_the_order() -> None:
    """The costs of inputs reach the kernel: bytes need less conversion than floats."""
    trees, codes = some_trees(3, 1, max_nodes=300), any_codes(3, 50)
    dear, cheap = (plans(kernel(), laid(trees, np.full(FEATURES, cost)), codes).order for cost in (55, 1))
    assert (dear != cheap).any()
    assert read_costs(trees[0].inputs).tolist() == [55] * len(trees[0].inputs.features)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("first_term", 0, 1),
        ("first_term", 1, 2**31 - 1),
        ("first_term", -1, 0),
        ("first_read", 1, -1),
        ("first_read", -1, 2**31 - 1),
        ("first_input", 1, 2**31 - 1),
        ("read", 0, -1),
        ("read", -1, 2**31 - 1),
        ("shift", 0, 0),
        ("shift", -1, 31),
        ("cost", 0, 0),
    ],
)
def test_a_malformed_job_is_refused(name: str, place: int, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Kernel.exits

    def corrupt(self: Kernel, job: Exits) -> None:
        sizes = {"first_term": 1 + job.trees * job.outputs, "first_read": 1 + job.terms, "first_input": 1 + job.trees}
        sizes |= {"read": job.reads, "shift": job.trees * job.outputs, "cost": job.terms}
        array = np.ctypeslib.as_array((ctypes.c_int32 * sizes[name]).from_address(getattr(job, name)))
        array[place] = value
        real(self, job)

    monkeypatch.setattr(Kernel, "exits", corrupt)
    with pytest.raises(ValueError, match="malformed"):
        plans(kernel(), laid(some_trees(0, 3), np.full(FEATURES, 55)), any_codes(0, 9))
