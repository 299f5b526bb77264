"""Certificates: intervals against brute force over boxes, closed forms, and the enumeration of all integers."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import Activation, Functions
from neuraltree.compress import quantize_tree
from neuraltree.compress.input_types import Source
from neuraltree.compress.int8.integer_tree import IntegerTree
from neuraltree.compress.reduction.sum_intervals import Ends
from neuraltree.robustness import certified, certified_radius
from neuraltree.robustness.certificate import MOST
from neuraltree.robustness.integer_intervals import IntegerEnds, integer_input_ends, score_ends
from neuraltree.robustness.row_intervals import image, input_ends, output_ends
from neuraltree.tree.nodes import Nodes
from neuraltree.tree.scaler import Scaler
from neuraltree.tree.tree import Tree
from tests.helpers import plain_tree
from tests.helpers.random_models import GAUSSIAN, IDENTITY, SIGMOID, SINE, TANH, models, record, scaler
from tests.helpers.strategies import node_arrays, steady

WIDTH = 4
large = st.floats(-4, 4)
radii = st.sampled_from([1e-9, 0.01, 0.3, 2.0, 50.0])
LINEAR = [(0, IDENTITY, 0.0, 0.3), (1, 0, 2.0, 0.0), (1, 1, -0.5, 0.0)]


def box(rows: np.ndarray, radius: float, count: int = 40) -> np.ndarray:
    """(count, rows, features) points of the boxes about rows: corners, and anything between."""
    rng = np.random.default_rng(5)
    way = rng.uniform(-1, 1, size=(count, *rows.shape))
    way[::2] = np.sign(way[::2])
    return np.clip(rows + radius * way, rows - radius, rows + radius)


def binary(rows: list[tuple[int, int, float, float]], **parts: object) -> Tree:
    return Tree(record(rows), "binary", ("x0", "x1"), ("no", "yes"), **parts)  # type: ignore[arg-type]


@steady
@given(node_arrays(n_outputs=2, folds=2, max_arity=3, values=large), radii)
def test_no_output_of_a_box_leaves_its_ends(nodes: Nodes, radius: float) -> None:
    rows = np.random.default_rng(3).normal(scale=2, size=(9, WIDTH))
    folds = np.arange(9) % 2
    ends = output_ends(nodes, input_ends(rows, radius), folds)
    for points in box(rows, radius):
        for fold in range(2):
            weight, bias = nodes["weight"][:, fold], nodes["bias"][:, fold]
            found = plain_tree.evaluate(nodes, points, weight, bias)[:, folds == fold]
            rounding = 1e-9 * (1 + np.abs(found))  # the recursion adds in another order
            assert (found >= ends.low[:, folds == fold] - rounding).all()
            assert (found <= ends.high[:, folds == fold] + rounding).all()


@steady
@given(node_arrays(max_arity=3, values=large), radii)
def test_the_doubles_of_the_tree_itself_stay_within_to_the_last_bit(nodes: Nodes, radius: float) -> None:
    tree = Tree(nodes, "regression", ("a", "b", "c", "d"))
    rows = np.random.default_rng(4).normal(scale=2, size=(9, WIDTH))
    ends = output_ends(nodes, input_ends(rows, radius))
    for points in box(rows, radius, 10):
        found = tree.outputs(points)[:, 0]
        assert ((found >= ends.low[0]) & (found <= ends.high[0])).all()


@pytest.mark.parametrize("kind", [SIGMOID, TANH, GAUSSIAN, SINE, ~3, IDENTITY, ~6, ~7])
@pytest.mark.parametrize("radius", [0.1, 1.0, 2.5])
def test_ends_of_a_node_are_reached(kind: int, radius: float) -> None:
    nodes = record([(0, IDENTITY, 0.0, 0.5), (1, kind, -2.0, 0.3), (2, 0, 1.7, 0.0)])
    rows = np.array([[-1.3], [0.0], [0.4], [2.2]])
    low, high = output_ends(nodes, input_ends(rows, radius))
    points = np.linspace(rows - radius, rows + radius, 20_001)
    found = np.array([plain_tree.evaluate(nodes, each)[0] for each in np.moveaxis(points, 1, 0)])
    np.testing.assert_allclose(low[0], found.min(axis=1), atol=1e-6)
    np.testing.assert_allclose(high[0], found.max(axis=1), atol=1e-6)


@pytest.mark.parametrize("row", ACTIVATIONS, ids=lambda row: row.name)
def test_the_last_digits_of_another_library_lie_within_the_ends_of_a_point(row: Activation) -> None:
    """And beyond a million the sine of code for devices, which is 0 there."""
    sums = np.concatenate([np.random.default_rng(7).normal(scale=3, size=20_000), [3e6, -2.5e6, 1e9, 0.0]])
    low, high = image(row, np.stack([sums, sums]))
    alone = row.alone(Functions(math.exp, math.tanh, math.sin))
    for_devices = [0.0 if row.name == "sine" and abs(s) > 1e6 else alone(s) for s in sums.tolist()]
    assert ((low <= for_devices) & (for_devices <= high)).all()
    assert (high - low)[:20_000].max() < 1e-12


def test_ends_of_inputs_that_are_read_once_are_corners() -> None:
    rising = [(1, TANH, -1.5, 0.1), (2, 0, 0.8, 0.0), (2, 1, -0.6, 0.0), (1, SIGMOID, 2.0, 0.0), (2, 2, 1.0, 0.0)]
    nodes = record([(0, IDENTITY, 0.0, 0.2), *rising, (1, 3, -0.7, 0.0)])
    rows = np.random.default_rng(1).normal(size=(5, WIDTH))
    low, high = output_ends(nodes, input_ends(rows, 0.4))
    corners = [plain_tree.evaluate(nodes, rows + 0.4 * np.array(way))[0] for way in product([-1, 1], repeat=WIDTH)]
    np.testing.assert_allclose(low[0], np.min(corners, axis=0), rtol=1e-13)
    np.testing.assert_allclose(high[0], np.max(corners, axis=0), rtol=1e-13)


@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_the_radius_of_a_linear_tree_is_its_distance_from_the_plane(threshold: float) -> None:
    mean, sd = np.array([1.0, -2.0]), np.array([0.5, 3.0])
    tree = binary(LINEAR, scaler=Scaler(mean, sd), threshold=threshold)
    rows = np.random.default_rng(2).normal(size=(20, 2))
    logit = np.log(threshold / (1 - threshold))
    expected = np.abs(rows @ [2.0, -0.5] + 0.3 - logit) / 2.5
    np.testing.assert_allclose(certified_radius(tree, rows * sd + mean), expected, atol=1e-6)
    np.testing.assert_array_equal(certified(tree, rows * sd + mean, 0.5), expected >= 0.5)


def test_the_radius_of_a_regression_is_that_of_its_tolerance() -> None:
    tree = Tree(record(LINEAR), "regression", ("a", "b"), target_scaler=scaler(7.0, 10.0))
    np.testing.assert_allclose(certified_radius(tree, np.ones((3, 2)), tolerance=5.0), 0.5 / 2.5, atol=1e-6)


def test_equal_outputs_are_the_first_class() -> None:
    """Three constants, of which the first and the last are the largest: the first wins, and nothing changes that."""
    leaves = [row for bias in (1.0, 0.5, 1.0) for row in ((0, IDENTITY, 0.0, bias), (1, 0, 0.0, 0.0))]
    tree = Tree(record(leaves), "multiclass", ("x0",), ("a", "b", "c"))
    assert certified_radius(tree, [[0.2]]).tolist() == [MOST]
    assert certified_radius(tree, [[0.2]], most=0.25).tolist() == [0.25]
    other = tree.nodes.copy()
    other["bias"][0] = 1.0 - 1e-9  # now the last class is the largest, and the first comes up to it if its input may
    other["weight"][1] = 1e-9
    moved = replace(tree, nodes=other)
    assert moved.predict([[0.2]])[0] == "c"
    assert certified_radius(moved, [[0.2]])[0] == pytest.approx(0.8, abs=1e-4)


def class_models() -> list[Tree]:
    return [tree for tree in models(3) if tree.classes is not None]


@pytest.mark.parametrize("tree", class_models(), ids=lambda tree: f"{tree.kind}-{tree.num_nodes}")
def test_no_class_changes_within_the_radius_and_it_is_no_shorter_than_it_need_be(tree: Tree) -> None:
    rng = np.random.default_rng(6)
    rows = rng.normal(size=(12, len(tree.features)))
    own = tree.scaler or Scaler(np.zeros(len(tree.features)), np.ones(len(tree.features)))
    for model in (tree, quantize_tree(tree)):
        X = own.inverse(rows)
        before, radius = model.predict(X), certified_radius(model, X)
        assert certified(model, X, radius).all()
        assert not certified(model, X, radius + 1e-4 * (1 + radius))[radius < MOST].any()
        for points in box(rows, 1.0, 100):
            within = own.inverse(rows + (points - rows) * (radius * (1 - 1e-9))[:, None])
            assert (model.predict(within) == before).all()


def integer_model(kinds: tuple[int, ...], twice: bool = False, kind: str = "binary") -> IntegerTree:
    """Nodes of these kinds in a row, over two inputs; ``twice``: the output reads the first input too."""
    chain = [(depth, op, 1.3 * (-1) ** depth, 0.2) for depth, op in enumerate(kinds, 1)]
    leaves = [(len(kinds) + 1, 0, 0.9, 0.0), (len(kinds) + 1, 1, -0.7, 0.0), *[(1, 0, 0.4, 0.0)] * twice]
    rows = [(0, IDENTITY, 0.0, 0.1), *chain, *leaves]
    if kind == "regression":
        return quantize_tree(Tree(record(rows), kind, ("x0", "x1")), fine=True)
    return quantize_tree(binary(rows))


@pytest.mark.parametrize("kind", ["binary", "regression"])
@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(
    "kinds", [(SIGMOID,), (TANH, ~6), (GAUSSIAN,), (SINE, TANH), (~3, GAUSSIAN), (~7,), (SINE, SINE)]
)
def test_no_score_of_all_integers_leaves_its_ends(kinds: tuple[int, ...], twice: bool, kind: str) -> None:
    model = integer_model(kinds, twice, kind)
    for low, high in (((-127, -127), (127, 127)), ((-20, 3), (15, 40)), ((60, -90), (61, -50)), ((5, 5), (5, 5))):
        grid = np.stack(np.meshgrid(*map(np.arange, low, np.add(high, 1)), indexing="ij"), axis=-1).reshape(-1, 2)
        found = model.scores(grid.astype(np.int8))[:, 0]
        ends = IntegerEnds(np.array(low)[:, None], np.array(high)[:, None])
        least, most = (end.item() for end in score_ends(model, ends))
        assert least <= found.min() <= found.max() <= most
        if not twice and not {GAUSSIAN, SINE} & set(kinds):
            assert (least, most) == (found.min(), found.max())


def test_quantised_inputs_lie_within_their_ends() -> None:
    tree = binary(LINEAR, scaler=scaler([1.0, 400.0], [0.01, 90.0]), input_range=np.array([2.0, 5.0]))
    model, rng = quantize_tree(tree), np.random.default_rng(0)
    rows = np.array([1.0, 400.0]) + rng.normal(size=(50, 2)) * [0.01, 90.0]
    ends = integer_input_ends(model, rows, 0.3)
    for way in (-1.0, 1.0, *rng.uniform(-1, 1, 20)):
        q = model.quantize(rows + 0.3 * way * np.array([0.01, 90.0])).T
        assert ((q >= ends.low) & (q <= ends.high)).all()
    assert (ends.high - ends.low).max() < 0.6 / 2 * 127 + 2


def test_what_does_not_fit_is_an_error() -> None:
    numbers = Tree(record(LINEAR), "regression", ("a", "b"))
    with pytest.raises(ValueError, match="give the tolerance"):
        certified_radius(numbers, [[0.0, 0.0]])
    with pytest.raises(ValueError, match="need no tolerance"):
        certified_radius(binary(LINEAR), [[0.0, 0.0]], tolerance=1.0)
    with pytest.raises(ValueError, match="not finite"):
        certified_radius(binary(LINEAR), [[0.0, np.nan]])


def test_nothing_is_certain_about_sums_that_overflow() -> None:
    ends = output_ends(
        record([(0, IDENTITY, 0.0, 0.0), (1, 0, 1e300, 0.0)]), Ends(np.array([[-1e10]]), np.array([[1e10]]))
    )
    assert (ends.low.item(), ends.high.item()) == (-np.inf, np.inf)


def beyond_doubles(depth: int, sign: float = 1.0) -> list[tuple[int, int, float, float]]:
    """A chain whose value is x0 times 1e342, and so infinite but for the smallest of inputs."""
    first, *rest = [(depth + i, IDENTITY, 1e38, 0.0) for i in range(8)]
    return [(depth, IDENTITY, sign * first[2], 0.0), *rest, (depth + 8, 0, 1e38, 0.0)]


@pytest.mark.parametrize(
    "below",
    [[(1, SINE, 1.0, 0.0), *beyond_doubles(2)], [(1, TANH, 1.0, 0.0), *beyond_doubles(2), *beyond_doubles(2, -1.0)]],
    ids=["sine-of-infinity", "infinities-of-two-signs"],
)
def test_nothing_is_certain_about_a_bounded_node_whose_sum_may_be_no_number(
    below: list[tuple[int, int, float, float]],
) -> None:
    tree = binary([(0, IDENTITY, 0.0, -5.0), *below])
    assert tree.predict([[0.0, 0.0], [1.0, 0.0]]).tolist() == ["no", "yes"]  # NaN is the last class
    assert not certified(tree, [[0.0, 0.0]], 1.0)[0]
    assert certified_radius(tree, [[0.0, 0.0]])[0] < 1.0


def test_columns_by_name_are_rows_of_the_same_radius() -> None:
    """Of a frame the order of the columns says nothing."""
    tree = binary(LINEAR)
    swapped = {"x1": np.array([2.0, -1.0]), "x0": np.array([1.0, 0.5])}
    for model in (tree, quantize_tree(tree)):
        expected = certified_radius(model, [[1.0, 2.0], [0.5, -1.0]])
        np.testing.assert_array_equal(certified_radius(model, swapped), expected)
        np.testing.assert_array_equal(model.predict(swapped), model.predict([[1.0, 2.0], [0.5, -1.0]]))


@pytest.mark.parametrize("radius", [-0.1, np.nan, [0.1, 0.1], None])
def test_a_radius_that_is_none_is_an_error(radius: object) -> None:
    for model in (binary(LINEAR), quantize_tree(binary(LINEAR))):
        with pytest.raises(ValueError, match=r"radius is .* or one for each of the 1 rows"):
            certified(model, [[0.1, 0.2]], radius)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [-1.0, np.nan, np.inf])
def test_ranges_that_are_none_are_errors(size: float) -> None:
    with pytest.raises(ValueError, match=r"most is .* finite number above 0"):
        certified_radius(binary(LINEAR), [[0.1, 0.2]], most=size)
    with pytest.raises(ValueError, match=r"tolerance is .* finite number of 0 or more"):
        certified(Tree(record(LINEAR), "regression", ("a", "b")), [[0.1, 0.2]], 0.1, tolerance=size)
    with pytest.raises(ValueError, match="is a str; give a Tree"):
        certified("tree", [[0.1, 0.2]], 0.1)  # type: ignore[arg-type]


def test_integers_that_are_multiples_of_a_feature_change_by_as_many_of_its_deviations() -> None:
    """Tenths: 200 stands for 20.0; every corner of the whole numbers of a box is tried."""
    tree = binary(LINEAR, scaler=scaler([20.0, 30.0], [5.0, 5.0]))
    model = quantize_tree(tree, sources=[Source(True, -32768, 32767, 10.0)] * 2)
    tenths = np.array([[200, 300], [210, 250], [180, 330]])
    radius, before = certified_radius(model, tenths), model.predict(tenths)
    np.testing.assert_allclose(radius, certified_radius(tree, tenths / 10), atol=0.05)
    np.testing.assert_array_equal(certified_radius(model, {"x0": tenths[:, 0] / 10, "x1": tenths[:, 1] / 10}), radius)
    for way in product([-1, 1], repeat=2):
        moved = tenths + np.array(way) * np.floor(radius * 5.0 * 10.0)[:, None]
        np.testing.assert_array_equal(model.predict(moved), before)
