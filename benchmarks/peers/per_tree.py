"""One compiled program per tree: the forward pass recurses over the tree while it is traced."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.jax_loop import compile_loop, threaded
from benchmarks.peers.workload import Contender, Workload
from neuraltree.activations import NAMES
from neuraltree.tree.nodes import Nodes, arities, count_weights

FUNCTIONS = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "gaussian": lambda s: jnp.exp(-s * s),
    "relu": jax.nn.relu,
    "identity": lambda s: s,
}
Params = dict[str, NDArray[np.float32]]


def evaluate(nodes: Nodes, params: Params, inputs: jax.Array) -> jax.Array:
    """(batch,) output of one tree for ``inputs`` (features, batch)."""
    arity, upcoming = arities(nodes["depth"]), iter(range(len(nodes)))

    def subtree() -> Any:
        i = next(upcoming)
        op = int(nodes["op"][i])
        if op >= 0:
            value = inputs[op]
        else:
            total = sum((subtree() for _ in range(arity[i])), start=params["bias"][i])
            value = FUNCTIONS[NAMES[~op]](total)
        return params["weight"][i] * value if nodes["depth"][i] else value

    return subtree()


def per_tree(work: Workload, threads: int) -> Contender:
    """All trees of the workload; use few trees, because each program takes seconds to compile."""

    def program(nodes: Nodes) -> Any:
        def network(_: None, params: Params, inputs: jax.Array) -> jax.Array:
            return evaluate(nodes, params, inputs.T)[None]

        start = {name: nodes[name][:, 0].astype(np.float32) for name in ("weight", "bias")}
        return compile_loop(network, work, None, start)

    weights = sum(map(count_weights, work.trees))
    return threaded([program(nodes) for nodes in work.trees], threads, weights, work)
