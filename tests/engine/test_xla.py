"""The programs of XLA: few, whatever the population; and the same whatever flags of JAX a user has set."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import jax
import numpy as np
import pytest

from neuraltree.activations import NAMES
from neuraltree.engine.optimizers import OPTIMIZERS
from neuraltree.engine.xla import compiled
from neuraltree.engine.xla.compiled import engine_flags
from neuraltree.engine.xla.network import make_network, power_of_two
from neuraltree.engine.xla.passes import Shrinking, State, gradient, predict, update
from neuraltree.tasks.losses import AT_LEVEL, LOSSES
from neuraltree.tasks.softening import SOFTENED
from neuraltree.tree.space import Space
from tests.helpers.forests import PLAIN, Case, population

SPLIT = {"fit_rows": range(30), "validation_rows": range(30, 60)}


def case_of(seed: int, trees: int = 6, rows: int = 60, **settings) -> Case:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(rows, 4)), rng.normal(size=(rows, 1))
    return Case(population(trees, seed), x, y, PLAIN._replace(**settings))


def use(xla, case: Case, **course) -> None:
    case.fit(xla, 2, **course)
    case.outputs(xla)
    xla.slopes(case.forest, case.settings, case.data, np.arange(9, dtype=np.int32), case.params)


def test_another_population_of_about_the_size_compiles_nothing(xla):
    use(xla, case_of(0), **SPLIT)
    before = compiled.compilations()
    use(xla, case_of(1, 9), **SPLIT)
    use(xla, case_of(2, 3, rows=45), fit_rows=range(45))
    use(xla, case_of(3, learning_rate=0.5, schedule="linear"), fit_rows=range(7), validation_rows=range(2), patience=1)
    assert compiled.compilations() == before


def test_sizes_are_powers_of_two():
    assert [power_of_two(size, 4) for size in (0, 1, 4, 5, 8, 9, 1000)] == [4, 4, 4, 8, 8, 16, 1024]


def test_threads_that_need_a_program_wait_for_one_compilation(xla, monkeypatch):
    monkeypatch.setattr(compiled, "_programs", {})
    case = case_of(0)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: case.outputs(xla), range(4)))
    assert compiled.compilations() == 1
    for each in found:
        np.testing.assert_array_equal(each, found[0])


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_no_flag_of_jax_changes_a_result(xla, monkeypatch, precision):
    """Compiled and run under all flags that forbid something, a training that diverges among them."""
    space = Space(4, 1, NAMES, max_nodes=24)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), rng.normal(size=(60, 1))
    cases = [
        Case(population(6, 3, space), x, y, PLAIN._replace(precision=precision, learning_rate=rate))
        for rate in (0.1, 1e30)
    ]
    expected = [case.fit(xla, 4, **SPLIT) for case in cases]
    monkeypatch.setattr(compiled, "_programs", {})
    with ExitStack() as flags:
        for flag in (
            jax.numpy_rank_promotion("raise"),
            jax.numpy_dtype_promotion("strict"),
            jax.transfer_guard("disallow"),
            jax.disable_jit(True),
            jax.enable_x64(precision == "float32"),
            jax.debug_nans(True),
            jax.debug_infs(True),
        ):
            flags.enter_context(flag)
        found = [case.fit(xla, 4, **SPLIT) for case in cases]
    assert not np.isfinite(found[1].last).all()
    for mine, other in zip(found, expected, strict=True):
        for a, b in zip(mine[:5], other[:5], strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_every_program_is_traced_with_strict_ranks_and_types(precision):
    """All optimisers and losses; weights, moments and gradients keep their types."""
    case = case_of(0, precision=precision)
    network, _ = make_network(case.forest)
    params, rate = np.zeros(len(network.place), precision), np.ones((), precision)
    strict = jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict")
    with engine_flags(precision), strict[0], strict[1]:
        chunk = tuple(part[:8] for part in case.data[:3])
        arrays = [jax.eval_shape(predict, network, params, chunk[0])]
        for loss in (*(name for name in LOSSES if name not in AT_LEVEL), "pinball_0.8"):
            soft = (chunk[2],) if loss in SOFTENED else ()
            for rows in (chunk, (*chunk, *soft)):
                how = partial(gradient, loss, 2.0)
                slope, losses = jax.eval_shape(how, network, params, None, rows)
                arrays += [*jax.eval_shape(how, network, params, (slope, losses), rows), losses]
        for optimizer in OPTIMIZERS:
            moments = jax.eval_shape(OPTIMIZERS[optimizer](0.1).init, params)
            shrinking = Shrinking(params, params, network.place)
            learning = OPTIMIZERS[optimizer].learned
            state = State(params, moments, learning and learning.begin(len(network.output), 0.1, precision))
            given = network.place, network.tree, state, slope, rate, params > 0, shrinking
            later = jax.eval_shape(partial(update, optimizer, 0.1), *given)
            arrays.append(later.params)
            kept = jax.tree.map(lambda a, b: (a.shape, a.dtype) == (b.shape, b.dtype), later, state)
            assert all(jax.tree.leaves(kept))
    assert {array.dtype.name for array in arrays} == {precision}
