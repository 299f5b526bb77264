"""The engine against the compiled reference program: outputs, gradients and every step of its six optimisers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jax
import numpy as np
import pytest

from neuraltree.engine.forest import backward, forward, load_params, outputs
from neuraltree.engine.packing import layout, pack, plan
from neuraltree.engine.train import Schedule, fit
from neuraltree.engine.training_step import CHUNK_ROWS, Settings, make_data
from neuraltree.tree.nodes import join
from neuraltree.tree.published import read_tree
from neuraltree.tree.space import Space

GOLDEN = (
    Path(os.environ.get("NEURALTREE_GOLDEN", Path(__file__).parents[3] / "shared/golden")) / "bneuralt_reference.json"
)
if not GOLDEN.is_file():
    pytest.skip(f"the reference's golden values are not at {GOLDEN}", allow_module_level=True)
CASES = json.loads(GOLDEN.read_text())
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


def packed_case(case, precision):
    nodes = read_tree(case["tree"]).nodes
    joined, starts = join([nodes])
    found = layout(joined, starts)
    # Two leaves of one node may read the same input here, each with a weight of its own.
    shape = plan(found, Space(4, len(case["Y"][0]), ("sigmoid",), "sigmoid"), copies=4)
    (packed,) = pack(joined, starts, shape, found)
    return shape, packed, joined, load_params(packed, joined, 0, precision)


def theta_of(packed, nodes, params):
    """The reference's order: root bias, then edge and bias of function nodes in post-order, then leaf edges."""
    entry = np.asarray(params.leaf)[packed.row, packed.column]
    edge = np.asarray(params.edge)[packed.row]
    depth, function = nodes["depth"], nodes["op"] < 0
    single = np.count_nonzero(depth == 0) == 1
    found = [entry[0]] if single else []

    def visit(i):
        for j in range(i + 1, len(nodes)):
            if depth[j] <= depth[i]:
                break
            if depth[j] == depth[i] + 1 and function[j]:
                visit(j)
        if depth[i] > 0:
            found.append(edge[i])
        if depth[i] > 0 or not single:
            found.append(entry[i])

    for i in np.flatnonzero(depth == 0):
        visit(i)
    return np.array(found + list(entry[~function]))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_outputs_and_gradients_are_the_reference_s(case, precision):
    with jax.enable_x64(precision == "float64"):
        shape, packed, nodes, params = packed_case(case, precision)
        inputs = make_data(np.array(CASES["X"]), np.array(case["Y"]), None, shape, precision).inputs[:-1]
        np.testing.assert_allclose(theta_of(packed, nodes, params), case["theta"], atol=TOLERANCE[precision])
        states = forward(shape, packed.forest, params, inputs)
        values = outputs(packed.forest, states)
        np.testing.assert_allclose(values[0].T, case["outputs"], atol=TOLERANCE[precision])
        for row, expected in enumerate(case["gradients"]):
            error = values - np.array(case["Y"], dtype=precision).T
            only = np.asarray(error) * (np.arange(4) == row)
            gradient = backward(shape, packed.forest, params, inputs, states, only.astype(precision))
            np.testing.assert_allclose(theta_of(packed, nodes, gradient), expected, atol=TOLERANCE[precision])


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("mode", ["stochastic", "mini_batch"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_takes_the_reference_s_steps(case, name, mode, precision):
    shape, packed, nodes, params = packed_case(case, precision)
    data = make_data(np.array(CASES["X"]), np.array(case["Y"]), None, shape, precision)
    batch = 1 if mode == "stochastic" else 4
    settings = Settings("squared", OPTIMIZERS[name], 0.1, "constant", batch, precision)
    previous = np.array(case["theta"])
    for count, expected in enumerate(case["optimizers"][f"{name}/{mode}"], start=1):
        fitted = fit(shape, settings, packed.forest, params, data, first_steps(shape, mode, count))
        theta = theta_of(packed, nodes, fitted.params)
        if name == "nesterov_accelerated_gd":
            # optax keeps the look-ahead point phi = theta - 0.9 v; the reference reports theta = previous - v.
            theta = (theta + 0.9 * previous) / 1.9
            previous = theta
        np.testing.assert_allclose(theta, expected, atol=TOLERANCE[precision])


def first_steps(shape, mode, count):
    """A schedule of ``count`` steps: single rows in order, or the whole four rows each time."""
    stochastic = mode == "stochastic"
    order = np.arange(4, dtype=np.int32)[None] if stochastic else np.tile(np.arange(4, dtype=np.int32), (4, 1))
    steps, epochs = (count, 1) if stochastic else (1, count)
    integers = [np.int32(value) for value in (steps, epochs, 0, 0)]
    limit = np.full(shape.trees, epochs, dtype=np.int32)
    validation = np.full((1, CHUNK_ROWS), 4, dtype=np.int32)
    return Schedule(order, integers[0], integers[1], validation, integers[2], limit, integers[3])
