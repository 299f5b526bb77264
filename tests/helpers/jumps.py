"""Activations that jump, and the one rule by which tests treat them.

Their slope is that of a surrogate (straight-through). So it is compared with the surrogate's, which stands here a
second time, never with finite differences of the value. Near a jump two computations that round differently may give
different values. So they are compared on rows that are clear of jumps, or if rows cannot be left out, as in training,
on trees of ``CONTINUOUS`` activations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from neuraltree.activations import ACTIVATIONS

CONTINUOUS = tuple(row.name for row in ACTIVATIONS if row.jump is None)
# By name of each activation that jumps: the function of a sum whose slope trains it. ``xp``: NumPy or ``jax.numpy``.
SURROGATES: dict[str, Callable[[Any, Any], Any]] = {"sign": lambda s, xp: xp.clip(s, -1, 1)}


def straight_through(name: str, s: Any, value: Any, xp: Any) -> Any:
    """The ``value`` of an activation at the sums ``s``, whose derivative in JAX is that of its surrogate if it has
    one."""
    if xp is np or name not in SURROGATES:
        return value
    surrogate = SURROGATES[name](s, xp)
    return surrogate + jax.lax.stop_gradient(value - surrogate)


def clear_of_jumps(nodes: Any, x: Any, margin: float, fold: int = 0) -> NDArray[np.bool_]:
    """(rows,) whether in a row of ``x`` (rows, features) no sum of a node that jumps is within ``margin`` of the jump,
    in units of 1 + the sum of the absolute products."""
    x = np.asarray(x, np.float64)
    depth, op = nodes["depth"].tolist(), nodes["op"].tolist()
    weight, bias = nodes["weight"][:, fold], nodes["bias"][:, fold]
    clear, sums = np.ones(len(x), dtype=bool), {}
    for at in range(len(depth) - 1, -1, -1):
        if op[at] >= 0:
            value = x[:, op[at]]
        else:
            total, size = sums.pop(depth[at] + 1, (0.0, 0.0))
            total, size = total + bias[at] + 0 * x[:, 0], size + abs(bias[at])
            row = ACTIVATIONS[~op[at]]
            if row.jump is not None:
                clear &= (np.abs(total - row.jump) > margin * (1 + size)) | ~np.isfinite(total)
            value = row.value(total)
        before = sums.get(depth[at], (0.0, 0.0))
        sums[depth[at]] = before[0] + weight[at] * value, before[1] + np.abs(weight[at] * value)
    return clear
