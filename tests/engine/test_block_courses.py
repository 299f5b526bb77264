"""Training in blocks against one training of the same rows in the same order."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from neuraltree.engine.block_courses import BlockCourses
from neuraltree.engine.forest import load_params, pack
from neuraltree.engine.lowering import lowering
from neuraltree.engine.training import Course, Settings, make_course, make_data
from neuraltree.estimators.covering import covering_tree
from neuraltree.tree.nodes import join
from neuraltree.tree.space import Space

SPACE = Space(3, 2, max_nodes=14, activations=("tanh", "gaussian"))
ROWS, EPOCHS = 150, 3
SIZES = (64, 64, 22)  # two batches of 32 rows, and fewer than one, which are not shuffled


def shuffled_once(draws: np.random.Generator, size: int) -> np.ndarray:
    return draws.permutation(size) if size > 32 else np.arange(size)


@pytest.mark.parametrize("optimizer", ["adamw", "momentum", "learned_sgd"])
@pytest.mark.parametrize("sizes", [(ROWS,), (96, 54), SIZES])
def test_blocks_train_as_all_rows_do(sizes: tuple[int, ...], optimizer: str) -> None:
    settings = Settings("squared", optimizer, batch_size=32, weight_decay=0.01)
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 2))
    nodes, starts = join([covering_tree(np.random.default_rng(seed), SPACE, size=8) for seed in range(4)])
    packed = pack(nodes, starts, 3)
    first = load_params(packed, nodes, "float32")[0]

    whole = make_data(inputs, targets, None, "float32")
    firsts = np.cumsum([0, *sizes[:-1]])
    draws = np.random.default_rng(5)
    order = [
        np.concatenate([shuffled_once(draws, size) + start for start, size in zip(firsts, sizes, strict=True)])
        for _ in range(EPOCHS)
    ]
    steps = np.arange(EPOCHS * 5) / (EPOCHS * 5)
    rates = 0.01 * 0.5 * (1 + np.cos(np.pi * steps))
    planned = make_course(settings, np.arange(ROWS), np.zeros(0), epochs=EPOCHS, patience=0, seed=5)
    np.testing.assert_allclose(planned.rates, rates, rtol=1e-12, atol=1e-17)
    course = Course(np.array(order, dtype=np.int32), planned.rates, np.zeros(0, np.int32), EPOCHS)
    limit = np.full(4, EPOCHS)
    expected = lowering().train(packed.forest, settings, whole, course, first, limit).last

    courses = BlockCourses(settings, ROWS, epochs=EPOCHS, seed=5)
    params, moments = first, []
    for start, size in zip(np.tile(firsts, EPOCHS), np.tile(sizes, EPOCHS), strict=True):
        part = slice(start, start + size)
        data = make_data(inputs[part], targets[part], None, "float32")
        found = lowering().train(packed.forest, settings, data, courses.next(size), params, np.ones(4), moments=moments)
        params, moments = found.last, found.moments
    assert_array_equal(params, expected)
    assert not np.array_equal(params, first)


def test_more_steps_than_planned_are_refused() -> None:
    courses = BlockCourses(Settings("squared", batch_size=10), 25, epochs=1, seed=0)
    courses.next(20)
    courses.next(5)
    with pytest.raises(ValueError, match="4 steps, and 3 were planned"):
        courses.next(5)
