"""A tree evaluated the plain way, by recursion. The specification of every other way.

Once with ``math`` only, for one row; once more with ``jax.numpy``, for its derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from neuraltree.activations import ACTIVATIONS
from neuraltree.activations.kind import Functions
from tests.helpers.jumps import straight_through


def sigmoid(s: float) -> float:
    return 1 / (1 + math.exp(-s)) if s >= 0 else 1 - 1 / (1 + math.exp(s))


# By activation code: sigmoid, tanh, Gaussian, ReLU, sine, identity. Of the others their own plain form, which
# ``test_activations`` compares with all their other forms.
FUNCTIONS = (
    sigmoid,
    math.tanh,
    lambda s: math.exp(-s * s),
    lambda s: max(s, 0.0),
    math.sin,
    lambda s: s,
    *(row.alone(Functions(math.exp, math.tanh, math.sin)) for row in ACTIVATIONS[6:]),
)


def evaluate_recursive(nodes: Any, x: Sequence[float], fold: int = 0) -> list[float]:
    """The values of the output nodes for one row ``x`` of inputs."""
    outputs, at = [], 0
    while at < len(nodes):
        value, at = _evaluate(nodes, at, x, fold)
        outputs.append(value)
    return outputs


def _evaluate(nodes: Any, at: int, x: Sequence[float], fold: int) -> tuple[float, int]:
    """The value of the node at ``at``, and where its subtree ends."""
    depth, op = int(nodes["depth"][at]), int(nodes["op"][at])
    if op >= 0:
        return float(x[op]), at + 1
    total, child = float(nodes["bias"][at][fold]), at + 1
    while child < len(nodes) and nodes["depth"][child] > depth:
        weight = float(nodes["weight"][child][fold])
        value, child = _evaluate(nodes, child, x, fold)
        total += weight * value
    return FUNCTIONS[~op](total), child


# By activation code, as above.
DIFFERENTIABLE_FUNCTIONS = (
    lambda s: 1 / (1 + jnp.exp(-s)),
    jnp.tanh,
    lambda s: jnp.exp(-s * s),
    lambda s: jnp.maximum(s, 0.0),
    jnp.sin,
    lambda s: s,
    *((lambda s, row=row: straight_through(row.name, s, row.value(s, jnp), jnp)) for row in ACTIVATIONS[6:]),
)


def evaluate_differentiable(
    depth: Sequence[int], op: Sequence[int], weight: Sequence[Any], bias: Sequence[Any], x: Sequence[Any]
) -> jax.Array:
    """(outputs, rows) values of the output nodes; ``x`` holds one column (rows,) for each feature."""

    def value_at(at: int) -> tuple[jax.Array, int]:
        """The values (rows,) of the node at ``at``, and where its subtree ends."""
        if op[at] >= 0:
            return x[op[at]], at + 1
        total, child = bias[at] + 0.0 * x[0], at + 1
        while child < len(depth) and depth[child] > depth[at]:
            value, end = value_at(child)
            total, child = total + weight[child] * value, end
        return DIFFERENTIABLE_FUNCTIONS[~op[at]](total), child

    values, at = [], 0
    while at < len(depth):
        value, at = value_at(at)
        values.append(value)
    return jnp.stack(values)
