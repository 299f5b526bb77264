"""A forest as a function of JAX, by the kernel and by XLA's own operations, against plain recursion."""

from __future__ import annotations

from functools import cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from neuraltree.activations import NAMES
from neuraltree.engine import primitive
from neuraltree.engine.forest import Forest, Packed, load_params, pack
from neuraltree.engine.kernel.binding import Missing, load
from neuraltree.engine.kernel.kernel_lowering import KernelLowering
from neuraltree.engine.primitive import forest_outputs
from neuraltree.engine.training import Settings, make_course, make_data
from neuraltree.tree.generate import random_tree
from neuraltree.tree.nodes import Nodes, join
from neuraltree.tree.space import Space
from tests.helpers.jumps import CONTINUOUS
from tests.helpers.oracle import evaluate_differentiable, evaluate_recursive

pytestmark = pytest.mark.usefixtures("quick_compiler")
KERNEL = load()
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
ERRORS = (jax.errors.JaxRuntimeError, ValueError)  # JAX raises the second for some invalid arguments
needs_kernel = pytest.mark.skipif(isinstance(KERNEL, Missing), reason="there is no kernel here")


class Case(NamedTuple):
    """A population, its forest, and inputs for it."""

    trees: list[Nodes]
    packed: Packed
    params: Any
    inputs: Any

    @property
    def forest(self) -> Forest:
        return self.packed.forest


@cache
def case(
    precision: str, outputs: int = 2, count: int = 4, rows: int = 21, activations: tuple[str, ...] = NAMES
) -> Case:
    rng = np.random.default_rng(0)
    space = Space(5, outputs, activations, "tanh", max_nodes=20, max_depth=4)
    trees = [random_tree(rng, space) for _ in range(count)]
    nodes, starts = join(trees)
    packed = pack(nodes, starts, 5)
    return Case(trees, packed, load_params(packed, nodes, precision)[0], rng.normal(size=(rows, 5)).astype(precision))


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    with jax.enable_x64(request.param == "float64"):
        yield request.param


@pytest.fixture(params=[pytest.param("kernel", marks=needs_kernel), "xla"])
def by(request, monkeypatch):
    """How the function is computed."""
    if request.param == "xla":
        monkeypatch.setattr(primitive, "_register", lambda: False)
    return request.param


def recursive_outputs(of: Case, params: Any, inputs: Any) -> jax.Array:
    """(trees, outputs, rows) by a recursion in JAX, from the parameters of the forest."""
    nodes, starts = join(of.trees)
    found = []
    for start, end in pairwise(starts.tolist()):
        op, depth = nodes["op"][start:end].tolist(), nodes["depth"][start:end].tolist()
        at = of.packed.place[start:end].tolist()
        weight = [params[p if code >= 0 else p + 1] for p, code in zip(at, op, strict=True)]
        found.append(evaluate_differentiable(depth, op, weight, [params[p] for p in at], list(inputs.T)))
    return jnp.stack(found)


def loss(outputs: Any, params: Any, inputs: Any) -> jax.Array:
    share = np.random.default_rng(1).normal(size=(4, 2, 21)).astype(params.dtype)
    return jnp.sum(share * outputs(params, inputs) ** 2)


@cache
def recursive_gradients() -> Any:
    """By parameters and inputs, in double precision."""
    with jax.enable_x64(True):
        of = case("float64")
        return jax.jit(jax.grad(partial(loss, partial(recursive_outputs, of)), (0, 1)))(of.params, of.inputs)


def test_outputs_are_those_of_a_recursion(by, precision):
    of = case(precision)
    found = forest_outputs(of.forest, of.params, of.inputs)
    expected = [[evaluate_recursive(tree, row) for row in of.inputs] for tree in of.trees]
    assert found.dtype == precision
    np.testing.assert_allclose(found, np.swapaxes(expected, 1, 2), atol=TOLERANCE[precision])


def test_gradients_are_those_of_a_recursion(by, precision):
    of = case(precision)
    expected = [np.asarray(part) for part in recursive_gradients()]
    of_forest = partial(loss, partial(forest_outputs, of.forest))
    found = [*jax.jit(jax.grad(of_forest, (0, 1)))(of.params, of.inputs)]
    if by == "kernel":  # which has one function for both; XLA leaves out what is not asked for
        found += [jax.grad(of_forest, argument)(of.params, of.inputs) for argument in (0, 1)]
    for mine, wanted in zip(found, expected * (len(found) // 2), strict=True):
        scale = float(np.abs(wanted).max())
        assert mine.dtype == precision
        np.testing.assert_allclose(mine, wanted, rtol=TOLERANCE[precision], atol=TOLERANCE[precision] * scale)


def test_gradients_agree_with_finite_differences(by):
    of = case("float64", activations=CONTINUOUS)
    rng = np.random.default_rng(2)
    by_params, by_inputs = rng.normal(size=of.params.shape), rng.normal(size=of.inputs.shape)

    @jax.jit
    def along(step: Any) -> jax.Array:
        moved = (of.params + step * by_params, of.inputs + step * by_inputs)
        return jnp.sum(jnp.sin(forest_outputs(of.forest, *moved)))

    with jax.enable_x64(True):
        difference = (along(1e-6) - along(-1e-6)) / 2e-6
        assert float(jax.grad(along)(0.0)) == pytest.approx(float(difference), rel=1e-6)


def test_vmap_is_a_loop_over_parameters_or_inputs(by):
    of = case("float32")
    several = np.stack([of.params, 0.5 * of.params, -of.params])
    halves = np.stack([of.inputs[:10], of.inputs[10:20]])

    @jax.jit
    def gradient(params: Any, inputs: Any) -> Any:
        return jax.grad(lambda *both: jnp.sum(forest_outputs(of.forest, *both) ** 2), (0, 1))(params, inputs)

    nested = jax.jit(jax.vmap(jax.vmap(gradient, (None, 0)), (0, None)))(several, halves)
    for i, params in enumerate(several):
        for k, inputs in enumerate(halves):
            for found, expected in zip(nested, gradient(params, inputs), strict=True):
                np.testing.assert_allclose(found[i, k], expected, rtol=1e-5, atol=1e-5)


@needs_kernel
def test_both_ways_agree_on_a_tall_tree(monkeypatch):
    rng = np.random.default_rng(3)
    nodes = random_tree(rng, Space(3, 1, NAMES, max_nodes=60, max_depth=12, max_arity=2))
    packed = pack(*join([nodes]), 3)
    params, inputs = load_params(packed, nodes, "float32")[0], rng.normal(size=(9, 3)).astype(np.float32)
    found = []
    for _ in range(2):
        outputs, pull = jax.vjp(partial(forest_outputs, packed.forest), params, inputs)
        found.append((outputs, *pull(jnp.ones_like(outputs))))
        monkeypatch.setattr(primitive, "_register", lambda: False)
    for by_kernel, by_xla in zip(*found, strict=True):
        np.testing.assert_allclose(by_kernel, by_xla, rtol=1e-4, atol=1e-4)


@needs_kernel
def test_a_program_for_gpus_does_not_call_the_kernel(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    of = case("float32")
    traced = jax.jit(jax.grad(partial(loss, partial(forest_outputs, of.forest)), (0, 1))).trace(of.params, of.inputs)
    text = {platform: traced.lower(lowering_platforms=(platform,)).as_text() for platform in ("cpu", "cuda")}
    assert primitive.OUTPUTS in text["cpu"]
    assert primitive.PULLBACK in text["cpu"]
    assert "custom_call" not in text["cuda"]


@needs_kernel
def test_a_loop_with_optax_trains_as_the_kernel_does(precision):
    of = case(precision, outputs=1, rows=48)
    targets = np.random.default_rng(4).random((48, 1)).astype(precision)
    settings = Settings("squared", "adam", learning_rate=0.02, batch_size=16, precision=precision)
    course = make_course(settings, np.arange(48), np.arange(0), epochs=5, patience=0, seed=0)
    data = make_data(of.inputs, targets, None, precision)
    limit = np.full(of.forest.trees, 5, np.int32)
    expected = KernelLowering(KERNEL).train(of.forest, settings, data, course, of.params, limit).last
    batches, rates = jnp.asarray(course.order.reshape(-1, 16)), jnp.asarray(course.rates, precision)
    method = optax.adam(1.0, b1=0.9, b2=0.99)

    def loss(params: Any, rows: Any) -> jax.Array:
        outputs = forest_outputs(of.forest, params, jnp.asarray(data.inputs)[rows])
        return 0.5 * jnp.sum((outputs[:, 0] - jnp.asarray(data.targets)[rows, 0]) ** 2) / 16

    def step(i: Any, now: Any) -> Any:
        params, state = now
        change, state = method.update(jax.grad(loss)(params, batches[i]), state)
        return params + rates[i] * change, state

    start = jnp.asarray(of.params)
    found, _ = jax.jit(lambda start: jax.lax.fori_loop(0, len(rates), step, (start, method.init(start))))(start)
    assert np.abs(expected - of.params).max() > 0.05
    np.testing.assert_allclose(found, expected, atol=1e-5)


MALFORMED: dict[str, tuple[str, int, int]] = {
    "a subtree longer than its tree": ("size", 0, 10_000),
    "a subtree of no nodes": ("size", 1, 0),
    "an unknown activation": ("kind", 0, 99),
    "a negative activation": ("kind", 0, -1),
    "an input that is none": ("source", -1, 5),
    "a bias that reads an input": ("source", 0, 10_000),
    "an edge that reads an input": ("source", 1, 0),
    "parameters out of order": ("first_param", 1, 10_000),
    "a tree of negative length": ("first_node", 1, -3),
    "a tree beyond the nodes": ("first_node", 1, 10_000),
}


@needs_kernel
@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_forest_is_an_error(fault):
    of = case("float32")
    name, place, value = MALFORMED[fault]
    array = getattr(of.forest, name).copy()
    array[place] = value
    forest = of.forest._replace(**{name: array})
    with pytest.raises(ERRORS, match="the forest is malformed"):
        jax.block_until_ready(forest_outputs(forest, of.params, of.inputs))
    pull = jax.grad(lambda params: jnp.sum(forest_outputs(forest, params, of.inputs)))
    with pytest.raises(ERRORS, match="the forest is malformed"):
        jax.block_until_ready(pull(of.params))


def test_shapes_and_types_are_checked_before_a_program_is_made(by):
    of = case("float32")
    with pytest.raises(ValueError, match=r"parameters of shape \(3,\)"):
        forest_outputs(of.forest, of.params[:3], of.inputs)
    with pytest.raises(ValueError, match="inputs of shape"):
        forest_outputs(of.forest, of.params, of.inputs[:, :2])
    with pytest.raises(TypeError, match="float16"):
        forest_outputs(of.forest, of.params.astype(np.float16), of.inputs)
    with pytest.raises(ValueError, match="lengths that disagree"):
        forest_outputs(of.forest._replace(kind=of.forest.kind[:1]), of.params, of.inputs)
    with pytest.raises(ValueError, match="for 4 trees of 99 outputs"):
        forest_outputs(of.forest._replace(outputs=99), of.params, of.inputs)


@needs_kernel
def test_the_kernel_checks_types_and_shapes_again():
    of = case("float32")
    primitive._register()
    result = jax.ShapeDtypeStruct((4, 2, 21), of.params.dtype)
    good = [*of.forest[2:], np.arange(21, dtype=np.int32), of.params, of.inputs]
    bad = {
        "vectors of int32": (1, of.forest.size.astype(np.float32)),
        "lengths that disagree": (4, of.forest.source[:2]),
        r"shape \(trees, outputs, rows\)": (5, np.arange(3, dtype=np.int32)),
        "float32 or float64": (6, of.params.astype(np.float16)),
        "1, 2 and 3 axes": (7, of.inputs[0]),
    }
    call = jax.ffi.ffi_call(primitive.OUTPUTS, result)
    jax.block_until_ready(call(*good))
    for message, (place, value) in bad.items():
        with pytest.raises(ERRORS, match=message):
            jax.block_until_ready(call(*good[:place], value, *good[place + 1 :]))
    with pytest.raises(ERRORS, match="the rows are malformed"):
        jax.block_until_ready(call(*good[:5], good[5] + 1, *good[6:]))
