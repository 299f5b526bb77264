"""The engine against the compiled reference program: outputs, gradients and every step of its six optimisers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from neuraltree.tree.published import read_tree
from tests.helpers.forests import PLAIN, Case

GOLDEN = (
    Path(os.environ.get("NEURALTREE_GOLDEN", Path(__file__).parents[3] / "shared/golden")) / "bneuralt_reference.json"
)
if not GOLDEN.is_file():
    pytest.skip(f"the reference's golden values are not at {GOLDEN}", allow_module_level=True)
pytestmark = pytest.mark.usefixtures("quick_compiler")
CASES = json.loads(GOLDEN.read_text())
X = np.array(CASES["X"])
TOLERANCE = {"float64": 1e-9, "float32": 1e-5}
# Our name of each optimiser of the reference; where optax's own row is the same rule, that is used.
OPTIMIZERS = {
    "gd": "sgd",
    "momentum_gd": "momentum",
    "nesterov_accelerated_gd": "nesterov",
    "adagrad": "reference_adagrad",
    "rmsprop": "reference_rmsprop",
    "adam": "reference_adam",
}


@pytest.fixture(params=["regression", "classification3"])
def case(request):
    return CASES[request.param]


def case_of(case: dict, precision: str, optimizer: str = "sgd", rate: float = 1.0, batch: int = 64) -> Case:
    settings = PLAIN._replace(precision=precision, optimizer=optimizer, learning_rate=rate, batch_size=batch)
    return Case([read_tree(case["tree"]).nodes], X, np.array(case["Y"]), settings)


def theta_of(case: Case, params: np.ndarray) -> np.ndarray:
    """The reference's order: root bias, then edge and bias of function nodes in post-order, then leaf edges."""
    (nodes,) = case.trees(params)
    depth, function = nodes["depth"], nodes["op"] < 0
    weight, bias = nodes["weight"][:, 0], nodes["bias"][:, 0]
    single = np.count_nonzero(depth == 0) == 1
    found = [bias[0]] if single else []

    def visit(i):
        for j in range(i + 1, len(nodes)):
            if depth[j] <= depth[i]:
                break
            if depth[j] == depth[i] + 1 and function[j]:
                visit(j)
        if depth[i] > 0:
            found.append(weight[i])
        if depth[i] > 0 or not single:
            found.append(bias[i])

    for i in np.flatnonzero(depth == 0):
        visit(i)
    return np.array(found + list(weight[~function]))


@pytest.mark.parametrize("precision", TOLERANCE)
def test_outputs_and_gradients_are_the_reference_s(engine, case, precision):
    mine = case_of(case, precision)
    before = theta_of(mine, mine.params)
    np.testing.assert_allclose(before, case["theta"], atol=TOLERANCE[precision])
    np.testing.assert_allclose(mine.outputs(engine)[0].T, case["outputs"], atol=TOLERANCE[precision])
    for row, expected in enumerate(case["gradients"]):
        moved = mine.fit(engine, 1, fit_rows=[row]).last  # a step of rate one
        np.testing.assert_allclose(before - theta_of(mine, moved), expected, atol=TOLERANCE[precision])


@pytest.mark.parametrize("precision", TOLERANCE)
@pytest.mark.parametrize("mode", ["stochastic", "mini_batch"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_takes_the_reference_s_steps(engine, case, name, mode, precision):
    """Single rows in order, or the whole four rows each time."""
    mine = case_of(case, precision, OPTIMIZERS[name], 0.1, 1 if mode == "stochastic" else 4)
    steps = case["optimizers"][f"{name}/{mode}"]
    previous, params, moments = np.array(case["theta"]), mine.params, []
    for count, expected in enumerate(steps):
        rows = np.array([[count]] if mode == "stochastic" else [[0, 1, 2, 3]], dtype=np.int32)
        course = mine.course(1, fit_rows=rows[0])._replace(order=rows)
        given = mine.forest, mine.settings, mine.data, course, params, np.ones(1)
        fitted = engine.train(*given, moments=moments)
        params, moments = fitted.last, fitted.moments
        theta = theta_of(mine, params)
        if name == "nesterov_accelerated_gd":
            # optax keeps the look-ahead point phi = theta - 0.9 v; the reference reports theta = previous - v.
            theta = (theta + 0.9 * previous) / 1.9
            previous = theta
        np.testing.assert_allclose(theta, expected, atol=TOLERANCE[precision])
