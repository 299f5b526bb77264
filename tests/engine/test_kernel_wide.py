"""Trees of many leaves, which the kernel reads in passes, and what it validates by, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from neuraltree.activations import code_of
from neuraltree.engine.forest import Forest
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Course, Settings, make_data
from tests.helpers.kernel_jobs import wide_trees

ROWS, OUTPUTS = 90, 3


def plain_outputs(forest: Forest, params: NDArray, inputs: NDArray) -> NDArray:
    """(trees, outputs, rows) by a sum for every node."""

    def value(node: int) -> NDArray:
        start, end = forest.first_param[node : node + 2]
        total = params[start] + inputs[:, forest.source[start + 2 : end]] @ params[start + 2 : end]
        child = node + 1
        while child < node + forest.size[node]:
            total = total + params[forest.first_param[child] + 1] * value(child)
            child += forest.size[child]
        return np.tanh(total) if forest.kind[node] == code_of("tanh") else total

    tops = []
    for node, last in zip(forest.first_node[:-1], forest.first_node[1:], strict=True):
        while node < last:
            tops.append(node)
            node += forest.size[node]
    return np.array([value(node) for node in tops]).reshape(forest.trees, forest.outputs, -1)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 2e-5), ("float64", 1e-12)])
def test_trees_of_many_leaves_are_those_of_plain_sums(precision: str, tolerance: float) -> None:
    forest, params = wide_trees(OUTPUTS)
    rng, engine, rows = np.random.default_rng(0), lowering(), np.arange(ROWS, dtype=np.int32)
    inputs = rng.normal(size=(ROWS, forest.features))
    targets = rng.normal(size=(ROWS, OUTPUTS))
    settings = Settings("squared", "sgd", batch_size=ROWS, precision=precision)
    data, start = make_data(inputs, targets, None, precision), params.astype(precision)
    found = engine.predict(forest, settings, data, rows, start)
    np.testing.assert_allclose(found, plain_outputs(forest, params, inputs), rtol=0, atol=tolerance)

    def loss(at: NDArray) -> NDArray:
        return 0.5 * np.square(plain_outputs(forest, at, inputs) - targets.T).sum(axis=1).mean(axis=1)

    course = Course(rows[None], np.ones(1), rows[:0], epochs=1)
    slope = start - engine.train(forest, settings, data, course, start, np.ones(2, np.int32)).last
    for place in rng.choice(forest.params, 8, replace=False):
        step = np.zeros(forest.params)
        step[place] = 1e-5
        expected = (loss(params + step) - loss(params - step)).sum() / 2e-5
        assert slope[place] == pytest.approx(expected, abs=1e-8 + tolerance)
    every = engine.slopes(forest, settings, data, rows, start)
    owner = np.repeat(np.arange(forest.nodes), np.diff(forest.first_param))
    leaf = forest.source >= 0
    np.testing.assert_allclose(every[owner[leaf], forest.source[leaf]], slope[leaf], rtol=0, atol=tolerance)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("outputs", [1, 3])
def test_validation_by_wrong_classes(outputs: int, precision: str) -> None:
    """Equal outputs: the first is chosen; an output that is not finite is wrong; rows have weights."""
    forest, params = wide_trees(outputs)
    rng, rows = np.random.default_rng(1), np.arange(ROWS, dtype=np.int32)
    inputs, weight = rng.normal(size=(ROWS, forest.features)), rng.random(ROWS)
    inputs[5, :] = np.inf
    found = plain_outputs(forest, params, np.nan_to_num(inputs, posinf=0))[0]
    truth = (found[0] > 0).astype(int) if outputs == 1 else found.argmax(axis=0)
    truth = np.where(rng.random(ROWS) < 0.3, (truth + 1) % max(outputs, 2), truth)
    targets = truth[:, None] if outputs == 1 else np.eye(outputs)[truth]
    right = truth == (found[0] > 0 if outputs == 1 else found.argmax(axis=0))
    right[5] = False
    data = make_data(inputs, targets, weight, precision)
    course = Course(rows[None, :0], np.zeros(0), rows, epochs=0, judge="error_rate")
    settings, limit = Settings("squared", precision=precision), np.zeros(2, np.int32)
    fitted = lowering().train(forest, settings, data, course, params.astype(precision), limit)
    assert fitted.loss[0] == pytest.approx(weight[~right].sum() / weight.sum(), rel=1e-6)


def test_of_equal_outputs_the_first_is_chosen() -> None:
    forest, params = wide_trees(3)
    data = make_data(np.ones((6, forest.features)), np.eye(3)[[0, 0, 0, 1, 1, 2]], None, "float32")
    rows, settings = np.arange(6, dtype=np.int32), Settings("squared")
    course = Course(rows[None, :0], np.zeros(0), rows, epochs=0, judge="error_rate")
    fitted = lowering().train(forest, settings, data, course, np.zeros(len(params), np.float32), np.zeros(2, np.int32))
    assert fitted.loss.tolist() == [0.5, 0.5]
