"""A tree evaluated the plain way, by recursion, for many rows at once: in NumPy, or in JAX for its derivatives.

Nothing here comes from the program: it is a second implementation of what a node record means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.helpers.jumps import straight_through

# By activation code: sigmoid, tanh, Gaussian, ReLU, sine, identity, hard tanh, sign.
FUNCTIONS = (
    lambda s, xp: 1 / (1 + xp.exp(-s)),
    lambda s, xp: xp.tanh(s),
    lambda s, xp: xp.exp(-s * s),
    lambda s, xp: xp.maximum(s, 0),
    lambda s, xp: xp.sin(s),
    lambda s, xp: s,
    lambda s, xp: xp.clip(s, -1, 1),
    lambda s, xp: straight_through("sign", s, xp.where(s < 0, -1.0, xp.where(s >= 0, 1.0, s)), xp),
)


def evaluate(nodes: Any, x: Any, weight: Any = None, bias: Any = None, extra: Any = None, xp: Any = np) -> Any:
    """(outputs, rows) for ``x`` (rows, features), with the weights and biases of fold 0 or the given ones (nodes,).

    ``extra`` (nodes, features) are weights of further leaves.
    """
    weight = nodes["weight"][:, 0] if weight is None else weight
    bias = nodes["bias"][:, 0] if bias is None else bias
    depth, op = nodes["depth"].tolist(), nodes["op"].tolist()

    def value_at(at: int) -> tuple[Any, int]:
        """The values (rows,) of the node at ``at``, and where its subtree ends."""
        if op[at] >= 0:
            return x[:, op[at]], at + 1
        total, child = bias[at] + 0 * x[:, 0], at + 1
        if extra is not None:
            total = total + x @ extra[at]
        while child < len(depth) and depth[child] > depth[at]:
            value, end = value_at(child)
            total, child = total + weight[child] * value, end
        return FUNCTIONS[~op[at]](total, xp), child

    found, at = [], 0
    with np.errstate(over="ignore"):
        while at < len(depth):
            value, at = value_at(at)
            found.append(value)
    return xp.stack(found)


# By name, the loss of outputs and targets (outputs, rows), for each row.
LOSSES = {
    "squared": lambda z, y: 0.5 * jnp.sum((z - y) ** 2, axis=0),
    "logistic": lambda z, y: -jnp.sum(y * jax.nn.log_sigmoid(z) + (1 - y) * jax.nn.log_sigmoid(-z), axis=0),
    "huber": lambda z, y: jnp.sum(jnp.where(abs(z - y) < 1, 0.5 * (z - y) ** 2, abs(z - y) - 0.5), axis=0),
    "pinball_0.8": lambda z, y: jnp.sum(jnp.where(z < y, 0.8 * (y - z), 0.2 * (z - y)), axis=0),
    "softmax": lambda z, y: -jnp.sum(y * jax.nn.log_softmax(z, axis=0), axis=0),
}


ROWS = 512  # rows of zeros fill up to so many, because JAX compiles every operation anew for every shape


def gradient(nodes: Any, x: Any, y: Any, weight: Any, loss: str = "squared") -> tuple[np.ndarray, ...]:
    """The derivatives of the mean over rows of loss x ``weight`` (rows,): by the weights and the biases (nodes,) of
    fold 0, and by the weights (nodes, features) of leaves that the tree does not have; not to be written to.

    They are kept: tests ask for the same ones for each engine.
    """
    key = (*(np.ascontiguousarray(part).tobytes() for part in (nodes, x, y, weight)), loss)
    if key not in _known:
        _known[key] = _gradient(nodes, x, y, weight, loss)
    return _known[key]


_known: dict[tuple[Any, ...], tuple[np.ndarray, ...]] = {}


def _gradient(nodes: Any, x: Any, y: Any, weight: Any, loss: str) -> tuple[np.ndarray, ...]:
    missing = ROWS - len(x)
    share = np.pad(weight, (0, missing)) / len(x)
    x, y = (np.pad(part, [(0, missing), (0, 0)]) for part in (x, y))

    def mean(parameters: Sequence[Any]) -> Any:
        return jnp.sum(LOSSES[loss](evaluate(nodes, x, *parameters, xp=jnp), y.T) * share)

    extra = np.zeros((len(nodes), x.shape[1]))
    with jax.enable_x64(True):
        x, y, share = map(jnp.asarray, (x, y, share))
        given = [list(map(jnp.asarray, part)) for part in (nodes["weight"][:, 0], nodes["bias"][:, 0], extra)]
        return tuple(np.array(part) for part in jax.grad(mean)(given))
