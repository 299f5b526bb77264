"""A forest as a differentiable function of JAX, for programs that hold trees among other things.

On CPUs the compiled kernel computes it, as a foreign function of XLA. Where there is no kernel, such as on a GPU, XLA's
own operations do. The engine itself does not train through this function, but by whole epochs in the kernel.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from neuraltree.engine.forest import Forest
from neuraltree.engine.kernel.binding import Missing
from neuraltree.engine.lowering import kernel_in_use
from neuraltree.engine.xla.network import make_network
from neuraltree.engine.xla.passes import predict

OUTPUTS, PULLBACK = "neuraltree_outputs", "neuraltree_pullback"


def forest_outputs(forest: Forest, params: jax.Array, inputs: jax.Array) -> jax.Array:
    """(trees, outputs, rows) the outputs of all trees for ``inputs`` (rows, features).

    ``params`` (params,) and ``inputs`` are both float32 or both float64; the result can be differentiated once by
    either. The forest is a constant of the program.
    """
    params, inputs = jnp.asarray(params), jnp.asarray(inputs)
    _check(forest, params, inputs)
    by_kernel, by_xla = _kernel_functions(forest), _xla_functions(forest)

    def choose(which: int, *arguments: jax.Array) -> Any:
        if not _register():
            return by_xla[which](*arguments)
        if jax.default_backend() == "cpu":  # a program for CPUs alone is traced sooner than one that holds both forms
            return by_kernel[which](*arguments)
        return lax.platform_dependent(*arguments, cpu=by_kernel[which], default=by_xla[which])

    @jax.custom_vjp
    def found(params: jax.Array, inputs: jax.Array) -> jax.Array:
        return choose(0, params, inputs)

    found.defvjp(lambda *given: (found(*given), given), lambda given, by_outputs: choose(1, *given, by_outputs))
    return found(params, inputs)


def _check(forest: Forest, params: jax.Array, inputs: jax.Array) -> None:
    if params.dtype != inputs.dtype or params.dtype not in (np.float32, np.float64):
        raise TypeError(
            f"parameters and inputs must share float32 or float64; they are {params.dtype} and {inputs.dtype}"
        )
    if params.shape != (forest.params,):
        raise ValueError(f"there are parameters of shape {params.shape}; this forest needs {(forest.params,)}")
    if inputs.ndim != 2 or inputs.shape[1] != forest.features:
        raise ValueError(f"there are inputs of shape {inputs.shape}; this forest needs (rows, {forest.features})")
    if not len(inputs):
        raise ValueError("there are no rows")
    if len(forest.kind) != forest.nodes or len(forest.first_param) != forest.nodes + 1:
        raise ValueError("the forest is malformed: its arrays have lengths that disagree")
    if forest.trees * forest.outputs > forest.nodes:
        raise ValueError(
            f"the forest is malformed: {forest.nodes} nodes for {forest.trees} trees of {forest.outputs} outputs"
        )


@cache
def _register() -> bool:
    """Make the kernel known to XLA, once; False if there is none or ``$NEURALTREE_ENGINE`` is "xla"."""
    kernel = kernel_in_use()
    if isinstance(kernel, Missing):
        return False
    for name, function in ((OUTPUTS, kernel.library.nt_ffi_outputs), (PULLBACK, kernel.library.nt_ffi_pullback)):
        jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(function), platform="cpu")
    return True


def _kernel_functions(forest: Forest) -> Any:
    """The outputs, and the derivatives by parameters and inputs from those by the outputs, by the kernel."""

    def call(target: str, results: Any, params: jax.Array, inputs: jax.Array, *more: jax.Array) -> Any:
        # XLA runs the kernel once for each entry of axes that vmap adds.
        rows = jnp.arange(len(inputs), dtype=np.int32)
        return jax.ffi.ffi_call(target, results, vmap_method="sequential")(*forest[2:], rows, params, inputs, *more)

    def found(params: jax.Array, inputs: jax.Array) -> jax.Array:
        shape = (forest.trees, forest.outputs, len(inputs))
        return call(OUTPUTS, jax.ShapeDtypeStruct(shape, params.dtype), params, inputs)

    def pullback(params: jax.Array, inputs: jax.Array, by_outputs: jax.Array) -> tuple[jax.Array, ...]:
        results = [jax.ShapeDtypeStruct(part.shape, part.dtype) for part in (params, inputs)]
        return tuple(call(PULLBACK, results, params, inputs, by_outputs))

    return found, pullback


def _xla_functions(forest: Forest) -> Any:
    """The same by XLA's own operations."""

    def found(params: jax.Array, inputs: jax.Array) -> jax.Array:
        network = jax.tree.map(jnp.asarray, make_network(forest)[0])
        padded = jnp.pad(params, (0, len(network.place) - len(params)))
        return predict(network, padded, inputs)[: forest.trees]

    return found, lambda params, inputs, by_outputs: jax.vjp(found, params, inputs)[1](by_outputs)
