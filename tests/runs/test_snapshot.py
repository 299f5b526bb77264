"""A state through files and back bit for bit, and the archive: the best of each structure ever evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuraltree.tree.nodes import Nodes, node_dtype
from search.engine.evolution_step import State
from search.engine.population import Members
from search.folder.records import RunFolder
from search.folder.snapshot import archive, members_from_arrays, members_to_arrays, state_from_parts, state_to_parts
from tests.helpers.strategies import any_double, node_arrays, steady

NAMES = ("val_error", "weights", "error_class_a/b ü")


def members(trees: list[Nodes], seed: int = 0) -> Members:
    rng = np.random.default_rng(seed)
    count = len(trees)
    columns = {name: rng.normal(size=count) for name in NAMES}
    columns["val_error"][0] = -0.0
    return Members(trees, 7 * np.arange(count), columns, rng.random(count) < 0.7)


def bits(members: Members) -> list[object]:
    """All there is to members, so that equal means equal to the last bit and of equal types."""
    arrays = [*members.trees, members.ids, members.ok, *members.columns.values()]
    return [list(members.columns), *((array.dtype, array.shape, array.tobytes()) for array in arrays)]


def through_files(folder: RunFolder, state: State) -> State:
    arrays, facts = state_to_parts(state)
    folder.save_checkpoint(state.generation, arrays, {**facts, "history": []})
    stored = folder.load_checkpoint()
    assert stored is not None
    return state_from_parts(*stored)


population = st.lists(node_arrays(n_outputs=2, folds=3, values=any_double), min_size=1, max_size=5)


@given(trees=population)
@settings(steady, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_state_comes_back_bit_for_bit(trees: list[Nodes], tmp_path: Path) -> None:
    state = State(3, 3 * len(trees), members(trees), np.arange(len(trees))[::-1].copy())
    read = through_files(RunFolder(tmp_path), state)
    assert bits(read.members) == bits(state.members)
    assert (read.generation, read.evaluations, read.rank.dtype) == (state.generation, state.evaluations, np.int64)
    assert read.rank.tolist() == state.rank.tolist()


@given(trees=population)
@steady
def test_members_come_back_from_arrays(trees: list[Nodes]) -> None:
    assert bits(members_from_arrays(members_to_arrays(members(trees)))) == bits(members(trees))


def line(ops: Sequence[int], weight: float) -> Nodes:
    """An output over leaves that read features ``ops``; two trees of one ``ops`` are of one structure."""
    rows = [(0, ~5, 0.0, 0.0), *((1, op, weight, 0.0) for op in ops)]
    return np.array([(depth, op, [w], [b]) for depth, op, w, b in rows], dtype=node_dtype(1))


def part(*rows: tuple[int, Sequence[int], float, bool]) -> dict[str, np.ndarray]:
    """A part of the archive from (id, structure, error, whether training was sound); an id is its tree's weight."""
    ids, structures, errors, ok = zip(*rows, strict=True)
    trees = [line(ops, float(number)) for number, ops in zip(ids, structures, strict=True)]
    columns = {"val_error": np.array(errors)}
    return members_to_arrays(Members(trees, np.array(ids), columns, np.array(ok)))


def joined(parts: Sequence[dict[str, np.ndarray]]) -> Members:
    return members_from_arrays({name: stream.array() for name, stream in archive(parts).items()})


def test_the_archive_keeps_the_best_of_each_structure_in_order_of_evaluation() -> None:
    parts = [
        part((0, [1], 0.5, True), (1, [2], 0.3, True), (2, [1, 2], 0.9, True), (3, [3], 0.1, False)),
        part((4, [1], 0.4, True), (5, [2], 0.3, True), (6, [3], 0.8, True), (7, [4], 0.0, False)),
        part((8, [1], 0.45, True), (9, [2, 1], 0.9, True), (10, [4], 0.1, False)),
    ]
    kept = joined(parts)
    # 4 is the best of [1]; 1 came before 5; 6 is sound and 3 is not; of two that are not, 7 is the better.
    assert kept.ids.tolist() == [1, 2, 4, 6, 7, 9]
    assert kept.columns["val_error"].tolist() == [0.3, 0.9, 0.4, 0.8, 0.0, 0.9]
    assert kept.ok.tolist() == [True, True, True, True, False, True]
    assert [tree["weight"][1, 0] for tree in kept.trees] == [1.0, 2.0, 4.0, 6.0, 7.0, 9.0]


def test_the_archive_knows_a_tree_that_is_trained_again_by_the_same_id() -> None:
    kept = joined([part((0, [1], 0.5, True)), part((0, [1], 0.2, True), (1, [2], 0.1, True))])
    assert kept.ids.tolist() == [0, 1]
    assert kept.columns["val_error"].tolist() == [0.2, 0.1]
