"""A class that stops early is the class of the whole tree, whatever the inputs that were not read."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.compress import IntegerTree, quantize_tree
from neuraltree.compress.exits.checkpoints import checkpoints
from neuraltree.compress.exits.early_exit import EarlyExit, Part, early_exit_of
from neuraltree.tree.tree import Tree
from tests.helpers.integer_oracle import IntegerOracle
from tests.helpers.random_models import IDENTITY, TANH, edge_models, models, random_model, raw_inputs, record
from tests.helpers.strategies import steady, trees

MODELS = [tree for tree in models(12) if tree.kind != "regression"]
EDGES = {name: tree for name, tree in edge_models().items() if tree.kind != "regression"}


def everywhere(tree: IntegerTree) -> EarlyExit:
    """With a check after every term."""
    made = early_exit_of(tree)
    first, *others = (replace(part, checks=tuple(range(len(part.terms)))) for part in made.parts)
    return EarlyExit(tree, (replace(first, checks=()) if others else first, *others))


def read_by(exits: EarlyExit, stops: list[int]) -> list[int]:
    """The inputs that a row has read which computes so many terms of each part."""
    found = [{i for term in part.terms[:n] for i in term.features} for part, n in zip(exits.parts, stops, strict=True)]
    return sorted(set().union(*found))


def any_rows(tree: IntegerTree, rows: int, seed: int = 0) -> np.ndarray:
    """(rows, used) 8-bit inputs: uniform, and many at the ends."""
    rng = np.random.default_rng(seed)
    q = rng.integers(-127, 128, (rows, len(tree.inputs.features)))
    return np.where(rng.random(q.shape) < 0.3, rng.choice([-127, 0, 127], q.shape), q).astype(np.int8)


def check_same(tree: Tree, rows: int = 40) -> None:
    """The class of the plain recursion, also where the inputs that were not read are others."""
    made = quantize_tree(tree)
    plain = IntegerOracle(tree)
    q = np.concatenate([made.quantize(raw_inputs(tree, rows)), any_rows(made, rows)])
    for exits in (early_exit_of(made), everywhere(made)):
        found = exits(q)
        assert found.codes.tolist() == [plain.predict_q(row) for row in q.tolist()]
        other = any_rows(made, len(q), seed=1)
        counted = exits.inputs_read(found.terms)
        for row, stops in enumerate(found.terms.tolist()):
            read = read_by(exits, stops)
            ahead = set().union(*(part.ahead for part in exits.parts))
            assert counted[row] == len(ahead | set(read))
            other[row, read] = q[row, read]
        assert found.codes.tolist() == [plain.predict_q(row) for row in other.tolist()]


@pytest.mark.parametrize("place", range(len(MODELS)))
def test_random_trees_keep_their_classes(place: int) -> None:
    check_same(MODELS[place])


@pytest.mark.parametrize("name", EDGES)
def test_edge_trees_keep_their_classes(name: str) -> None:
    check_same(EDGES[name])


@settings(steady, max_examples=25)
@given(trees(st.floats(-3, 3), kinds=("binary", "multiclass")))
def test_any_tree_keeps_its_classes(tree: Tree) -> None:
    check_same(tree, rows=14)


def small(kind: str, weights: list[list[float]], threshold: float = 0.5, bias: float = 0.0) -> Tree:
    """Outputs that are sums of two inputs each, of which a tie is likely."""
    rows = []
    for pair in weights:
        rows += [(0, IDENTITY, 0.0, bias), *((1, i, w, 0.0) for i, w in enumerate(pair))]
    names = tuple(f"class {i}" for i in range(max(len(weights), 2)))
    return Tree(record(rows), kind, ("x0", "x1"), names, input_range=np.array([127.0, 127.0]), threshold=threshold)


@pytest.mark.parametrize(
    "tree",
    [
        small("binary", [[1.0, -1.0]]),
        small("binary", [[1.0, -1.0]], threshold=0.9),
        small("binary", [[1.0, 1 / 127]], bias=1 / 127),
        small("multiclass", [[1.0, 0.0], [0.0, 1.0]]),
        small("multiclass", [[1.0, -1.0], [1.0, -1.0], [-0.5, 1.0]]),
        small("multiclass", [[-1.0, 0.5], [1.0, 0.25], [1.0, 0.25]]),
    ],
)
def test_all_inputs_of_small_trees_with_ties(tree: Tree) -> None:
    made = quantize_tree(tree)
    plain = IntegerOracle(tree)
    values = [-127, -64, -1, 0, 1, 63, 64, 126, 127]
    q = np.array(list(itertools.product(values, repeat=len(made.inputs.features))), dtype=np.int8)
    found = everywhere(made)(q)
    assert found.codes.tolist() == [plain.predict_q(row) for row in q.tolist()]
    assert found.terms.sum(axis=1).min() < len(made.terms(q))  # some stop


def test_a_class_stops_as_soon_as_no_other_can_win() -> None:
    """Brute force over all that could follow: a row goes on only where two classes are possible."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        leaves = [(1, i, float(w), 0.0) for i, w in enumerate(rng.normal(size=6))]
        names = tuple(f"x{i}" for i in range(6))
        tree = Tree(record([(0, IDENTITY, 0.0, rng.normal()), *leaves]), "binary", names, ("no", "yes"))
        made = quantize_tree(tree)
        corners = np.array(list(itertools.product([-127, 127], repeat=len(made.inputs.features))), dtype=np.int8)
        exits = everywhere(made)
        for row, (stop,) in zip(corners, exits(corners).terms.tolist(), strict=True):
            assert stop > 0
            read = read_by(exits, [stop - 1])
            like = corners[(corners[:, read] == row[read]).all(axis=1)]
            assert len(set(made.predict_q(like).tolist())) == 2


@settings(steady, max_examples=60)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=8), st.lists(st.integers(0, 20), min_size=5, max_size=5))
def test_checks_are_the_cheapest_set(decided: list[int], steps: list[int]) -> None:
    costs = np.cumsum([0, *steps])

    def total(checks: tuple[int, ...]) -> int:
        stops = [next((n for n in checks if n >= d), 5) for d in decided]
        return sum(int(costs[s]) + 7 * sum(n <= s for n in checks) for s in stops)

    every = [c for size in range(6) for c in itertools.combinations(range(5), size)]
    assert total(checkpoints(np.array(decided), costs, 7)) == min(map(total, every))


def test_less_is_computed() -> None:
    tree = Tree(
        record([(0, IDENTITY, 0.0, 0.0), (1, TANH, 3.0, 0.0), (2, 0, 1.0, 0.0), (1, 1, 0.1, 0.0), (1, 2, 0.1, 0.0)]),
        "binary",
        ("x0", "x1", "x2"),
        ("no", "yes"),
    )
    exits = early_exit_of(quantize_tree(tree))
    X = np.array([[2.0, -1.0, 1.0], [0.0, 0.5, -0.6]])
    assert exits.predict(X).tolist() == tree.predict(X).tolist() == ["yes", "no"]
    assert exits.macs(exits(exits.tree.quantize(X)).terms).tolist() == [2, 4]
    assert (exits.mean_macs(X), exits.most_macs) == (3.0, 4)


def test_a_score_of_several_is_left_as_soon_as_it_cannot_win() -> None:
    """Brute force: the part of a class goes on only where what follows could make its score the largest so far."""
    rng = np.random.default_rng(1)
    for _ in range(5):
        rows: list[tuple[int, int, float, float]] = []
        for _ in range(3):
            leaves = [(1, i, float(w), 0.0) for i, w in enumerate(rng.normal(size=4))]
            rows += [(0, IDENTITY, 0.0, rng.normal()), *leaves]
        made = quantize_tree(Tree(record(rows), "multiclass", tuple(f"x{i}" for i in range(4)), ("a", "b", "c")))
        exits = everywhere(made)
        corners = np.array(list(itertools.product([-127, 127], repeat=4)), dtype=np.int8)
        found = exits(corners).terms
        for row, stops in enumerate(found.tolist()):
            for place, stop in enumerate(stops):
                if place and stop:  # it was not decided one term before
                    assert could_win(made, corners, row, exits.parts[: place + 1], stop - 1)
        assert found.sum(axis=1).mean() < len(made.terms(corners))


def could_win(tree: IntegerTree, corners: np.ndarray, row: int, parts: tuple[Part, ...], terms: int) -> bool:
    """Whether the score of the last part is the largest with any values of the inputs that ``terms`` do not read."""
    scores, last = tree.scores(corners).astype(int), parts[-1]
    read = sorted({i for term in last.terms[:terms] for i in term.features})
    like = scores[(corners[:, read] == corners[row, read]).all(axis=1), last.output].tolist()
    before = [(scores[row, part.output], -part.output) for part in parts[:-1]]
    return any(all((score, -last.output) > other for other in before) for score in like)


def test_a_regression_cannot_stop_early() -> None:
    with pytest.raises(ValueError, match="regression"):
        early_exit_of(quantize_tree(random_model(0)))
