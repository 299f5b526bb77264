"""Stacks of dense networks of the trees' mean size: inputs, one hidden layer of sigmoids, one linear output."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.jax_loop import compile_loop, threaded
from benchmarks.peers.workload import FEATURES, Contender, Workload

Params = dict[str, NDArray[np.float32]]


def hidden_units(work: Workload) -> int:
    """h (features + 2) + 1 weights come nearest to the trees' mean."""
    return max(1, round((work.weights / len(work.trees) - 1) / (FEATURES + 2)))


def network(_: None, params: Params, inputs: jax.Array) -> jax.Array:
    """All networks read the same inputs, so their first layers are one matrix product."""
    hidden = jax.nn.sigmoid(jnp.einsum("nhf,bf->nhb", params["hidden"], inputs) + params["bias"][:, :, None])
    return jnp.einsum("nh,nhb->nb", params["output"], hidden) + params["shift"][:, None]


def dense(work: Workload, threads: int) -> Contender:
    """As many networks as trees, in one stack per thread."""
    units, rng = hidden_units(work), np.random.default_rng(0)
    sizes = np.diff(np.linspace(0, len(work.trees), threads + 1).astype(int))
    shapes: dict[str, tuple[int, ...]] = {
        "hidden": (units, FEATURES),
        "bias": (units,),
        "output": (units,),
        "shift": (),
    }

    def program(networks: int) -> Any:
        start = {name: rng.standard_normal((networks, *shape)).astype(np.float32) for name, shape in shapes.items()}
        return compile_loop(network, work, None, start, 32)

    weights = len(work.trees) * (units * (FEATURES + 2) + 1)
    return threaded([program(int(networks)) for networks in sizes], threads, weights, work)
