"""Two halves in sequence are the whole tree bit for bit, and no set of numbers to send has fewer bytes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuraltree.compress import IntegerTree, quantize_tree
from neuraltree.compress.splitting.best_cut import Graph, best_cut, graph_of
from neuraltree.compress.splitting.halves import Halves, split_tree
from neuraltree.compress.splitting.radio_links import LINKS
from neuraltree.tree.tree import Tree
from tests.helpers.integer_oracle import IntegerOracle
from tests.helpers.random_models import IDENTITY, TANH, models, random_model, raw_inputs, record
from tests.helpers.strategies import steady, trees

MODELS = [tree for tree in models(12) if len(tree.features) > 1]


def sides(tree: IntegerTree, seed: int) -> set[int]:
    """Some of the inputs that the tree reads, not all; none if it reads less than two."""
    used = tree.inputs.features.tolist()
    if len(used) < 2:
        return set()
    rng = np.random.default_rng(seed)
    return set(rng.permutation(used)[: int(rng.integers(1, len(used)))].tolist())


def fewest_bytes(graph: Graph) -> int:
    """Brute force: the cheapest set of vertices that is on every way from the inputs to what the gateway needs."""
    after: dict[int, set[int]] = {}
    for start, end in graph.edges:
        after.setdefault(start, set()).add(end)

    def blocks(chosen: set[int]) -> bool:
        waiting, seen = [v for v in graph.first if v not in chosen], set[int]()
        while waiting:
            v = waiting.pop()
            if v in graph.last:
                return False
            seen.add(v)
            waiting += [w for w in after.get(v, ()) if w not in chosen and w not in seen]
        return True

    count = len(graph.vertices)
    every = (set(c) for size in range(count + 1) for c in itertools.combinations(range(count), size))
    return min(sum(graph.vertices[v].size_bytes for v in chosen) for chosen in every if blocks(chosen))


def check_halves(tree: Tree, seed: int, rows: int = 40) -> Halves | None:
    made = quantize_tree(tree)
    own = sides(made, seed)
    if not own:
        return None
    halves = split_tree(made, own)
    assert sum(halves.macs) == np.count_nonzero(made.nodes["depth"])
    X = raw_inputs(tree, rows, seed)
    message = halves.message(X[:, list(halves.own)])
    for number, each in zip(message.T.tolist(), halves.sent, strict=True):
        assert all(-(256**each.size_bytes) // 2 <= value < 256**each.size_bytes // 2 for value in number)
    found = halves.predict_q(X[:, list(halves.others)], message)
    plain = IntegerOracle(tree)
    assert found.tolist() == [plain.predict_q(plain.quantize(row)) for row in X.astype(float).tolist()]
    if (graph := graph_of(made, own)) and len(graph.vertices) <= 12:
        assert halves.message_bytes == fewest_bytes(graph)
    return halves


@pytest.mark.parametrize("place", range(len(MODELS)))
def test_random_trees_are_their_halves(place: int) -> None:
    check_halves(MODELS[place], place)


@settings(steady, max_examples=40)
@given(trees(st.floats(-3, 3)), st.integers(0, 100))
def test_any_tree_is_its_halves(tree: Tree, seed: int) -> None:
    check_halves(tree, seed, rows=14)


def chain(shared: int) -> Tree:
    """Two hidden nodes of x0..x2 below an output that also reads x3, and ``shared`` times x0 itself."""
    rows: list[tuple[int, int, float, float]] = [(0, IDENTITY, 0.0, 0.1)]
    for weight in (1.0, -0.5):
        rows += [(1, TANH, weight, 0.0), (2, 0, 0.5, 0.0), (2, 1, 1.0, 0.0), (2, 2, -1.0, 0.0)]
    rows += [(1, TANH, 0.3, 0.0), (2, 3, 1.0, 0.0), *((2, 0, 0.7, 0.0) for _ in range(shared))]
    return Tree(record(rows), "binary", ("x0", "x1", "x2", "x3"), ("no", "yes"))


def test_what_is_sent() -> None:
    """One value of each hidden node, or their sum in as many bytes; the raw inputs where these are fewer."""
    tree = quantize_tree(chain(0))
    assert [(each.what, each.size_bytes) for each in best_cut(tree, {0, 1, 2})] == [("sum", 2)]
    # The gateway's hidden node reads x0, too. Three inputs would be as many bytes, and leave the node nothing to do.
    assert [each.what for each in best_cut(quantize_tree(chain(1)), {0, 1, 2})] == ["sum", "input"]
    assert [(each.what, each.size_bytes) for each in best_cut(tree, {3})] == [("value", 1)]
    assert split_tree(tree, {3}).message_bytes == 1
    assert split_tree(tree, {3}).macs == (1, 9)  # the node multiplies x3 alone; its value has a weight at the gateway
    assert split_tree(tree, {0, 1, 2}).macs == (8, 2)


def test_halves_without_inputs_are_refused() -> None:
    tree = quantize_tree(chain(0))
    for own, side in (({0, 1, 2, 3}, "the gateway"), (set[int](), "the node")):
        with pytest.raises(ValueError, match=f"no input of {side}"):
            split_tree(tree, own)


def test_predictions_are_labels_and_units() -> None:
    for seed, kind in ((7, "regression"), (8, "binary")):
        tree = random_model(seed, kind)
        made = quantize_tree(tree)
        own = sides(made, 1)
        X = raw_inputs(tree, 30)
        assert own
        assert split_tree(made, own).predict(X).tolist() == made.predict(X).tolist()


def test_links_cost_by_the_byte() -> None:
    lora = next(link for link in LINKS if link.name == "LoRa, SF12")
    assert lora.duration_s(31) == pytest.approx(2.0)
    assert lora.energy_j(31) == pytest.approx(0.13)
    assert all(1e-7 < link.j_per_byte < 1e-2 for link in LINKS)
