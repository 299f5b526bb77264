"""The gradients of both lowerings against automatic differentiation of a plain recursion in JAX."""

from __future__ import annotations

import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.tree.space import Space
from tests.helpers.forests import MANY, PLAIN, SPACE, Case, population, record
from tests.helpers.plain_tree import gradient

pytestmark = pytest.mark.usefixtures("quick_compiler")
TOLERANCE = {"float64": 1e-10, "float32": 3e-4}
SPACES = {"squared": MANY, "logistic": SPACE, "softmax": MANY}
DEEP = Space(4, 1, NAMES, max_nodes=30, max_depth=10, max_arity=2)
STEP = PLAIN._replace(learning_rate=1.0)


def problem(loss: str, rows: int, trees: list, precision: str = "float64", batch: int = 64) -> Case:
    """Trees, and rows of unequal weights with targets that suit the loss."""
    rng, outputs = np.random.default_rng(1), SPACES[loss].n_outputs
    y = rng.normal(size=(rows, outputs)) if loss == "squared" else np.eye(3)[rng.integers(3, size=rows)][:, :outputs]
    settings = STEP._replace(loss=loss, precision=precision, batch_size=batch)
    x = rng.normal(size=(rows, 4)).astype(precision).astype(float)
    return Case(trees, x, y, settings, rng.uniform(0.5, 2, size=rows))


def check_step(engine, case: Case) -> None:
    """A step of gradient descent of rate 1 moves every parameter by its derivative."""
    after, precision = case.trees(case.fit(engine, 1).last), case.settings.precision
    x, y, weight = (part.astype(float) for part in case.data[:3])
    for tree, moved in zip(np.split(case.nodes, case.starts[1:-1]), after, strict=True):
        by_weight, by_bias, _ = gradient(tree, x, y, weight, case.settings.loss)
        scale = TOLERANCE[precision] * (1 + np.abs(by_weight).max())
        np.testing.assert_allclose(tree["weight"][:, 0] - moved["weight"][:, 0], by_weight, rtol=1e-4, atol=scale)
        np.testing.assert_allclose(tree["bias"][:, 0] - moved["bias"][:, 0], by_bias, rtol=1e-4, atol=scale)


@pytest.mark.parametrize("loss", SPACES)
def test_gradients_by_weights_and_biases(engine, loss):
    check_step(engine, problem(loss, 50, population(4, seed=5, space=SPACES[loss])))


def test_gradients_in_single_floats(engine):
    check_step(engine, problem("squared", 50, population(4, seed=5, space=MANY), "float32"))


@pytest.mark.parametrize("rows", [1, 17, 64])
def test_gradients_of_a_batch_of_any_size(engine, rows):
    check_step(engine, problem("logistic", rows, population(4, seed=6, space=DEEP)))


@pytest.mark.parametrize("rows", [2, 15, 16, 31, 32, 33, 47, 63, 65, 128, 200])
@pytest.mark.parametrize("precision", TOLERANCE)
def test_gradients_of_the_kernel_s_blocks(kernel, rows, precision):
    check_step(kernel, problem("squared", rows, population(2, seed=7, space=MANY), precision, batch=256))


def test_a_batch_of_several_chunks(xla):
    check_step(xla, problem("logistic", 300, population(2, seed=7), batch=300))


def test_trees_of_extreme_shapes(engine):
    """An output without leaves, a chain of 20, and leaves of one node that read the same input."""
    chain = [(0, ~5, 0.0, 0.1), *((d, ~(d % 7), 1.1, 0.1) for d in range(1, 20)), (20, 0, 1.0, 0.0)]
    twice = [
        (0, ~5, 0.0, 0.1),
        (1, 2, 0.5, 0.0),
        (1, 2, -0.2, 0.0),
        (1, ~1, 0.3, 0.1),
        (2, 2, 0.4, 0.0),
        (2, 2, 0.1, 0.0),
    ]
    trees = [record(rows) for rows in ([(0, ~5, 0.0, 0.7)], chain, twice)]
    check_step(engine, problem("logistic", 20, trees))


@pytest.mark.parametrize("loss", ["logistic", "softmax"])
def test_slopes_of_edges_that_trees_do_not_have(engine, loss):
    case = problem(loss, 50, population(4, seed=8, space=SPACES[loss]))
    rows = np.arange(10, 50, dtype=np.int32)
    found = engine.slopes(case.forest, case.settings, case.data, rows, case.params)
    x, y, weight = (part[rows] for part in case.data[:3])
    expected = []
    for tree in np.split(case.nodes, case.starts[1:-1]):
        extra = gradient(tree, x, y, weight, loss)[2]
        expected.append(extra[tree["op"] < 0])
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-10, atol=1e-12)
