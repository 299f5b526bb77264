"""The outputs of forests by both lowerings, against plain recursion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuraltree.activations import NAMES
from neuraltree.tree.space import Space
from tests.helpers.forests import MANY, PLAIN, SPACE, Case, population, record
from tests.helpers.plain_tree import FUNCTIONS, evaluate
from tests.helpers.strategies import node_arrays, steady

TOLERANCE = {"float64": 1e-13, "float32": 2e-5}
IDENTITY = ~NAMES.index("identity")
SPACES = {
    "one output": (6, SPACE),
    "three outputs": (6, MANY),
    "sigmoid outputs": (6, Space(4, 2, ("sigmoid",), "sigmoid", max_nodes=20)),
    "flat": (6, Space(4, 2, ("tanh", "relu"), max_nodes=12, max_depth=1)),
    "deep and thin": (2, Space(4, 1, NAMES, max_nodes=60, max_depth=30, max_arity=1, min_arity=1)),
    "large": (60, Space(4, 1, NAMES, max_nodes=200)),
}


def agrees(case: Case, trees: list, found: np.ndarray, x: np.ndarray) -> None:
    for tree, mine in zip(trees, found, strict=True):
        tolerance = TOLERANCE[case.settings.precision]
        expected = evaluate(tree, x)
        assert mine.dtype == case.settings.precision
        np.testing.assert_allclose(mine, expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("name", SPACES)
def test_outputs_are_those_of_plain_recursion(engine, name, precision):
    count, space = SPACES[name]
    trees, rng = population(count, space=space), np.random.default_rng(1)
    x = rng.normal(size=(50, 4)).astype(precision).astype(float)
    case = Case(trees, x, np.zeros((50, space.n_outputs)), PLAIN._replace(precision=precision))
    agrees(case, trees, case.outputs(engine), x)


@pytest.mark.parametrize("precision", TOLERANCE)
def test_any_number_of_rows_in_any_order(engine, precision):
    trees, rng = population(6), np.random.default_rng(2)
    x = rng.normal(size=(64, 4)).astype(precision).astype(float)
    case = Case(trees, x, np.zeros((64, 1)), PLAIN._replace(precision=precision))
    for count in (0, 1, 15, 16, 17, 64):
        rows = rng.integers(64, size=count)
        agrees(case, trees, case.outputs(engine, rows=rows), x[rows]) if count else None
        assert case.outputs(engine, rows=rows).shape == (6, 1, count)


def test_the_kernel_takes_every_number_of_rows_from_1_to_200(kernel):
    trees, x = population(3, space=MANY), np.random.default_rng(2).normal(size=(200, 4))
    case = Case(trees, x, np.zeros((200, 3)))
    whole = case.outputs(kernel)
    agrees(case, trees, whole, x)
    for count in range(1, 201):
        np.testing.assert_array_equal(case.outputs(kernel, rows=np.arange(count)), whole[:, :, :count])


def test_many_rows(xla):
    trees, x = population(6), np.random.default_rng(2).normal(size=(700, 4))
    case = Case(trees, x, np.zeros((700, 1)))
    agrees(case, trees, case.outputs(xla), x)


def test_trees_of_extreme_shapes(engine):
    """A chain of 60, a node of 60 function nodes, a node of 60 leaves that repeat inputs, and nodes without leaves."""
    chain = [(0, IDENTITY, 0.0, 0.1), *((d, ~(d % 7), 1.3, 0.1) for d in range(1, 60)), (60, 0, 1.0, 0.0)]
    fan = [(0, IDENTITY, 0.0, 0.1)]
    for i in range(60):
        fan += [(1, ~(i % 7), 0.3, 0.1 * i), (2, i % 4, -0.7, 0.0)]
    leaves = [(0, IDENTITY, 0.0, 0.1), *((1, i % 4, 0.01 * i, 0.0) for i in range(60))]
    bare = [(0, IDENTITY, 0.0, 0.7)]
    hollow = [(0, IDENTITY, 0.0, 0.7), (1, ~0, 2.0, 0.3), (2, ~1, -1.0, 0.2)]
    trees = [record(rows) for rows in (chain, fan, leaves, bare, hollow)]
    x = np.random.default_rng(3).normal(size=(20, 4))
    case = Case(trees, x, np.zeros((20, 1)))
    agrees(case, trees, case.outputs(engine), x)


@settings(steady, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees=st.lists(node_arrays(4, 2, min_arity=0), min_size=1, max_size=5))
def test_trees_of_any_shape(engine, trees):
    x = np.random.default_rng(4).normal(size=(20, 4))
    case = Case(trees, x, np.zeros((20, 2)))
    agrees(case, trees, case.outputs(engine), x)


def activations_of(engine, sums: np.ndarray, precision: str) -> dict[str, np.ndarray]:
    """By name, the value of every activation at the sums; each tree applies one to input 0."""
    trees = [record([(0, ~code, 0.0, 0.0), (1, 0, 1.0, 0.0)]) for code in range(len(NAMES))]
    x = np.zeros((len(sums), 4))
    x[:, 0] = sums
    case = Case(trees, x, np.zeros((len(sums), 1)), PLAIN._replace(precision=precision))
    return dict(zip(NAMES, case.outputs(engine)[:, 0], strict=True))


@pytest.mark.parametrize("precision", TOLERANCE)
def test_activations_over_their_whole_range(engine, precision):
    """Within a few units in the last place of 1, or of the value where it is larger."""
    small = np.geomspace(1e-8, 1e5, 300)
    sums = np.concatenate(
        [-small, small, np.linspace(-30, 30, 95), [0, 87, 88, 89, 100, -87, -104, 708, -709, 746, -746]]
    )
    sums = np.concatenate([sums, [3e5, -9e5]]).astype(precision).astype(float)
    unit = np.finfo(precision).eps
    for (name, mine), function in zip(activations_of(engine, sums, precision).items(), FUNCTIONS, strict=True):
        with np.errstate(over="ignore"):
            np.testing.assert_allclose(mine, function(sums, np), rtol=2 * unit, atol=4 * unit, err_msg=name)


@pytest.mark.parametrize("precision", TOLERANCE)
def test_what_is_no_number_is_not_hidden(engine, precision):
    most = float(np.finfo(precision).max)
    found = activations_of(engine, np.array([np.nan, np.inf, -np.inf, most, -most] * 50), precision)
    limits = {
        "sigmoid": (1, 0),
        "tanh": (1, -1),
        "gaussian": (0, 0),
        "relu": (np.inf, 0),
        "sine": (np.nan, np.nan),
        "identity": (np.inf, -np.inf),
        "hard_tanh": (1, -1),
        "sign": (1, -1),
    }
    for name, mine in found.items():
        assert np.isnan(mine[0]), name
        np.testing.assert_allclose(mine[1:3], limits[name], atol=1e-30, err_msg=name)
        if name != "sine":
            np.testing.assert_allclose(mine[3:5], np.clip(limits[name], -most, most), atol=1e-30, err_msg=name)
        assert np.isfinite(mine[3:5]).all()
